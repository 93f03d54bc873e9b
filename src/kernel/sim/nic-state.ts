/** One NIC of the model: what a driver and devlink would keep of it. */

import type { Mac } from '../../lib/brand.ts';
import { ERRNO } from '../../lib/errno.ts';
import type {
  DeviceName,
  DevlinkHandle,
  EswitchMode,
  FirmwareVersion,
  FunctionRef,
  NicResource,
  PciId,
  VfConfig,
} from '../../model/nic.ts';
import type { DevlinkParam } from '../nic-port.ts';
import type { SimWorld } from './nic-links.ts';
import { Refusal } from './refusal.ts';
import { HOST, type SimLink } from './state.ts';

/** What real families refuse; all off unless said. */
export interface SimQuirks {
  /** ConnectX-6 Lx: switchdev only while no VF exists. */
  readonly switchdevNeedsNoVfs: boolean;
  /** No change of the mode while rules are offloaded. */
  readonly modeNeedsNoFlows: boolean;
  readonly encapNeedsNoFlows: boolean;
  /** The driver knows no switchdev mode. */
  readonly noSwitchdev: boolean;
  /** Representors come as `eth<n>` and get their names later (`settle`). */
  readonly lateRepresentors: boolean;
  /** A function shows a new hw_addr only once its driver is bound again. */
  readonly macNeedsRebind: boolean;
}

export interface SimNicSpec {
  /** `<bus>/<device>`. */
  readonly handle: string;
  /** A NIC without devlink is in legacy mode for ever. */
  readonly devlink?: boolean;
  readonly driver?: string;
  readonly vfDriver?: string;
  /** PF number in the tuples of its functions. */
  readonly pf?: number;
  readonly uplink?: string;
  readonly mode?: EswitchMode;
  readonly vfsTotal?: number;
  readonly vfs?: number;
  readonly tcOffload?: boolean;
  readonly pci?: Partial<PciId>;
  readonly quirks?: Partial<SimQuirks>;
  readonly firmware?: readonly FirmwareVersion[];
  readonly params?: readonly DevlinkParam[];
  readonly resources?: readonly NicResource[];
}

export interface SimVf {
  readonly device: DeviceName;
  driver: string | null;
  driverOverride: string | null;
  hwAddr: Mac;
  state: 'active' | 'inactive';
  config: VfConfig;
  netdev: SimLink | null;
  representor: SimLink | null;
  /** How often it was reset, for tests. */
  resets: number;
}

export const NO_MAC = '00:00:00:00:00:00' as Mac;

const FRESH: VfConfig = {
  ...{ mac: NO_MAC, vlan: 0, vlanQos: 0, vlanProto: '802.1Q', minTxRate: 0, maxTxRate: 0 },
  ...{ spoofchk: true, trust: false, linkState: 'auto' },
};

const NO_QUIRKS: SimQuirks = {
  ...{ switchdevNeedsNoVfs: false, modeNeedsNoFlows: false, encapNeedsNoFlows: false },
  ...{ noSwitchdev: false, lateRepresentors: false, macNeedsRebind: false },
};

export class SimNic {
  readonly handle: DevlinkHandle;
  readonly spec: SimNicSpec;
  readonly quirks: SimQuirks;
  readonly vfDriver: string;
  readonly rateNodes = new Set<string>();
  mode: EswitchMode;
  encap = true;
  uplink: SimLink;
  vfs: SimVf[] = [];
  /** Rules that are in its table. */
  flows = 0;
  firmware: readonly FirmwareVersion[];
  params: readonly DevlinkParam[];
  tcOffload: boolean;
  readonly #world: SimWorld;
  readonly #number: number;

