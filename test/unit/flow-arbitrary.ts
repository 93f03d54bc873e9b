/** Random flow rules that nothing is wrong with. */
import fc from 'fast-check';
import {
  type FieldMatch,
  FLOW_FIELDS,
  type FlowAction,
  type FlowField,
  type FlowRule,
} from '../../src/ir/flow.ts';
import { PEDIT_FIELDS } from '../../src/ir/flow-normal.ts';

const hex = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(b => Buffer.from(b).toString('hex'));

const masked = (field: FlowField): fc.Arbitrary<FieldMatch> =>
  fc.record({
    field: fc.constant(field),
    value: hex(FLOW_FIELDS[field]),
    mask: fc.oneof(fc.constant('ff'.repeat(FLOW_FIELDS[field])), hex(FLOW_FIELDS[field])),
  });
const exact = (field: FlowField, value: fc.Arbitrary<string>): fc.Arbitrary<FieldMatch> =>
  value.map(v => ({ field, value: v, mask: 'ff'.repeat(FLOW_FIELDS[field]) }));
const anyExact = (field: FlowField): fc.Arbitrary<FieldMatch> => exact(field, hex(FLOW_FIELDS[field]));

/** Some of these, in any order. */
const some = (...fields: fc.Arbitrary<FieldMatch>[]): fc.Arbitrary<readonly FieldMatch[]> =>
  fc
    .shuffledSubarray(fields)
    .chain(
      (chosen): fc.Arbitrary<readonly FieldMatch[]> =>
        chosen.length === 0 ? fc.constant([]) : fc.tuple(...chosen),
    );

const join = (...parts: fc.Arbitrary<readonly FieldMatch[]>[]): fc.Arbitrary<readonly FieldMatch[]> =>
  fc.tuple(...parts).map(lists => lists.flat());

const ethernet = some(masked('eth_dst'), masked('eth_src'));
const tunnel = join(
  some(
    anyExact('enc_key_id'),
    masked('enc_src_port'),
    masked('enc_dst_port'),
    masked('enc_ip_tos'),
    masked('enc_ip_ttl'),
  ),
  fc.oneof(
    some(masked('enc_ipv4_src'), masked('enc_ipv4_dst')),
    some(masked('enc_ipv6_src'), masked('enc_ipv6_dst')),
  ),
);
const ports = some(masked('src_port'), masked('dst_port'));
const fixed = (field: FlowField, value: string): fc.Arbitrary<readonly FieldMatch[]> =>
  exact(field, fc.constant(value)).map(entry => [entry]);
const transport = (icmp: string): fc.Arbitrary<readonly FieldMatch[]> =>
  fc.oneof(
    fc.constant([]),
    join(fixed('ip_proto', '06'), ports, some(masked('tcp_flags'))),
    join(fixed('ip_proto', '11'), ports),
    join(fixed('ip_proto', '84'), ports),
    join(fixed('ip_proto', icmp), some(masked('icmp_type'), masked('icmp_code'))),
  );
const header = some(masked('ip_tos'), masked('ip_ttl'));
const ip4 = join(some(masked('ipv4_src'), masked('ipv4_dst')), header, transport('01'));
const ip6 = join(some(masked('ipv6_src'), masked('ipv6_dst')), header, transport('3a'));
const tag = (name: 'vlan' | 'cvlan'): fc.Arbitrary<readonly FieldMatch[]> =>
  some(anyExact(`${name}_id`), anyExact(`${name}_prio`));

interface Matched {
  readonly protocol: number;
  readonly match: readonly FieldMatch[];
}
const matched = (protocol: number, match: fc.Arbitrary<readonly FieldMatch[]>): fc.Arbitrary<Matched> =>
  join(ethernet, tunnel, match).map(list => ({ protocol, match: list }));

const matches: fc.Arbitrary<Matched> = fc.oneof(
  matched(0x0003, fc.constant([])),
  matched(0x0806, fc.constant([])),
  matched(0x0800, ip4),
  matched(0x86dd, ip6),
  matched(0x8100, tag('vlan')),
  matched(0x8100, join(tag('vlan'), fixed('vlan_ethtype', '0800'), ip4)),
  matched(
    0x88a8,
    join(tag('vlan'), fixed('vlan_ethtype', '8100'), tag('cvlan'), fixed('cvlan_ethtype', '86dd'), ip6),
  ),
);

