/** Rules that profiles are checked with: the compiler's own, and one of each kind that networks will need. */
import { compilePair, PAIR_VARIANTS, type PairPort } from '../../src/compile/pair.ts';
import type { FieldMatch, FlowAction, FlowField, FlowRule, PeditField } from '../../src/ir/flow.ts';
import { FLOW_FIELDS } from '../../src/ir/flow.ts';
import { fullMask } from '../../src/ir/flow-normal.ts';
import type { Mac, PortSlot } from '../../src/lib/brand.ts';
import { parseIp } from '../../src/lib/ip.ts';
import type { LinkKind } from '../../src/model/nic-profile.ts';

export const LINKS: Readonly<Record<string, LinkKind>> = {
  rep0: 'representor',
  rep1: 'representor',
  uplink: 'uplink',
  vxlan: 'tunnel',
};

const exact = (field: FlowField, value: string): FieldMatch => ({
  field,
  value: value.padStart(FLOW_FIELDS[field] * 2, '0'),
  mask: fullMask(field),
});

const pedit = (field: PeditField, value: string): FlowAction => ({
  kind: 'pedit',
  field,
  value,
  mask: 'f'.repeat(value.length),
});

const MAC_A = '020000000001';
const MAC_B = '020000000002';
const IP_A = '0a000001';
const IP_B = '0a000002';

function rule(
  link: string,
  match: readonly FieldMatch[],
  actions: readonly FlowAction[],
  protocol = 0x0800,
): FlowRule {
  const where = link === 'vxlan' ? 'both' : 'hw';
  return { link, chain: 0, prio: 100, protocol, handle: 1, match, actions, where };
}

const macs = [exact('eth_dst', MAC_B), exact('eth_src', MAC_A)];
const toPort: FlowAction = { kind: 'redirect', link: 'rep1' };
const toWire: FlowAction = { kind: 'redirect', link: 'uplink' };
const tunnelSet = (src: string, dst: string): FlowAction => ({
  kind: 'tunnel-set',
  vni: 7,
  src,
  dst,
  dstPort: 4789,
  tos: null,
  ttl: null,
  csum: false,
});
const outer4 = [
  exact('enc_key_id', '07'),
  exact('enc_ipv4_src', 'c0a80002'),
  exact('enc_ipv4_dst', 'c0a80001'),
  exact('enc_dst_port', '12b5'),
];
const outer6 = [
  exact('enc_key_id', '07'),
  exact('enc_ipv6_src', 'fd000000000000000000000000000002'),
  exact('enc_ipv6_dst', 'fd000000000000000000000000000001'),
  exact('enc_dst_port', '12b5'),
];
const toTunnel: FlowAction = { kind: 'redirect', link: 'vxlan' };
const setMacs = [pedit('eth_src', MAC_A), pedit('eth_dst', MAC_B)];
const tcp = exact('ip_proto', '06');

