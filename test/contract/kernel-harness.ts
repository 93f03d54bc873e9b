/** What the contract suite of KernelPort needs from a kernel under test, the real one or a model. */

import { compile } from '../../src/compile/compile.ts';
import type { CompileContext } from '../../src/compile/context.ts';
import { gatewayNames, portNames } from '../../src/ir/names.ts';
import type { Key, Resource } from '../../src/ir/resource.ts';
import type { KernelPort } from '../../src/kernel/port.ts';
import type { Cidr, EndpointId, Ip, Mac, NetSlot, NetworkId, PortSlot } from '../../src/lib/brand.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import type { Network } from '../../src/model/network.ts';

/** One kernel, private to one test: nothing of the instance exists in it at first. */
export interface KernelHarness {
  readonly kernel: KernelPort;
  /** Identity, and the digests that this kernel's dump shows for current programs and rules. */
  readonly context: CompileContext;
  /** A new KernelPort on the same kernel, as after a restart of the daemon. The old one is closed. */
  reopen(): Promise<KernelPort>;
  deleteLink(name: string): Promise<void>;
  setLink(name: string, change: { mtu?: number; mac?: Mac; up?: boolean }): Promise<void>;
  /** A link of somebody else in the host namespace. */
  addForeignLink(name: string): Promise<void>;
  linkExists(name: string): Promise<boolean>;
  /** A fresh namespace; returns its path. */
  makeSandbox(): Promise<string>;
  destroySandbox(path: string): Promise<void>;
  /** What Docker does after Join: moves `fn` in, renames it, raises it. */
  moveToSandbox(fn: string, path: string, ifname: string): Promise<void>;
  returnFromSandbox(path: string, ifname: string, fn: string): Promise<void>;
  /** Deletes the instance's whole nftables table. */
  deleteTable(): Promise<void>;
  flushElements(set: string): Promise<void>;
  /** Removes every pin of the instance; attachments they held go too. */
  removePins(): Promise<void>;
  removeAddress(link: string, cidr: Cidr): Promise<void>;
  setSysctl(path: string, value: string): Promise<void>;
  detachHook(link: string): Promise<void>;
  removeForwardRules(): Promise<void>;
  /** Removes everything; runs even when the test failed. */
  cleanup(): Promise<void>;
}

const id = (letter: string): string => letter.repeat(64);

export const NETWORK: Network = {
  id: id('a') as NetworkId,
  type: 'bridge',
  slot: 1 as NetSlot,
  gatewaySlot: 0 as PortSlot,
  switchMac: '02:00:00:00:01:01' as Mac,
  gatewayMac: '02:00:00:00:01:02' as Mac,
  datapath: 'auto',
  require: 'any',
  internal: false,
  nat: true,
  mtu: 1500,
  hostBinding: null,
  subnets: [
    { pool: '10.211.7.0/24' as Cidr, gateway: '10.211.7.1' as Ip },
    { pool: 'fd00:211:7::/64' as Cidr, gateway: 'fd00:211:7::1' as Ip },
  ],
  options: {},
};

/** Endpoint number `n` (1..9) of NETWORK. */
export function endpoint(n: number): Endpoint {
  return {
    id: id(String(n)) as EndpointId,
    networkId: NETWORK.id,
    slot: n as PortSlot,
    mac: `02:00:00:00:02:0${n}` as Mac,
    ip4: `10.211.7.${n + 1}/24` as Cidr,
    ip6: `fd00:211:7::${n + 1}/64` as Cidr,
    bindings: [{ proto: 'tcp', containerPort: 80, hostIp: null, hostPort: 42000 + n }],
    published: true,
    vf: null,
    fallback: null,
    sandbox: null,
    ifnamePrefix: 'eth',
    options: {},
  };
}

export interface Example {
  readonly all: ReadonlyMap<Key, Resource>;
  readonly gateway: { readonly rep: string; readonly fn: string };
  readonly ports: readonly { readonly rep: string; readonly fn: string }[];
}

/** NETWORK with `count` endpoints, compiled for this kernel. */
export function example(context: CompileContext, count = 2, change: Partial<Network> = {}): Example {
  return exampleOf(
    context,
    Array.from({ length: count }, (_, i) => endpoint(i + 1)),
    change,
  );
}

export function exampleOf(
  context: CompileContext,
  endpoints: readonly Endpoint[],
  change: Partial<Network> = {},
): Example {
  const network = { ...NETWORK, ...change };
  const intent = {
    networks: new Map([[NETWORK.id as string, network]]),
    endpoints: new Map(endpoints.map(each => [each.id as string, each])),
  };
  return {
    all: compile(context, intent),
    gateway: gatewayNames(context.identity, NETWORK.id),
    ports: endpoints.map(each => portNames(context.identity, each.id)),
  };
}
