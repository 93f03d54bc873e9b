import { describe, expect, it } from 'vitest';
import { Orphans } from '../../src/docker/orphans.ts';
import type { NetworkId } from '../../src/lib/brand.ts';
import { createPlugin, EID, NID, type Plugin } from './docker-harness.ts';

const GRACE_MS = 1000;

function watch(plugin: Plugin, dockerHas: (id: NetworkId) => boolean | null = () => true) {
  const clock = { nowMs: 0 };
  const namespaces = new Set(['/run/x']);
  const ipam = { networkDeleted: () => undefined };
  const orphans = new Orphans({
    ...{ store: plugin.store, graceMs: GRACE_MS, clock: () => clock.nowMs },
    ipam: ipam as never,
    reconciler: { notify: changed => void plugin.notified.push(changed), waitFor: async () => undefined },
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    sandboxExists: path => namespaces.has(path),
    dockerHas: async id => dockerHas(id),
  });
  return {
    namespaces,
    later: async (ms: number) => {
      clock.nowMs += ms;
      return orphans.collect();
    },
  };
}

const POOL = '10.60.0.0/24';

async function withEndpoint(): Promise<Plugin> {
  const plugin = createPlugin();
  const { PoolID } = await plugin.ok('IpamDriver.RequestPool', { AddressSpace: 'local', Pool: POOL });
  await plugin.ok('NetworkDriver.CreateNetwork', {
    NetworkID: NID,
    Options: {},
    IPv4Data: [{ AddressSpace: 'local', Pool: POOL, Gateway: '10.60.0.1/24' }],
    IPv6Data: [],
  });
  await plugin.ok('IpamDriver.RequestAddress', { PoolID, Address: '10.60.0.9' });
  await plugin.ok('NetworkDriver.CreateEndpoint', {
    NetworkID: NID,
    EndpointID: EID,
    Interface: { Address: '10.60.0.9/24', AddressIPv6: '', MacAddress: '' },
    Options: {},
  });
  return plugin;
}

const join = (plugin: Plugin) =>
  plugin.ok('NetworkDriver.Join', { NetworkID: NID, EndpointID: EID, SandboxKey: '/run/x', Options: {} });

describe('orphans', () => {
  it('an endpoint that was never joined goes after the grace, with its lease', async () => {
    const plugin = await withEndpoint();
    const { later } = watch(plugin);
    expect(await later(0)).toBe(0);
    expect(await later(GRACE_MS - 1)).toBe(0);
    expect(plugin.store.intent().endpoints.size).toBe(1);
    expect(await later(1)).toBe(1);
    expect(plugin.store.intent().endpoints.size).toBe(0);
    const leases = plugin.store.pools().flatMap(({ id }) => [...plugin.store.leases(id).keys()]);
    expect(leases).not.toContain('10.60.0.9');
  });

  it('an endpoint that is joined in the grace stays, and the grace starts anew when it leaves', async () => {
    const plugin = await withEndpoint();
    const { later } = watch(plugin);
    await later(0);
    await join(plugin);
    expect(await later(10 * GRACE_MS)).toBe(0);
    await plugin.ok('NetworkDriver.Leave', { NetworkID: NID, EndpointID: EID });
    expect(await later(GRACE_MS)).toBe(0);
    expect(await later(GRACE_MS)).toBe(1);
  });

  it('an endpoint whose sandbox ended without a Leave goes after the grace', async () => {
    const plugin = await withEndpoint();
    const { later, namespaces } = watch(plugin);
    await join(plugin);
    await later(0);
    namespaces.clear();
    expect(await later(GRACE_MS)).toBe(0);
    expect(await later(GRACE_MS)).toBe(1);
  });

  it.each([
    [false, 1],
    [true, 0],
    [null, 0],
  ])('an empty network goes only when Docker says it has none (%s)', async (answer, removed) => {
    const plugin = await withEndpoint();
    await plugin.ok('NetworkDriver.DeleteEndpoint', { NetworkID: NID, EndpointID: EID });
    const { later } = watch(plugin, () => answer);
    await later(0);
    expect(await later(GRACE_MS)).toBe(removed);
    expect(plugin.store.intent().networks.size).toBe(1 - removed);
  });

  it('a network with endpoints is not asked about', async () => {
    const plugin = await withEndpoint();
    await join(plugin);
    const { later } = watch(plugin, () => {
      throw new Error('asked');
    });
    await later(0);
    expect(await later(GRACE_MS)).toBe(0);
  });
});

describe('an address that Docker releases', () => {
  const leases = (plugin: Plugin) =>
    plugin.store.pools().flatMap(({ id }) => [...plugin.store.leases(id).keys()]);
  const release = (plugin: Plugin) =>
    plugin.ok('IpamDriver.ReleaseAddress', { PoolID: plugin.store.pools()[0]?.id, Address: '10.60.0.9' });

  it('takes the endpoint along whose sandbox has ended: Docker deleted it without us', async () => {
    const plugin = await withEndpoint();
    await join(plugin);
    plugin.goneSandboxes.add('/run/x');
    await release(plugin);
    expect(plugin.store.intent().endpoints.size).toBe(0);
    expect(leases(plugin)).not.toContain('10.60.0.9');
    expect(plugin.notified.at(-1)).toEqual({ endpoints: [EID] });
  });

  it('stays with an endpoint in a living sandbox', async () => {
    const plugin = await withEndpoint();
    await join(plugin);
    await release(plugin);
    expect(plugin.store.intent().endpoints.size).toBe(1);
    expect(leases(plugin)).toContain('10.60.0.9');
  });
});