const link = fc.stringMatching(/^[a-z][a-z0-9]{0,14}$/);
const pedit: fc.Arbitrary<FlowAction> = fc
  .constantFrom(...(Object.keys(PEDIT_FIELDS) as (keyof typeof PEDIT_FIELDS)[]))
  .chain(field =>
    fc.record({
      kind: fc.constant('pedit' as const),
      field: fc.constant(field),
      value: hex(PEDIT_FIELDS[field]),
      mask: fc.constantFrom('ff'.repeat(PEDIT_FIELDS[field]), `${'00'.repeat(PEDIT_FIELDS[field] - 1)}0f`),
    }),
  );
const address = {
  v4: fc.ipV4(),
  v6: hex(2).map(
    h => `2001:db8::${Number.parseInt(`1${h}`, 16).toString(16).slice(-4).replace(/^0+/, '') || '1'}`,
  ),
};
const byteOrNull: fc.Arbitrary<number | null> = fc.option(fc.integer({ min: 0, max: 0xff }), { nil: null });
const tunnelSet = (ip: fc.Arbitrary<string>): fc.Arbitrary<FlowAction> =>
  fc.record({
    kind: fc.constant('tunnel-set' as const),
    vni: fc.integer({ min: 0, max: 0xff_ffff }),
    src: ip,
    dst: ip,
    dstPort: fc.integer({ min: 1, max: 0xffff }),
    tos: byteOrNull,
    ttl: byteOrNull,
    csum: fc.boolean(),
  });
const vlan = <K extends 'vlan-push' | 'vlan-modify'>(kind: K): fc.Arbitrary<FlowAction> =>
  fc.record({
    kind: fc.constant(kind),
    id: fc.integer({ min: 0, max: 0xffe }),
    prio: fc.integer({ min: 0, max: 7 }),
    tpid: fc.constantFrom(0x8100 as const, 0x88a8 as const),
  }) as fc.Arbitrary<FlowAction>;

/** Actions after which a packet goes on. */
const passing: fc.Arbitrary<FlowAction> = fc.oneof(
  link.map(name => ({ kind: 'mirror' as const, link: name })),
  pedit,
  fc
    .subarray(['ipv4', 'icmp', 'tcp', 'udp', 'sctp'] as const, { minLength: 1 })
    .map(of => ({ kind: 'csum' as const, of })),
  tunnelSet(address.v4),
  tunnelSet(address.v6),
  fc.constant({ kind: 'tunnel-unset' as const }),
  vlan('vlan-push'),
  vlan('vlan-modify'),
  fc.constant({ kind: 'vlan-pop' as const }),
  fc.record({
    kind: fc.constant('police' as const),
    rateBps: fc.integer({ min: 1, max: 10_000_000 }).map(kbit => kbit * 1000),
    burstBytes: fc.integer({ min: 1500, max: 1 << 20 }),
  }),
);
const final: fc.Arbitrary<FlowAction> = fc.oneof(
  link.map(name => ({ kind: 'redirect' as const, link: name })),
  fc.constantFrom({ kind: 'drop' as const }, { kind: 'pass' as const }, { kind: 'trap' as const }),
  fc.integer({ min: 0, max: 0x0fff_ffff }).map(chain => ({ kind: 'goto' as const, chain })),
);

export const flowRules: fc.Arbitrary<FlowRule> = fc
  .record({
    link,
    chain: fc.integer({ min: 0, max: 0x0fff_ffff }),
    prio: fc.integer({ min: 1, max: 0xffff }),
    handle: fc.integer({ min: 1, max: 0xffff_ffff }),
    matched: matches,
    actions: fc.tuple(fc.array(passing, { maxLength: 6 }), final).map(([list, last]) => [...list, last]),
    where: fc.constantFrom('hw' as const, 'both' as const, 'sw' as const),
  })
  .map(({ matched: { protocol, match }, ...rest }) => ({ ...rest, protocol, match }));