/** Name → rule, in the order of the golden table. */
export const PROFILE_RULES: Readonly<Record<string, FlowRule>> = {
  ...pairRules(),
  'plain L2 forward': rule('rep0', macs, [toPort]),
  'drop, any protocol': rule('rep0', [exact('eth_src', MAC_A)], [{ kind: 'drop' }], 0x0003),
  'ARP to the host': rule('rep0', [], [{ kind: 'trap' }], 0x0806),
  'forward TCP port': rule('rep0', [...macs, tcp, exact('dst_port', '50')], [toPort]),
  'drop ICMP echo': rule('rep0', [exact('ip_proto', '01'), exact('icmp_type', '08')], [{ kind: 'drop' }]),
  'TCP SYN only': rule('rep0', [tcp, exact('tcp_flags', '0002')], [{ kind: 'drop' }]),
  'IPv4 prefix': rule('rep0', [{ field: 'ipv4_dst', value: '0a000000', mask: 'ffffff00' }], [toPort]),
  'no fragments': rule(
    'rep0',
    [{ field: 'ip_flags', value: '00000000', mask: '00000001' }, exact('ipv4_dst', IP_B)],
    [toPort],
  ),
  'match TTL': rule('rep0', [exact('ip_ttl', '40')], [toPort]),
  'encap vxlan v4': rule('rep0', macs, [tunnelSet('192.168.0.1', '192.168.0.2'), toTunnel]),
  'encap vxlan v6': rule('rep0', macs, [tunnelSet('fd00::1', 'fd00::2'), toTunnel]),
  'encap, new MACs': rule('rep0', macs, [...setMacs, tunnelSet('192.168.0.1', '192.168.0.2'), toTunnel]),
  'decap vxlan v4': rule('vxlan', [...outer4, exact('eth_dst', MAC_B)], [{ kind: 'tunnel-unset' }, toPort]),
  'decap vxlan v6': rule('vxlan', [...outer6, exact('eth_dst', MAC_B)], [{ kind: 'tunnel-unset' }, toPort]),
  'decap, new MACs': rule(
    'vxlan',
    [...outer4, exact('ipv4_dst', IP_B)],
    [{ kind: 'tunnel-unset' }, ...setMacs, toPort],
  ),
  'vlan push': rule('rep0', macs, [{ kind: 'vlan-push', id: 5, prio: 0, tpid: 0x8100 }, toWire]),
  'vlan pop': rule(
    'uplink',
    [exact('vlan_id', '05'), exact('eth_dst', MAC_B)],
    [{ kind: 'vlan-pop' }, toPort],
    0x8100,
  ),
  'vlan rewrite': rule(
    'uplink',
    [exact('vlan_id', '05')],
    [{ kind: 'vlan-modify', id: 6, prio: 0, tpid: 0x8100 }, toPort],
    0x8100,
  ),
  'QinQ pop': rule(
    'uplink',
    [exact('vlan_id', '05'), exact('vlan_ethtype', '8100'), exact('cvlan_id', '06')],
    [{ kind: 'vlan-pop' }, { kind: 'vlan-pop' }, toPort],
    0x88a8,
  ),
  police: rule('rep0', macs, [{ kind: 'police', rateBps: 1e9, burstBytes: 65_536 }, toPort]),
  'SNAT v4 TCP': rule(
    'rep0',
    [tcp, exact('ipv4_src', IP_A)],
    [pedit('ipv4_src', IP_B), { kind: 'csum', of: ['ipv4', 'tcp'] }, toWire],
  ),
  'SNAT v4, any proto': rule(
    'rep0',
    [exact('ipv4_src', IP_A)],
    [pedit('ipv4_src', IP_B), { kind: 'csum', of: ['ipv4', 'tcp', 'udp'] }, toWire],
  ),
  'DNAT port v4 TCP': rule(
    'uplink',
    [tcp, exact('ipv4_dst', IP_A), exact('dst_port', '50')],
    [pedit('ipv4_dst', IP_B), pedit('tcp_dport', '1f90'), { kind: 'csum', of: ['ipv4', 'tcp'] }, toPort],
  ),
  'route, TTL - 1': rule(
    'rep0',
    [exact('ipv4_dst', IP_B), exact('ip_ttl', '40')],
    [...setMacs, pedit('ip_ttl', '3f'), { kind: 'csum', of: ['ipv4'] }, toPort],
  ),
  mirror: rule('rep0', macs, [{ kind: 'mirror', link: 'uplink' }, toPort]),
  'goto chain': rule('rep0', macs, [{ kind: 'goto', chain: 1 }]),
  'rule in chain 1': { ...rule('rep0', macs, [toPort]), chain: 1 },
};

function pairRules(): Record<string, FlowRule> {
  const mac = '02:00:00:00:00:ff' as Mac;
  const port = (n: number, rep: string): PairPort => ({
    slot: n as PortSlot,
    rep,
    mac: `02:00:00:00:00:0${n}` as Mac,
    ip4: parseIp(`10.0.0.${n}`),
    ip6: parseIp(`fd00::${n}`),
  });
  return Object.fromEntries(
    PAIR_VARIANTS.flatMap(variant => {
      const made = compilePair(mac, port(1, 'rep0'), port(2, 'rep1'), variant);
      return made === null ? [] : [[`pair ${variant}`, made]];
    }),
  );
}
