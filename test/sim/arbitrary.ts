/** Generated intents, packets and damage for the laws. */
import fc from 'fast-check';
import { gatewayNames, portNames } from '../../src/ir/names.ts';
import type { Packet } from '../../src/ir/packet.ts';
import type { Outside } from '../../src/kernel/sim/outside.ts';
import type { SimState } from '../../src/kernel/sim/state.ts';
import type { Cidr, EndpointId, Ip, Mac, NetSlot, NetworkId, PortSlot } from '../../src/lib/brand.ts';
import { cidrAddress, linkLocalOf } from '../../src/lib/ip.ts';
import { stableMac } from '../../src/lib/mac.ts';
import type { Endpoint, PortBinding } from '../../src/model/endpoint.ts';
import type { Intent } from '../../src/model/intent.ts';
import type { Network } from '../../src/model/network.ts';
import { CONTEXT } from './sim-harness.ts';

const { identity } = CONTEXT;
const hex = (n: number): string => n.toString(16).padStart(64, '0');
const GATEWAY_SLOT_BASE = 1000;

/** Network number `n` (1..9); its subnets and slots follow from `n`. */
export function network(n: number, change: Partial<Network> = {}): Network {
  return {
    id: hex(0xa0 + n) as NetworkId,
    type: 'bridge',
    slot: n as NetSlot,
    gatewaySlot: (GATEWAY_SLOT_BASE + n) as PortSlot,
    switchMac: stableMac(`switch ${n}`),
    gatewayMac: stableMac(`gateway ${n}`),
    datapath: 'auto',
    require: 'any',
    internal: false,
    nat: true,
    mtu: 1500,
    hostBinding: null,
    subnets: [
      { pool: `10.${n}.0.0/16` as Cidr, gateway: `10.${n}.0.1` as Ip },
      { pool: `fd00:${n}::/64` as Cidr, gateway: `fd00:${n}::1` as Ip },
    ],
    options: {},
    ...change,
  };
}

/** Endpoint number `n` (0..60000) of network `net`; slot and addresses follow from `n`. */
export function endpoint(net: Network, n: number, change: Partial<Endpoint> = {}): Endpoint {
  const host = n + 2;
  return {
    id: hex(0x1000000 * net.slot + n) as EndpointId,
    networkId: net.id,
    slot: n as PortSlot,
    mac: stableMac(`endpoint ${net.slot} ${n}`),
    ip4: `10.${net.slot}.${host >> 8}.${host & 255}/16` as Cidr,
    ip6: `fd00:${net.slot}::${host.toString(16)}/64` as Cidr,
    bindings: [],
    published: false,
    vf: null,
    fallback: null,
    sandbox: null,
    ifnamePrefix: 'eth',
    options: {},
    ...change,
  };
}

export function intentOf(networks: readonly Network[], endpoints: readonly Endpoint[]): Intent {
  return {
    networks: new Map(networks.map(each => [each.id, each])),
    endpoints: new Map(endpoints.map(each => [each.id, each])),
  };
}

const networkChange = fc.record({
  internal: fc.boolean(),
  nat: fc.boolean(),
  mtu: fc.constantFrom(1280, 1500, 9000),
});
const endpointShape = fc.record({
  net: fc.nat(2),
  n: fc.nat(40),
  has4: fc.boolean(),
  published: fc.boolean(),
  ports: fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 3 }),
});

/** Up to three networks with up to twelve endpoints; unique in what the store keeps unique. */
export const intents: fc.Arbitrary<Intent> = fc
  .tuple(
    fc.array(networkChange, { maxLength: 3 }),
    fc.uniqueArray(endpointShape, { maxLength: 12, selector: shape => shape.n }),
  )
  .map(([changes, shapes]) => {
    const networks = changes.map((change, i) => network(i + 1, change));
    const endpoints = shapes.flatMap(({ net, n, has4, published, ports }) => {
      const home = networks[net];
      if (home === undefined) return [];
      // Host ports are unique because endpoint numbers are.
      const bindings: PortBinding[] = ports.map(port => {
        return { proto: 'tcp', containerPort: port, hostIp: null, hostPort: 1000 + 50 * n + port };
      });
      return [endpoint(home, n, { published, bindings, ...(has4 ? {} : { ip4: null }) })];
    });
    return intentOf(networks, endpoints);
  });

