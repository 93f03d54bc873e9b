/** Networks with containers on the real kernel, built from intent as the daemon builds them. */
import { compile } from '../../src/compile/compile.ts';
import { gatewayNames, portNames } from '../../src/ir/names.ts';
import { type Key, KIND_ORDER, type Resource } from '../../src/ir/resource.ts';
import type { Op } from '../../src/kernel/port.ts';
import type { Cidr, EndpointId, Ip, Mac, NetSlot, NetworkId, PortSlot } from '../../src/lib/brand.ts';
import type { Endpoint, PortBinding } from '../../src/model/endpoint.ts';
import type { Network } from '../../src/model/network.ts';
import type { Netns } from '../lab/netns.ts';
import type { KernelLab } from './kernel-lab.ts';

export interface Container {
  readonly endpoint: Endpoint;
  readonly network: Network;
  readonly ns: Netns;
  readonly rep: string;
  readonly ip4: string;
  readonly ip6: string;
}

const hex = (n: number): string => n.toString(16).padStart(2, '0');

/** Network number `n` (1..9): 10.77.n.0/24 and fd00:77:n::/64. */
export function makeNetwork(n: number, change: Partial<Network> = {}): Network {
  return {
    id: `${n}`.repeat(64) as NetworkId,
    type: 'bridge',
    slot: n as NetSlot,
    gatewaySlot: (n * 100) as PortSlot,
    switchMac: `02:00:00:77:${hex(n)}:01` as Mac,
    gatewayMac: `02:00:00:77:${hex(n)}:02` as Mac,
    datapath: 'auto',
    require: 'any',
    internal: false,
    nat: true,
    mtu: 1500,
    hostBinding: null,
    subnets: [
      { pool: `10.77.${n}.0/24` as Cidr, gateway: `10.77.${n}.1` as Ip },
      { pool: `fd00:77:${n}::/64` as Cidr, gateway: `fd00:77:${n}::1` as Ip },
    ],
    options: {},
    ...change,
  };
}

/** Endpoint number `i` (1..99) of a network, in a sandbox of its own. */
export function makeEndpoint(
  network: Network,
  i: number,
  netns: string | null,
  bindings: readonly PortBinding[] = [],
): Endpoint {
  const n = network.slot;
  return {
    id: `${n}${hex(i)}`.padEnd(64, 'e') as EndpointId,
    networkId: network.id,
    slot: (n * 100 + i) as PortSlot,
    vf: null,
    fallback: null,
    mac: `02:42:00:77:${hex(n)}:${hex(i)}` as Mac,
    ip4: `10.77.${n}.${i + 1}/24` as Cidr,
    ip6: `fd00:77:${n}::${(i + 1).toString(16)}/64` as Cidr,
    bindings,
    published: true,
    sandbox: netns === null ? null : { key: netns, ifname: 'eth0' },
    ifnamePrefix: 'eth',
    options: {},
  };
}

/** The desired state of networks and containers, and the steps to it. */
export class World {
  readonly #lab: KernelLab;
  readonly networks = new Map<string, Network>();
  readonly endpoints = new Map<string, Endpoint>();

  constructor(lab: KernelLab) {
    this.#lab = lab;
  }

  network(n: number, change: Partial<Network> = {}): Network {
    const network = makeNetwork(n, change);
    this.networks.set(network.id, network);
    return network;
  }

  async container(network: Network, i: number, bindings: readonly PortBinding[] = []): Promise<Container> {
    const path = await this.#lab.makeSandbox();
    const endpoint = makeEndpoint(network, i, path, bindings);
    this.endpoints.set(endpoint.id, endpoint);
    return {
      endpoint,
      network,
      ns: this.#lab.sandbox(path),
      rep: portNames(this.#lab.context.identity, endpoint.id).rep,
      ip4: (endpoint.ip4 ?? '').split('/')[0] ?? '',
      ip6: (endpoint.ip6 ?? '').split('/')[0] ?? '',
    };
  }

  gateway(network: Network): { readonly rep: string; readonly fn: string } {
    return gatewayNames(this.#lab.context.identity, network.id);
  }

  desired(): Map<Key, Resource> {
    return compile(this.#lab.context, { networks: this.networks, endpoints: this.endpoints });
  }

  /** Creates (or puts right) everything; returns what was refused. */
  async build(): Promise<string[]> {
    return this.apply(creates(this.desired().values()));
  }

  async apply(ops: readonly Op[]): Promise<string[]> {
    const results = await this.#lab.kernel.apply(ops);
    return results.flatMap((result, at) => {
      const op = ops[at];
      const what = op === undefined || op.verb === 'swap-fib' ? 'swap-fib' : op.resource.key;
      return result.errno === 0 ? [] : [`${what}: ${result.errno} ${result.extack}`];
    });
  }
}

export function creates(resources: Iterable<Resource>): Op[] {
  return [...resources]
    .sort((a, b) => KIND_ORDER[a.kind] - KIND_ORDER[b.kind])
    .map(resource => ({ verb: 'create', resource }));
}

export function deletes(resources: Iterable<Resource>): Op[] {
  return [...resources]
    .sort((a, b) => KIND_ORDER[b.kind] - KIND_ORDER[a.kind])
    .map(resource => ({ verb: 'delete', resource }));
}
