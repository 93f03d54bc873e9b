/** Names of src/ir/flow.ts as values; the compiler holds the two together. */
import type { ActionKind, FlowAction, PeditField } from '../ir/flow.ts';

type Csum = Extract<FlowAction, { kind: 'csum' }>['of'][number];

const names = <T extends string>(all: Readonly<Record<T, true>>): readonly T[] => Object.keys(all) as T[];

export const ACTION_KINDS = names<ActionKind>({
  redirect: true,
  mirror: true,
  pedit: true,
  csum: true,
  'tunnel-set': true,
  'tunnel-unset': true,
  'vlan-push': true,
  'vlan-modify': true,
  'vlan-pop': true,
  police: true,
  drop: true,
  pass: true,
  trap: true,
  goto: true,
});

export const PEDIT_FIELDS = names<PeditField>({
  eth_dst: true,
  eth_src: true,
  ipv4_src: true,
  ipv4_dst: true,
  ip_ttl: true,
  ip_tos: true,
  ipv6_src: true,
  ipv6_dst: true,
  ipv6_hoplimit: true,
  tcp_sport: true,
  tcp_dport: true,
  udp_sport: true,
  udp_dport: true,
});

export const CSUM_PROTOCOLS = names<Csum>({ ipv4: true, icmp: true, tcp: true, udp: true, sctp: true });
