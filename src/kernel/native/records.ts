/** The records of native/include/eswitch.h: field for field, in its order. */

import { FLOWER_RECORDS } from './flower-records.ts';
import { bytes, type Fields, i32, type RecordLayout, record, text, u8, u16, u32 } from './layout.ts';
import { NIC_RECORDS } from './nic-records.ts';

export const ABI_VERSION = 3;
export const BATCH_MAGIC = 0x42575345;
export const BATCH_MAX = 65536;
/** Our rtm_protocol, ifa_proto and ndm protocol value. */
export const PROTO_MARK = 0xe5;

const NAME = 16;
const ALTNAME = 64;
const PATH = 160;

export const BATCH_HDR = record('esw_batch_hdr', {
  magic: u32,
  version: u16,
  record_size: u16,
  length: u32,
  count: u32,
});

export const RESULT = record('esw_result', { error: i32, ifindex: u32, extack: text(120) });

export const LINK_VERB = { veth: 1, delete: 2, set: 3, macvlan: 4, vlan: 5, unmark: 6 } as const;
export const LINK_SET = {
  mtu: 1 << 0,
  mac: 1 << 1,
  up: 1 << 2,
  name: 1 << 3,
  netns: 1 << 4,
  altname: 1 << 5,
  noaddrgen: 1 << 6,
} as const;

export const LINK_OP = record('esw_link_op', {
  verb: u32,
  set: u32,
  netns: text(PATH),
  name: text(NAME),
  new_name: text(NAME),
  to_netns: text(PATH),
  altname: text(ALTNAME),
  mac: bytes(6),
  up: u8,
  peer_up: u8,
  mtu: u32,
  peer_name: text(NAME),
  peer_altname: text(ALTNAME),
  peer_mac: bytes(6),
  noaddrgen: u8,
  pad: bytes(3),
  vlan_id: u16,
  txqueues: u32,
});

export const LINK_REC = record('esw_link_rec', {
  ifindex: u32,
  peer_ifindex: u32,
  peer_netnsid: i32,
  flags: u32,
  mtu: u32,
  mac: bytes(6),
  operstate: u8,
  pad: u8,
  name: text(NAME),
  kind: text(NAME),
  altname: text(ALTNAME),
  vlan_id: u16,
  pad2: u16,
});

/** `verb` of address, route and neighbour records. */
export const ADD = 1;
export const DELETE = 2;

export const ADDR_OP = record('esw_addr_op', {
  verb: u32,
  netns: text(PATH),
  name: text(NAME),
  family: u8,
  prefixlen: u8,
  nodad: u8,
  pad: u8,
  addr: bytes(16),
});

export const ADDR_REC = record('esw_addr_rec', {
  ifindex: u32,
  family: u8,
  prefixlen: u8,
  scope: u8,
  proto: u8,
  flags: u32,
  addr: bytes(16),
});

export const ROUTE_OP = record('esw_route_op', {
  verb: u32,
  netns: text(PATH),
  oif: text(NAME),
  family: u8,
  prefixlen: u8,
  has_gateway: u8,
  protocol: u8,
  table: u32,
  metric: u32,
  dst: bytes(16),
  gateway: bytes(16),
  scope_link: u8,
  type: u8,
  pad: bytes(2),
});

export const ROUTE_REC = record('esw_route_rec', {
  oif: u32,
  table: u32,
  metric: u32,
  family: u8,
  prefixlen: u8,
  protocol: u8,
  has_gateway: u8,
  dst: bytes(16),
  gateway: bytes(16),
});

export const NEIGH_OP = record('esw_neigh_op', {
  verb: u32,
  netns: text(PATH),
  name: text(NAME),
  family: u8,
  permanent: u8,
  mac: bytes(6),
  addr: bytes(16),
});

export const NEIGH_REC = record('esw_neigh_rec', {
  ifindex: u32,
  state: u16,
  family: u8,
  protocol: u8,
  mac: bytes(6),
  pad: bytes(2),
  addr: bytes(16),
});

export const EVENT_GROUP = { link: 1, addr: 2, route: 4 } as const;

export const EVENT = record('esw_event', {
  kind: u16,
  family: u16,
  ifindex: u32,
  flags: u32,
  name: text(NAME),
  pad: u32,
});

export const HOOK_VERB = { attach: 1, detach: 2 } as const;
export const HOOK_MODE = { auto: 0, tcx: 1, clsact: 2 } as const;

export const HOOK_OP = record('esw_hook_op', {
  verb: u32,
  mode: u32,
  egress: u32,
  name: text(NAME),
  program: text(NAME * 4),
  dir: text(PATH),
});

export const HOOK_REC = record('esw_hook_rec', {
  ifindex: u32,
  prog_id: u32,
  egress: u8,
  mode: u8,
  foreign_before: u8,
  ours: u8,
  pad: u32,
});

/** What the self-check compares. */
export const ABI_RECORDS: readonly RecordLayout<Fields>[] = [
  BATCH_HDR,
  RESULT,
  LINK_OP,
  LINK_REC,
  ADDR_OP,
  ADDR_REC,
  ROUTE_OP,
  ROUTE_REC,
  NEIGH_OP,
  NEIGH_REC,
  EVENT,
  HOOK_OP,
  HOOK_REC,
  ...(FLOWER_RECORDS as unknown as readonly unknown[]),
  ...(NIC_RECORDS as unknown as readonly unknown[]),
] as unknown as readonly RecordLayout<Fields>[];
