/** Random sequences of Docker's calls against a model of what must hold. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { EndpointId, NetworkId } from '../../src/lib/brand.ts';
import { cidrAddress, cidrContains } from '../../src/lib/ip.ts';
import { hostPortsMeet } from '../../src/model/host-port.ts';
import type { Store } from '../../src/store/port.ts';
import {
  createPlugin,
  endpointBody,
  networkBody,
  type Plugin,
  portBinding,
  programBody,
  ref,
} from './docker-harness.ts';

const NETWORKS = ['n0', 'n1', 'n2'];
/** n2 overlaps n0. */
const POOLS = ['10.1.0.0/28', '10.2.0.0/28', '10.1.0.0/24'];
const ENDPOINTS = ['e0', 'e1', 'e2', 'e3', 'e4'];

type Step =
  | { readonly verb: 'createNetwork'; readonly n: number }
  | { readonly verb: 'deleteNetwork'; readonly n: number; readonly isReleasedFirst: boolean }
  | {
      readonly verb: 'create';
      readonly n: number;
      readonly e: number;
      readonly how: 'dynamic' | 'static' | 'own';
    }
  | {
      readonly verb: 'delete' | 'join' | 'leave' | 'revoke' | 'info' | 'restartDocker';
      readonly n: number;
      readonly e: number;
    }
  | {
      readonly verb: 'program';
      readonly n: number;
      readonly e: number;
      readonly port: number;
      readonly ip: string;
    }
  | { readonly verb: 'refuse'; readonly scope: string };

const n = fc.nat(NETWORKS.length - 1);
const e = fc.nat(ENDPOINTS.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ verb: fc.constant('createNetwork' as const), n }) },
  {
    weight: 1,
    arbitrary: fc.record({ verb: fc.constant('deleteNetwork' as const), n, isReleasedFirst: fc.boolean() }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      verb: fc.constant('create' as const),
      n,
      e,
      how: fc.constantFrom('dynamic' as const, 'static' as const, 'own' as const),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      verb: fc.constantFrom(...(['delete', 'join', 'leave', 'revoke', 'info', 'restartDocker'] as const)),
      n,
      e,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      verb: fc.constant('program' as const),
      n,
      e,
      port: fc.constantFrom(0, 8080, 8081),
      ip: fc.constantFrom('', '127.0.0.1', '0.0.0.0'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      verb: fc.constant('refuse' as const),
      scope: fc.constantFrom(...NETWORKS, ...ENDPOINTS),
    }),
  },
);

/** Docker's side: what it does around each call, and what it believes afterwards. */
class Docker {
  readonly networks = new Map<string, string>();
  readonly endpoints = new Map<string, { network: string; address: string }>();
  readonly plugin: Plugin;

  constructor(plugin: Plugin) {
    this.plugin = plugin;
  }

