/** The records of native/include/eswitch_flower.h: field for field, in its order. */
import { FLOW_FIELDS, type FlowAction, type FlowField, type PeditField } from '../../ir/flow.ts';
import { FLOW_ACTIONS_MAX } from '../../ir/flow-check.ts';
import { bytes, type FieldSpec, i32, record, text, u8, u16, u32, u64 } from './layout.ts';

const NAME = 16;
const COOKIE = 16;

/** Every field of a match, in network byte order; bit i of `fields` is the i-th. */
export const FLOWER_KEY = record('esw_flower_key', {
  ...(Object.fromEntries(
    Object.entries(FLOW_FIELDS).map(([field, length]) => [field, bytes(length)]),
  ) as Record<FlowField, FieldSpec<'bytes'>>),
  pad: u8,
});

/** In the order of enum esw_flower_act_kind, which starts at 1. */
export const ACTION_KINDS: readonly FlowAction['kind'][] = [
  'redirect',
  'mirror',
  'pedit',
  'csum',
  'tunnel-set',
  'tunnel-unset',
  'vlan-push',
  'vlan-modify',
  'vlan-pop',
  'police',
  'drop',
  'pass',
  'trap',
  'goto',
];

/** In the order of enum esw_pedit_field. */
export const PEDIT_ORDER: readonly PeditField[] = [
  'eth_dst',
  'eth_src',
  'ipv4_src',
  'ipv4_dst',
  'ip_ttl',
  'ip_tos',
  'ipv6_src',
  'ipv6_dst',
  'ipv6_hoplimit',
  'tcp_sport',
  'tcp_dport',
  'udp_sport',
  'udp_dport',
];

/** TCA_CSUM_UPDATE_FLAG_*. */
export const CSUM_FLAG = { ipv4: 1, icmp: 2, tcp: 8, udp: 16, sctp: 64 } as const;

export const FLOWER_ACT = record('esw_flower_act', {
  kind: u32,
  number: u32,
  rate: u64,
  port: u16,
  vlan_id: u16,
  tpid: u16,
  vlan_prio: u8,
  family: u8,
  tos: u8,
  ttl: u8,
  csum: u8,
  pad: bytes(5),
  value: bytes(16),
  mask: bytes(16),
  link: text(NAME),
});

export const FLOWER_VERB = { put: 1, delete: 2 } as const;
export const FLOWER_OP_FLAG = { skipSw: 1, skipHw: 2, verbose: 4, echo: 8 } as const;

export const FLOWER_OP = record('esw_flower_op', {
  verb: u32,
  flags: u32,
  name: text(NAME),
  chain: u32,
  handle: u32,
  prio: u16,
  protocol: u16,
  fields: u32,
  cookie: bytes(COOKIE),
  key: bytes(FLOWER_KEY.size),
  mask: bytes(FLOWER_KEY.size),
  action_count: u32,
  pad: u32,
  actions: bytes(FLOW_ACTIONS_MAX * FLOWER_ACT.size),
});

export const FLOWER_REF = record('esw_flower_ref', {
  name: text(NAME),
  chain: u32,
  handle: u32,
  prio: u16,
  protocol: u16,
  pad: u32,
});

/** Flags of a result and of a dumped rule, beyond those of FLOW_FLAG. */
export const REC_FLAG = { inHw: 1, skipSw: 2, skipHw: 4, ours: 8, unknown: 16, dangling: 32 } as const;

export const FLOWER_RESULT = record('esw_flower_result', {
  error: i32,
  ifindex: u32,
  flags: u32,
  pad: u32,
  extack: text(120),
});

export const FLOWER_REC = record('esw_flower_rec', {
  fingerprint: u64,
  hw_packets: u64,
  hw_bytes: u64,
  sw_packets: u64,
  sw_bytes: u64,
  ifindex: u32,
  chain: u32,
  handle: u32,
  idle_ms: u32,
  in_hw_count: u32,
  prio: u16,
  protocol: u16,
  flags: u16,
  pad: u16,
  pad2: u32,
});

export const FLOWER_FULL = record('esw_flower_full', {
  rec: bytes(FLOWER_REC.size),
  name: text(NAME),
  cookie: bytes(COOKIE),
  fields: u32,
  action_count: u32,
  key: bytes(FLOWER_KEY.size),
  mask: bytes(FLOWER_KEY.size),
  actions: bytes(FLOW_ACTIONS_MAX * FLOWER_ACT.size),
});

export const FLOWER_RECORDS = [
  FLOWER_KEY,
  FLOWER_ACT,
  FLOWER_OP,
  FLOWER_REF,
  FLOWER_RESULT,
  FLOWER_REC,
  FLOWER_FULL,
] as const;
