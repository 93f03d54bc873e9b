/** The records of native/include/eswitch_nic.h: field for field, in its order. */
import { bytes, type Fields, i32, type RecordLayout, record, text, u8, u16, u32, u64 } from './layout.ts';

const NAME = 16;
const BUS = 32;
const DEV = 64;
const LABEL = 64;
const VALUE = 128;

const handle = { bus: text(BUS), dev: text(DEV) };

export const DEVLINK_HAS = { mode: 1, inline: 2, encap: 4 } as const;

export const DEVLINK_REC = record('esw_devlink_rec', {
  ...handle,
  error: i32,
  has: u8,
  mode: u8,
  inline_mode: u8,
  encap: u8,
  reload_failed: u8,
  pad: bytes(3),
});

export const INFO_KIND = { driver: 1, serial: 2, boardSerial: 3, fixed: 4, running: 5, stored: 6 } as const;

export const DEVLINK_INFO = record('esw_devlink_info', {
  ...handle,
  name: text(LABEL),
  value: text(VALUE),
  kind: u32,
});

export const PORT_HAS = { controller: 1, pf: 2, vf: 4, sf: 8, hwAddr: 16, state: 32 } as const;

/** enum devlink_port_flavour of include/uapi/linux/devlink.h, those that are looked at. */
export const PORT_FLAVOUR = { physical: 0, pciPf: 3, pciVf: 4, pciSf: 7 } as const;

export const DEVLINK_PORT = record('esw_devlink_port', {
  ...handle,
  index: u32,
  ifindex: u32,
  controller: u32,
  sf: u32,
  flavour: u16,
  pf: u16,
  vf: u16,
  has: u8,
  external: u8,
  hw_addr: bytes(6),
  state: u8,
  opstate: u8,
  ifname: text(NAME),
});

export const RATE_NODE = 1;

export const DEVLINK_RATE = record('esw_devlink_rate', {
  ...handle,
  node: text(LABEL),
  parent: text(LABEL),
  port_index: u32,
  type: u16,
  pad: u16,
  tx_share: u64,
  tx_max: u64,
});

export const DEVLINK_RESOURCE = record('esw_devlink_resource', {
  name: text(LABEL),
  id: u64,
  parent: u64,
  size: u64,
  occupancy: u64,
  has_occupancy: u32,
  pad: u32,
});

export const PARAM_TYPE = { u8: 1, u16: 2, u32: 3, string: 5, bool: 6 } as const;
export const PARAM_CMODES = ['runtime', 'driverinit', 'permanent'] as const;

export const DEVLINK_PARAM = record('esw_devlink_param', {
  ...handle,
  name: text(LABEL),
  text: text(VALUE),
  number: u64,
  type: u8,
  cmode: u8,
  generic: u8,
  pad: bytes(5),
});

export const DEVLINK_HEALTH = record('esw_devlink_health', {
  ...handle,
  name: text(LABEL),
  errors: u64,
  recoveries: u64,
  port_index: u32,
  has_port: u8,
  state: u8,
  pad: bytes(2),
});

export const DEVLINK_VERB = {
  ...{ mode: 1, inline: 2, encap: 3, functionMac: 4, functionState: 5, rateDelete: 6 },
  ...{ param: 7, flash: 8, reload: 9 },
} as const;

export const DEVLINK_OP = record('esw_devlink_op', {
  verb: u32,
  port_index: u32,
  ...handle,
  name: text(LABEL),
  text: text(VALUE),
  number: u64,
  mac: bytes(6),
  value: u8,
  type: u8,
  cmode: u8,
  pad: bytes(7),
});

export const DEVLINK_EVENT = record('esw_devlink_event', { command: u32, pad: u32, ...handle });

export const NIC_EVENT = record('esw_nic_event', {
  kind: u32,
  ifindex: u32,
  parent_bus: text(BUS),
  parent_dev: text(DEV),
});

/** Bits of `has` and `set` of VF records. */
export const VF_SET = { mac: 1, vlan: 2, rate: 4, spoofchk: 8, trust: 16, linkState: 32 } as const;
export const VF_LINK_STATES = ['auto', 'enable', 'disable'] as const;

const vfFields = {
  min_tx_rate: u32,
  max_tx_rate: u32,
  vlan: u16,
  vlan_proto: u16,
  qos: u8,
  spoofchk: u8,
  trust: u8,
  link_state: u8,
  mac: bytes(6),
  pad: bytes(2),
};

export const VF_REC = record('esw_vf_rec', { ifindex: u32, vf: u32, has: u32, ...vfFields });
export const VF_OP = record('esw_vf_op', { ifindex: u32, vf: u32, set: u32, ...vfFields });

export const NIC_LINK = record('esw_nic_link', {
  ifindex: u32,
  flags: u32,
  mtu: u32,
  mac: bytes(6),
  perm_mac: bytes(6),
  name: text(NAME),
  kind: text(NAME),
  port_name: text(BUS),
  switch_id: bytes(32),
  switch_id_len: u32,
  parent_bus: text(BUS),
  parent_dev: text(DEV),
  altnames: text(256),
});

export const OFFLOAD_REC = record('esw_offload_rec', {
  ifindex: u32,
  error: i32,
  active: u8,
  capable: u8,
  pad: bytes(2),
});

export const OFFLOAD_OP = record('esw_offload_op', { ifindex: u32, active: u32 });

/** What the self-check compares. */
export const NIC_RECORDS: readonly RecordLayout<Fields>[] = [
  ...[DEVLINK_REC, DEVLINK_INFO, DEVLINK_PORT, DEVLINK_RATE, DEVLINK_RESOURCE, DEVLINK_PARAM],
  ...[DEVLINK_HEALTH, DEVLINK_OP, DEVLINK_EVENT, NIC_EVENT, VF_REC, VF_OP, NIC_LINK, OFFLOAD_REC, OFFLOAD_OP],
] as unknown as readonly RecordLayout<Fields>[];