  async #try(method: string, body: object): Promise<Record<string, unknown> | null> {
    const { status, body: answer } = await this.plugin.call(method, body);
    expect(status).toBe(200);
    const error = answer['Err'];
    expect(String(error ?? '')).not.toContain('ESW_ERR_INTERNAL');
    return error === undefined ? answer : null;
  }

  async run(step: Step): Promise<void> {
    if (step.verb === 'refuse') {
      this.plugin.refuse.set(step.scope, 'refused');
      return;
    }
    const network = NETWORKS[step.n] ?? '';
    const pool = POOLS[step.n] ?? '';
    if (step.verb === 'createNetwork') await this.#createNetwork(network, pool);
    else if (step.verb === 'deleteNetwork') await this.#deleteNetwork(network, step.isReleasedFirst);
    else {
      const id = ENDPOINTS[step.e] ?? '';
      if (step.verb === 'create') await this.#create(network, id, pool, step.how);
      else if (step.verb === 'delete') await this.#delete(network, id);
      else if (step.verb === 'restartDocker') await this.#restart();
      else await this.#other(step, network, id);
    }
    this.plugin.refuse.clear();
  }

  async #createNetwork(id: string, pool: string): Promise<void> {
    if (this.networks.has(id)) return;
    const requested = await this.#try('IpamDriver.RequestPool', { AddressSpace: 'local', Pool: pool });
    if (requested === null) return;
    const poolId = String(requested['PoolID']);
    const gateway = await this.#try('IpamDriver.RequestAddress', {
      PoolID: poolId,
      Options: { RequestAddressType: 'com.docker.network.gateway' },
    });
    const created =
      gateway &&
      (await this.#try(
        'NetworkDriver.CreateNetwork',
        networkBody({ id, pool, gateway: String(gateway['Address']) }),
      ));
    if (created !== null) {
      this.networks.set(id, poolId);
      return;
    }
    if (gateway !== null) await this.#release(poolId, String(gateway['Address']));
    await this.#try('IpamDriver.ReleasePool', { PoolID: poolId });
  }

  async #deleteNetwork(id: string, isReleasedFirst: boolean): Promise<void> {
    const poolId = this.networks.get(id);
    if (poolId === undefined || [...this.endpoints.values()].some(one => one.network === id)) return;
    const release = async () => {
      await this.#release(poolId, `${(poolId.split('/')[1] ?? '').replace(/0$/, '1')}/28`);
      await this.#try('IpamDriver.ReleasePool', { PoolID: poolId });
    };
    // Docker 20.10 releases first, others delete first.
    if (isReleasedFirst) await release();
    expect(await this.#try('NetworkDriver.DeleteNetwork', { NetworkID: id })).toEqual({});
    this.networks.delete(id);
    if (!isReleasedFirst) await release();
  }

  async #create(network: string, id: string, pool: string, how: 'dynamic' | 'static' | 'own'): Promise<void> {
    const poolId = this.networks.get(network);
    if (poolId === undefined || this.endpoints.has(id)) return;
    const wanted = how === 'dynamic' ? '' : pool.replace(/0\/.*/, '9');
    const mac = `02:42:00:00:00:${id.slice(1).padStart(2, '0')}`;
    const options = { 'com.docker.network.endpoint.macaddress': mac };
    const leased = await this.#try('IpamDriver.RequestAddress', {
      PoolID: poolId,
      Address: wanted,
      Options: options,
    });
    if (leased === null) return;
    const address = String(leased['Address']);
    const body = endpointBody({ network, id, address, mac: how === 'own' ? '' : mac });
    const answer = await this.#try('NetworkDriver.CreateEndpoint', body);
    if (answer === null) await this.#release(poolId, address);
    else this.endpoints.set(id, { network, address });
  }

  async #delete(network: string, id: string): Promise<void> {
    expect(await this.#try('NetworkDriver.DeleteEndpoint', ref(network, id))).toEqual({});
    const known = this.endpoints.get(id);
    if (known?.network !== network) return;
    this.endpoints.delete(id);
    await this.#release(this.networks.get(network) ?? '', known.address);
  }

  async #restart(): Promise<void> {
    await this.plugin.ok('Plugin.Activate');
    for (const poolId of this.networks.values()) {
      const pool = poolId.slice('local/'.length);
      expect(await this.#try('IpamDriver.RequestPool', { AddressSpace: 'local', Pool: pool })).toMatchObject({
        PoolID: poolId,
      });
    }
    for (const { network, address } of this.endpoints.values()) {
      const body = { PoolID: this.networks.get(network), Address: address.split('/')[0], Options: null };
      expect(await this.#try('IpamDriver.RequestAddress', body)).toMatchObject({ Address: address });
    }
  }

  async #other(step: Exclude<Step, { verb: 'refuse' }>, network: string, id: string): Promise<void> {
    const isKnown = this.endpoints.get(id)?.network === network;
    if (step.verb === 'join') {
      const answer = await this.#try('NetworkDriver.Join', {
        ...ref(network, id),
        SandboxKey: `/netns/${id}`,
      });
      expect(answer !== null).toBe(isKnown);
    } else if (step.verb === 'info') {
      expect((await this.#try('NetworkDriver.EndpointOperInfo', ref(network, id))) !== null).toBe(isKnown);
    } else if (step.verb === 'leave') {
      expect(await this.#try('NetworkDriver.Leave', ref(network, id))).toEqual({});
    } else if (step.verb === 'revoke') {
      expect(await this.#try('NetworkDriver.RevokeExternalConnectivity', ref(network, id))).toEqual({});
    } else if (step.verb === 'program') {
      const ports = [portBinding({ hostPort: step.port, hostIp: step.ip })];
      await this.#try('NetworkDriver.ProgramExternalConnectivity', programBody(ports, network, id));
    }
  }

  async #release(poolId: string, address: string): Promise<void> {
    const body = { PoolID: poolId, Address: address.split('/')[0] };
    expect(await this.#try('IpamDriver.ReleaseAddress', body)).toEqual({});
  }
}

function checkInvariants(store: Store, docker: Docker): void {
  const { networks, endpoints } = store.intent();
  expect(new Set(networks.keys())).toEqual(new Set(docker.networks.keys()));
  expect(new Set(endpoints.keys())).toEqual(new Set(docker.endpoints.keys()));
  const slots = [...endpoints.values()]
    .map(one => one.slot)
    .concat([...networks.values()].map(one => one.gatewaySlot));
  expect(new Set(slots).size).toBe(slots.length);
  expect(new Set(store.pools().map(pool => pool.id))).toEqual(new Set(docker.networks.values()));
  for (const [id, { network, address }] of docker.endpoints) {
    const endpoint = store.endpoint(id as EndpointId);
    expect(endpoint).toMatchObject({ networkId: network, ip4: address });
    const subnet = store.network(network as NetworkId)?.subnets[0];
    if (endpoint?.ip4 == null || subnet === undefined) throw new Error('no address');
    expect(cidrContains(subnet.pool, cidrAddress(endpoint.ip4))).toBe(true);
    expect(store.leases(docker.networks.get(network) ?? '').has(cidrAddress(endpoint.ip4))).toBe(true);
  }
  for (const poolId of docker.networks.values()) {
    const mine = [...docker.endpoints.values()].filter(one => docker.networks.get(one.network) === poolId);
    expect(store.leases(poolId).size).toBe(mine.length + 1);
  }
  const ports = [...endpoints.values()].flatMap(one => (one.published ? one.bindings : []));
  ports.forEach((port, i) => {
    for (const other of ports.slice(i + 1)) expect(hostPortsMeet(port, other)).toBe(false);
  });
}

it('networks, endpoints, leases, slots and host ports agree with Docker after any sequence', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async steps => {
      const plugin = createPlugin({ maxPorts: 7 });
      const docker = new Docker(plugin);
      for (const next of steps) {
        await docker.run(next);
        checkInvariants(plugin.store, docker);
      }
    }),
    { numRuns: 300 },
  );
}, 120_000);