  constructor(spec: SimNicSpec, world: SimWorld, number: number) {
    this.spec = spec;
    this.handle = spec.handle as DevlinkHandle;
    this.quirks = { ...NO_QUIRKS, ...spec.quirks };
    this.vfDriver = spec.vfDriver ?? this.driver;
    this.mode = spec.mode ?? 'legacy';
    this.firmware = spec.firmware ?? [
      { name: 'fw.version', kind: 'running', value: '1.0.0' },
      { name: 'fw.version', kind: 'stored', value: '1.0.0' },
    ];
    this.params = spec.params ?? [];
    this.tcOffload = spec.tcOffload ?? true;
    this.#world = world;
    this.#number = number;
    this.uplink = world.add(spec.uplink ?? `uplink${number}`, this.#mac(0xff));
    this.#setVfs(spec.vfs ?? 0);
  }

  get driver(): string {
    return this.spec.driver ?? 'mlx5_core';
  }

  get hasDevlink(): boolean {
    return this.spec.devlink ?? true;
  }

  get vfsTotal(): number {
    return this.spec.vfsTotal ?? 8;
  }

  ref(index: number): FunctionRef {
    return { nic: this.handle, controller: 0, pf: this.spec.pf ?? 0, kind: 'vf', index };
  }

  setMode(mode: EswitchMode): void {
    this.#needDevlink();
    if (mode === this.mode) return;
    if (this.rateNodes.size > 0) throw new Refusal(ERRNO.EBUSY, 'Rate node(s) exists.');
    if (mode === 'switchdev' && this.quirks.noSwitchdev) throw new Refusal(ERRNO.EOPNOTSUPP, '');
    if (this.quirks.switchdevNeedsNoVfs && this.vfs.length > 0)
      throw new Refusal(ERRNO.EBUSY, 'the eswitch mode cannot be changed while VFs exist');
    if (this.quirks.modeNeedsNoFlows && this.flows > 0)
      throw new Refusal(ERRNO.EBUSY, 'the eswitch mode cannot be changed while flows are offloaded');
    this.mode = mode;
    // Either way the table is a new one.
    this.flows = 0;
    for (const [index, vf] of this.vfs.entries()) this.#represent(vf, index);
  }

  setEncap(encap: boolean): void {
    this.#needDevlink();
    if (encap === this.encap) return;
    if (this.quirks.encapNeedsNoFlows && this.flows > 0)
      throw new Refusal(ERRNO.EOPNOTSUPP, "Can't set encapsulation when flows are configured");
    this.encap = encap;
  }

  setVfs(count: number): void {
    if (count === this.vfs.length) return;
    if (count > this.vfsTotal) throw new Refusal(ERRNO.ERANGE, '');
    if (count > 0 && this.vfs.length > 0)
      throw new Refusal(ERRNO.EBUSY, `${this.vfs.length} VFs already enabled: disable them first`);
    this.#setVfs(count);
  }

  bind(vf: SimVf, driver: string | null, override: boolean): void {
    if (driver === vf.driver) return;
    this.#world.remove(vf.netdev);
    vf.netdev = null;
    vf.driver = null;
    vf.driverOverride = driver !== null && override ? driver : null;
    if (driver === null) return;
    if (driver !== this.vfDriver && !override)
      throw new Refusal(ERRNO.ENODEV, `driver ${driver} does not take ${vf.device}`);
    vf.driver = driver;
    if (driver === this.vfDriver) vf.netdev = this.#world.add(null, vf.hwAddr);
  }

  setMac(vf: SimVf, mac: Mac): void {
    vf.hwAddr = mac;
    vf.config = { ...vf.config, mac };
    if (vf.netdev !== null && !this.quirks.macNeedsRebind) vf.netdev.mac = mac;
  }

  setConfig(vf: SimVf, change: Partial<VfConfig>): void {
    if (this.mode === 'switchdev') throw new Refusal(ERRNO.EOPNOTSUPP, '');
    vf.config = { ...vf.config, ...change };
    if (change.mac !== undefined) this.setMac(vf, change.mac);
  }

  /** A function-level reset undoes what its last user set on the function's side. */
  reset(vf: SimVf): void {
    vf.resets++;
    if (vf.netdev !== null) Object.assign(vf.netdev, { mac: vf.hwAddr, mtu: 1500, up: false });
  }

  addRateNode(name: string): void {
    this.rateNodes.add(name);
  }

  deleteRateNode(name: string): void {
    this.rateNodes.delete(name);
  }

  setParam(name: string, cmode: string, value: string): void {
    const param = this.params.find(each => each.name === name);
    if (param === undefined) throw new Refusal(ERRNO.EINVAL, `no parameter ${name}`);
    if (!param.values.some(each => each.cmode === cmode))
      throw new Refusal(ERRNO.EOPNOTSUPP, `${name} has no ${cmode} value`);
    const values = param.values.map(each => (each.cmode === cmode ? { ...each, value } : each));
    this.params = this.params.map(each => (each === param ? { ...each, values } : each));
  }

  /** The version stored becomes the name of the file. */
  flash(file: string): void {
    this.#needDevlink();
    this.firmware = this.firmware.map(each => (each.kind === 'stored' ? { ...each, value: file } : each));
  }

  reload(action: 'driver_reinit' | 'fw_activate'): void {
    this.#needDevlink();
    if (action === 'driver_reinit') return;
    this.firmware = this.firmware.map(each => {
      const stored = this.firmware.find(other => other.kind === 'stored' && other.name === each.name);
      return each.kind === 'running' && stored !== undefined ? { ...each, value: stored.value } : each;
    });
  }

  /** What udev does when it gets to it: representors get the names of their tuples. */
  settle(): void {
    for (const [index, { representor }] of this.vfs.entries()) {
      if (representor !== null) this.#world.move(representor, HOST, this.#representorName(index));
    }
  }

  /** The device is gone: every link with it, those in namespaces too. */
  unplug(): void {
    this.#setVfs(0);
    this.#world.remove(this.uplink);
  }

  #setVfs(count: number): void {
    for (const { netdev, representor } of this.vfs) {
      this.#world.remove(netdev);
      this.#world.remove(representor);
    }
    this.vfs = Array.from({ length: count }, (_, index) => {
      const hwAddr = this.#mac(index);
      const netdev = this.#world.add(null, hwAddr);
      const config = { ...FRESH, mac: this.hasDevlink ? hwAddr : NO_MAC };
      return {
        ...{ device: this.#vfDevice(index), driver: this.vfDriver, driverOverride: null },
        ...{ hwAddr, state: 'active' as const, config, netdev, representor: null, resets: 0 },
      };
    });
    for (const [index, vf] of this.vfs.entries()) this.#represent(vf, index);
  }

  #represent(vf: SimVf, index: number): void {
    this.#world.remove(vf.representor);
    const name = this.quirks.lateRepresentors ? null : this.#representorName(index);
    vf.representor = this.mode === 'switchdev' ? this.#world.add(name, this.#mac(0x80 + index)) : null;
  }

  #representorName(index: number): string {
    return `${this.uplink.name}r${index}`;
  }

  /** VFs follow their PF on the bus. */
  #vfDevice(index: number): DeviceName {
    const match = /^(pci\/[0-9a-f]+:[0-9a-f]+):([0-9a-f]+)\.(\d)$/.exec(this.handle);
    if (match === null) return `${this.handle}v${index}` as DeviceName;
    const [, bus, slot = '0', fn = '0'] = match;
    const at = Number.parseInt(slot, 16) * 8 + Number(fn) + 2 + index;
    return `${bus}:${(at >> 3).toString(16).padStart(2, '0')}.${at & 7}` as DeviceName;
  }

  #mac(last: number): Mac {
    const hex = (value: number): string => value.toString(16).padStart(2, '0');
    return `02:51:00:00:${hex(this.#number)}:${hex(last)}` as Mac;
  }

  #needDevlink(): void {
    if (!this.hasDevlink) throw new Refusal(ERRNO.ENODEV, `${this.handle} has no devlink`);
  }
}
