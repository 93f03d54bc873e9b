/**
 * A flow rule: one tc-flower filter, as (value, mask) pairs and actions. Made on demand: tables of many
 * rules are kept as typed arrays, never as arrays of these.
 */

/** Field → length in bytes. Names follow tc-flower(8); values are in network byte order. */
export const FLOW_FIELDS = {
  eth_dst: 6,
  eth_src: 6,
  vlan_id: 2,
  vlan_prio: 1,
  vlan_ethtype: 2,
  cvlan_id: 2,
  cvlan_prio: 1,
  cvlan_ethtype: 2,
  ip_proto: 1,
  ip_tos: 1,
  ip_ttl: 1,
  /** TCA_FLOWER_KEY_FLAGS_* (fragment bits). */
  ip_flags: 4,
  ipv4_src: 4,
  ipv4_dst: 4,
  ipv6_src: 16,
  ipv6_dst: 16,
  /** TCP, UDP or SCTP, by ip_proto. */
  src_port: 2,
  dst_port: 2,
  tcp_flags: 2,
  icmp_type: 1,
  icmp_code: 1,
  enc_key_id: 4,
  enc_ipv4_src: 4,
  enc_ipv4_dst: 4,
  enc_ipv6_src: 16,
  enc_ipv6_dst: 16,
  enc_src_port: 2,
  enc_dst_port: 2,
  enc_ip_tos: 1,
  enc_ip_ttl: 1,
} as const;

export type FlowField = keyof typeof FLOW_FIELDS;

/** Bits of a packet that must agree with `value` wherever `mask` has a one. Lower-case hex, full length. */
export interface FieldMatch {
  readonly field: FlowField;
  readonly value: string;
  readonly mask: string;
}

/** Header fields that pedit rewrites (extended keys of TCA_PEDIT_KEY_EX). */
export type PeditField =
  | 'eth_dst'
  | 'eth_src'
  | 'ipv4_src'
  | 'ipv4_dst'
  | 'ip_ttl'
  | 'ip_tos'
  | 'ipv6_src'
  | 'ipv6_dst'
  | 'ipv6_hoplimit'
  | 'tcp_sport'
  | 'tcp_dport'
  | 'udp_sport'
  | 'udp_dport';

export type FlowAction =
  /** Ends the packet's way here: out of another link. */
  | { readonly kind: 'redirect'; readonly link: string }
  /** A copy out of another link; the packet goes on. */
  | { readonly kind: 'mirror'; readonly link: string }
  /** Hex, as long as the field. */
  | { readonly kind: 'pedit'; readonly field: PeditField; readonly value: string; readonly mask: string }
  | { readonly kind: 'csum'; readonly of: readonly ('ipv4' | 'icmp' | 'tcp' | 'udp' | 'sctp')[] }
  | {
      readonly kind: 'tunnel-set';
      readonly vni: number;
      /** Canonical addresses of one family. */
      readonly src: string;
      readonly dst: string;
      readonly dstPort: number;
      /** null = the kernel's default. */
      readonly tos: number | null;
      readonly ttl: number | null;
      readonly csum: boolean;
    }
  | { readonly kind: 'tunnel-unset' }
  | { readonly kind: 'vlan-push'; readonly id: number; readonly prio: number; readonly tpid: 0x8100 | 0x88a8 }
  | {
      readonly kind: 'vlan-modify';
      readonly id: number;
      readonly prio: number;
      readonly tpid: 0x8100 | 0x88a8;
    }
  | { readonly kind: 'vlan-pop' }
  /** Bits per second and bytes; exceeding packets are dropped. */
  | { readonly kind: 'police'; readonly rateBps: number; readonly burstBytes: number }
  | { readonly kind: 'drop' }
  | { readonly kind: 'pass' }
  /** To the representor, as a miss. */
  | { readonly kind: 'trap' }
  | { readonly kind: 'goto'; readonly chain: number };

export type ActionKind = FlowAction['kind'];

/** Where a rule lives: the kernel's own identity of a filter. */
export interface FlowRef {
  /** Name of the link on whose ingress it is. */
  readonly link: string;
  readonly chain: number;
  /** 1..65535; one protocol per prio. */
  readonly prio: number;
  /** ETH_P_*: 0x0800, 0x86dd, 0x0806, 0x8100, 0x0003 (all). */
  readonly protocol: number;
  /** Chosen by us, never by the kernel: 1..2^32-1, unique per (link, chain, prio). */
  readonly handle: number;
}

export interface FlowRule extends FlowRef {
  readonly match: readonly FieldMatch[];
  readonly actions: readonly FlowAction[];
  /** `hw`: skip_sw. `both`: software as well (vxlan devices take nothing else). `sw`: skip_hw. */
  readonly where: 'hw' | 'both' | 'sw';
}

/** What a rule asks of a NIC, apart from its values: rules of one shape are refused alike. */
export function flowShape({ protocol, match, actions }: FlowRule): string {
  const fields = match.map(({ field }) => field).sort();
  const kinds = actions.map(action => (action.kind === 'pedit' ? `pedit:${action.field}` : action.kind));
  return `${protocol.toString(16).padStart(4, '0')} ${fields.join(',')} -> ${kinds.join(',')}`;
}