const OUTSIDE_IPS = ['192.0.2.7', '2001:db8::7', '127.0.0.1', '224.0.0.5', 'fe80::1'] as Ip[];

/** Packets that meet an intent's ports with its own, its neighbours' and strange addresses. */
export function packets(intent: Intent): fc.Arbitrary<Packet> {
  const links: string[] = ['ewr0000000000'];
  const macs: Mac[] = ['02:aa:aa:aa:aa:aa', 'ff:ff:ff:ff:ff:ff'] as Mac[];
  const ips: Ip[] = [...OUTSIDE_IPS];
  for (const each of intent.networks.values()) {
    links.push(gatewayNames(identity, each.id).rep);
    macs.push(each.gatewayMac, each.switchMac);
    ips.push(...each.subnets.flatMap(subnet => subnet.gateway ?? []), linkLocalOf(each.gatewayMac));
  }
  for (const each of intent.endpoints.values()) {
    links.push(portNames(identity, each.id).rep);
    macs.push(each.mac);
    ips.push(...[each.ip4, each.ip6].flatMap(cidr => cidr && cidrAddress(cidr)).filter(ip => ip !== null));
    ips.push(linkLocalOf(each.mac));
  }
  const link = fc.constantFrom(...links);
  const mac = fc.constantFrom(...macs);
  const ip = fc.constantFrom(...ips);
  const payload = fc.oneof(
    { weight: 6, arbitrary: fc.record({ type: fc.constant('ip' as const), src: ip, dst: ip }) },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('resolve' as const), senderMac: mac, sender: ip, target: ip }),
    },
    { weight: 1, arbitrary: fc.constant({ type: 'other' as const }) },
  );
  return fc.record({ link, srcMac: mac, dstMac: mac, tagged: fc.boolean(), payload });
}

/** One thing that others may do to the kernel; `pick` chooses among what is there. */
export type Damage = (outside: Outside, state: SimState) => void;

const DAMAGES: readonly ((pick: number) => Damage)[] = [
  pick => (outside, state) => {
    const names = [...state.hostNames.keys()].filter(name => name.startsWith('ew'));
    outside.deleteLink(names[pick % Math.max(1, names.length)] ?? '');
  },
  pick => (outside, state) => {
    const names = [...state.hostNames.keys()].filter(name => /^ew[rhg]/.test(name));
    const name = names[pick % Math.max(1, names.length)];
    if (name !== undefined) outside.setLink(name, pick % 2 === 0 ? { mtu: 1000 } : { up: false });
  },
  pick => (outside, state) => {
    const names = [...state.hostNames.keys()].filter(name => /^ew[rh]/.test(name));
    const name = names[pick % Math.max(1, names.length)];
    if (name !== undefined) outside.detachHook(name);
  },
  () => outside => outside.deleteTable(),
  pick => outside => outside.flushElements(['gateways', 'masq4', 'pub4any', 'internal'][pick % 4] ?? ''),
  () => outside => outside.removePins(),
  pick => outside => outside.clearMap((['ports', 'nets', 'subnets', 'fib'] as const)[pick % 4] ?? 'fib'),
  () => outside => outside.setSysctl('net/ipv4/ip_forward', '0'),
  () => outside => outside.removeForwardRules(),
  pick => outside => outside.addElement('gateways', `"ewg00000000${String(pick % 90).padStart(2, '0')}"`),
];

export const damages: fc.Arbitrary<Damage[]> = fc.array(
  fc.tuple(fc.constantFrom(...DAMAGES), fc.nat(1000)).map(([make, pick]) => make(pick)),
  { minLength: 1, maxLength: 6 },
);
