/** NICs as the rest of eswitchd sees and changes them: devlink, PCI, SR-IOV attributes. */
import type { Mac } from '../lib/brand.ts';
import type {
  DeviceName,
  DevlinkHandle,
  EswitchMode,
  FunctionRef,
  Inventory,
  VfConfig,
} from '../model/nic.ts';
import type { OpResult } from './port.ts';

/** A devlink parameter (devlink-params(7)); `value` null: not set in that mode. */
export interface DevlinkParam {
  readonly name: string;
  readonly type: 'bool' | 'u8' | 'u16' | 'u32' | 'string';
  readonly values: readonly {
    readonly cmode: 'runtime' | 'driverinit' | 'permanent';
    readonly value: string;
  }[];
}

/** A change of a NIC or of one of its functions. Refusals are results, with the kernel's words. */
export type NicOp =
  | { readonly verb: 'eswitch-mode'; readonly nic: DevlinkHandle; readonly mode: EswitchMode }
  | { readonly verb: 'eswitch-encap'; readonly nic: DevlinkHandle; readonly encap: boolean }
  /** ethtool's hw-tc-offload of the uplinks and representors. */
  | { readonly verb: 'tc-offload'; readonly nic: DevlinkHandle; readonly on: boolean }
  | { readonly verb: 'num-vfs'; readonly nic: DevlinkHandle; readonly count: number }
  | { readonly verb: 'rate-node-delete'; readonly nic: DevlinkHandle; readonly node: string }
  /** MAC of the function as it shows itself (devlink port function hw_addr, else IFLA_VF_MAC). */
  | { readonly verb: 'function-mac'; readonly ref: FunctionRef; readonly mac: Mac }
  | { readonly verb: 'function-state'; readonly ref: FunctionRef; readonly state: 'active' | 'inactive' }
  /** Legacy attributes; absent fields are left alone. */
  | { readonly verb: 'vf-config'; readonly ref: FunctionRef; readonly config: Partial<VfConfig> }
  /** Function-level reset (sysfs `reset`). */
  | { readonly verb: 'function-reset'; readonly ref: FunctionRef; readonly device: DeviceName }
  /** driver null: unbind. `override` writes driver_override first (vfio-pci). */
  | {
      readonly verb: 'bind-driver';
      readonly device: DeviceName;
      readonly driver: string | null;
      readonly override: boolean;
    }
  | {
      readonly verb: 'param-set';
      readonly nic: DevlinkHandle;
      readonly name: string;
      readonly cmode: 'runtime' | 'driverinit' | 'permanent';
      readonly value: string;
    }
  /** `file`: name below /lib/firmware. */
  | {
      readonly verb: 'flash';
      readonly nic: DevlinkHandle;
      readonly file: string;
      readonly component: string | null;
    }
  | {
      readonly verb: 'reload';
      readonly nic: DevlinkHandle;
      readonly action: 'driver_reinit' | 'fw_activate';
    };

export interface NicEvent {
  readonly kind: 'nic' | 'link' | 'lost';
  /** null: look at all of them. */
  readonly nic: DevlinkHandle | null;
}

export interface NicPort {
  /** Everything of every NIC on this host. Never throws for one NIC that cannot be read: see its `problems`. */
  inventory(): Promise<Inventory>;
  apply(ops: readonly NicOp[]): Promise<readonly OpResult[]>;
  params(nic: DevlinkHandle): Promise<readonly DevlinkParam[]>;
  /** Names of the rate nodes of a NIC, children before their parents. */
  rateNodes(nic: DevlinkHandle): Promise<readonly string[]>;
  /** Name that a function's netdev has inside a namespace, null when it is not there. */
  functionIn(netns: string, device: DeviceName): Promise<string | null>;
  watch(onEvent: (event: NicEvent) => void): () => void;
}
