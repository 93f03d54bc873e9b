/** NICs of this host as its kernel shows them: eswitches, functions and representors by their full tuple. */
import type { Brand, Ifindex, Mac } from '../lib/brand.ts';

/** devlink's name of an eswitch manager, `<bus>/<device>`: `pci/0000:3b:00.0`. */
export type DevlinkHandle = Brand<string, 'DevlinkHandle'>;

/** `<bus>/<device>` of any function: `pci/0000:3b:02.1`. */
export type DeviceName = Brand<string, 'DeviceName'>;

/**
 * Identity of a function on an eswitch: the whole tuple, compared whole (two PFs of one device have VFs
 * of the same number). `index`: VF or SF number; 0 for a PF.
 */
export interface FunctionRef {
  readonly nic: DevlinkHandle;
  readonly controller: number;
  readonly pf: number;
  readonly kind: 'pf' | 'vf' | 'sf';
  readonly index: number;
}

/** `<nic>/c<controller>pf<pf>[vf<n>|sf<n>]`, e.g. `pci/0000:3b:00.0/c0pf0vf3`: unique on a host. */
export type FunctionKey = Brand<string, 'FunctionKey'>;

export function functionKey({ nic, controller, pf, kind, index }: FunctionRef): FunctionKey {
  const tail = kind === 'pf' ? '' : `${kind}${index}`;
  return `${nic}/c${controller}pf${pf}${tail}` as FunctionKey;
}

/** The reverse of `functionKey`; null for other text. */
export function parseFunctionKey(text: string): FunctionRef | null {
  const match = /^(.+)\/c(\d+)pf(\d+)(?:(vf|sf)(\d+))?$/.exec(text);
  if (match === null) return null;
  const [, nic = '', controller, pf, kind, index] = match;
  return {
    nic: nic as DevlinkHandle,
    controller: Number(controller),
    pf: Number(pf),
    kind: kind === 'vf' || kind === 'sf' ? kind : 'pf',
    index: Number(index ?? 0),
  };
}

/** A netdev in the host's namespace. */
export interface NicLink {
  readonly name: string;
  readonly ifindex: Ifindex;
  readonly altnames: readonly string[];
  readonly mac: Mac;
  /** Bytes. */
  readonly mtu: number;
  readonly up: boolean;
}

/** What a PF in legacy mode keeps for a VF (IFLA_VF_INFO of include/uapi/linux/if_link.h). */
export interface VfConfig {
  readonly mac: Mac;
  /** 0 = none. */
  readonly vlan: number;
  readonly vlanQos: number;
  readonly vlanProto: '802.1Q' | '802.1ad';
  /** Mbit/s, 0 = no limit. */
  readonly minTxRate: number;
  readonly maxTxRate: number;
  readonly spoofchk: boolean;
  readonly trust: boolean;
  readonly linkState: 'auto' | 'enable' | 'disable';
}

/** A VF, SF or PF of an eswitch. */
export interface NicFunction {
  readonly ref: FunctionRef;
  /** The function's own device, null when it has none on this host (SF not active, other controller). */
  readonly device: DeviceName | null;
  /** Driver bound to that device, null = none. */
  readonly driver: string | null;
  /** Its netdev while that is in the host's namespace. */
  readonly netdev: NicLink | null;
  /** switchdev only. */
  readonly representor: NicLink | null;
  /** devlink port function attributes, null where the driver has none. */
  readonly hwAddr: Mac | null;
  readonly state: 'active' | 'inactive' | null;
  /** Legacy attributes, null where the PF shows none (switchdev on some NICs). */
  readonly vf: VfConfig | null;
}

export type EswitchMode = 'legacy' | 'switchdev';

/** DEVLINK_CMD_ESWITCH_GET; null fields: the driver does not say. */
export interface EswitchState {
  readonly mode: EswitchMode;
  readonly inlineMode: 'none' | 'link' | 'network' | 'transport' | null;
  readonly encap: boolean | null;
}

export interface FirmwareVersion {
  readonly name: string;
  readonly kind: 'fixed' | 'running' | 'stored';
  readonly value: string;
}

export interface PciId {
  /** Hex, four digits, lower case. */
  readonly vendor: string;
  readonly device: string;
  readonly subsystemVendor: string;
  readonly subsystemDevice: string;
}

/** A devlink resource, e.g. the size of a flow table. `null`: the driver gives no occupancy. */
export interface NicResource {
  readonly name: string;
  readonly size: number;
  readonly occupancy: number | null;
}

/** An eswitch with everything on it. A NIC without devlink is one in legacy mode with `devlink` false. */
export interface Nic {
  readonly handle: DevlinkHandle;
  readonly devlink: boolean;
  readonly driver: string;
  readonly pci: PciId | null;
  readonly serial: string | null;
  readonly firmware: readonly FirmwareVersion[];
  /** null: the driver has no eswitch operations. */
  readonly eswitch: EswitchState | null;
  /** Physical ports' netdevs (in legacy mode the PF's own). */
  readonly uplinks: readonly NicLink[];
  /** phys_switch_id, hex; null in legacy mode. */
  readonly switchId: string | null;
  /** sriov_totalvfs and sriov_numvfs; 0 where the device has no SR-IOV. */
  readonly vfsTotal: number;
  readonly vfsEnabled: number;
  /** VFs and SFs; the PF itself is not listed. */
  readonly functions: readonly NicFunction[];
  readonly resources: readonly NicResource[];
  /** devlink rate nodes and leaves with a setting: a mode change is refused while nodes exist. */
  readonly rateNodes: number;
  /** ethtool's hw-tc-offload of the uplink; null = not known. */
  readonly tcOffload: boolean | null;
  /** What could not be read or does not add up, in words. */
  readonly problems: readonly string[];
}

export interface Inventory {
  readonly nics: readonly Nic[];
}
