/**
 * `NicPort` over a model of NICs, with the quirks of real families. The methods below the port are the
 * world around it: sandboxes, udev, other programs, hands that pull a card.
 */
import { ERRNO } from '../../lib/errno.ts';
import {
  type DeviceName,
  type DevlinkHandle,
  type FunctionRef,
  functionKey,
  type Inventory,
  type Nic,
  type NicFunction,
} from '../../model/nic.ts';
import type { DevlinkParam, NicEvent, NicOp, NicPort } from '../nic-port.ts';
import type { OpResult } from '../port.ts';
import { SimWorld, shown } from './nic-links.ts';
import { SimNic, type SimNicSpec, type SimVf } from './nic-state.ts';
import { Refusal } from './refusal.ts';
import { HOST, SimState } from './state.ts';

export type { SimNicSpec, SimQuirks } from './nic-state.ts';

interface PlannedFailure {
  readonly verb: NicOp['verb'];
  readonly errno: number;
  readonly extack: string;
  times: number;
}

export class SimNics implements NicPort {
  /** Every operation that was asked for, in order, refused ones too. */
  readonly log: NicOp[] = [];
  readonly #world: SimWorld;
  readonly #nics = new Map<DevlinkHandle, SimNic>();
  readonly #away = new Map<DevlinkHandle, SimNicSpec>();
  readonly #listeners = new Set<(event: NicEvent) => void>();
  #failures: PlannedFailure[] = [];
  #count = 0;

  /** `state`: the kernel whose links theirs are; one of their own unless given. */
  constructor(specs: readonly SimNicSpec[], state: SimState = new SimState()) {
    this.#world = new SimWorld(state);
    for (const spec of specs) this.#plug(spec);
  }

  async inventory(): Promise<Inventory> {
    return { nics: [...this.#nics.values()].map(nicBody) };
  }

  async apply(ops: readonly NicOp[]): Promise<readonly OpResult[]> {
    return ops.map(op => {
      this.log.push(op);
      const planned = this.#failures.find(each => each.verb === op.verb && each.times > 0);
      if (planned !== undefined) {
        planned.times--;
        return { errno: planned.errno, extack: planned.extack };
      }
      try {
        this.#run(op);
        return { errno: 0, extack: '' };
      } catch (error) {
        if (error instanceof Refusal) return { errno: error.errno, extack: error.extack };
        throw error;
      }
    });
  }

  async params(nic: DevlinkHandle): Promise<readonly DevlinkParam[]> {
    return this.#nics.get(nic)?.params ?? [];
  }

  async rateNodes(nic: DevlinkHandle): Promise<readonly string[]> {
    return [...(this.#nics.get(nic)?.rateNodes ?? [])];
  }

  async functionIn(netns: string, device: DeviceName): Promise<string | null> {
    const { netdev } = this.#byDevice(device)?.vf ?? {};
    return netdev?.netns === netns && netns !== HOST ? netdev.name : null;
  }

  watch(onEvent: (event: NicEvent) => void): () => void {
    const listener = (event: NicEvent): void => onEvent(event);
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  // ---- the world around ------------------------------------------------------------------------

  /** The NIC itself, to look into it. Throws RangeError when there is none. */
  nic(handle: string): SimNic {
    const found = this.#nics.get(handle as DevlinkHandle);
    if (found === undefined) throw new RangeError(`no NIC ${handle}`);
    return found;
  }

  /** The function with that tuple; undefined when there is none. */
  find(ref: FunctionRef): SimVf | undefined {
    const nic = this.#nics.get(ref.nic);
    const isSame = nic !== undefined && functionKey(nic.ref(ref.index)) === functionKey(ref);
    return isSame ? nic.vfs[ref.index] : undefined;
  }

  /** Every VF of every NIC. */
  vfs(): { readonly ref: FunctionRef; readonly vf: SimVf }[] {
    return [...this.#nics.values()].flatMap(nic => nic.vfs.map((vf, index) => ({ ref: nic.ref(index), vf })));
  }

  /** The function whose representor that is. */
  representedBy(ifindex: number): { readonly ref: FunctionRef; readonly vf: SimVf } | undefined {
    for (const nic of this.#nics.values()) {
      const index = nic.vfs.findIndex(vf => vf.representor?.ifindex === ifindex);
      const vf = nic.vfs[index];
      if (vf !== undefined) return { ref: nic.ref(index), vf };
    }
    return undefined;
  }

  /** The next `times` operations of that verb are refused. */
  failNext(verb: NicOp['verb'], errno: number, extack: string, times = 1): void {
    this.#failures = [...this.#failures.filter(each => each.times > 0), { verb, errno, extack, times }];
  }

  /** What an engine does with a function: into a namespace, renamed and up. */
  moveToSandbox(device: DeviceName, netns: string, ifname: string): void {
    const { vf, nic } = this.#needDevice(device);
    if (vf.netdev === null) throw new RangeError(`${device} has no netdev`);
    this.#world.move(vf.netdev, netns, ifname);
    vf.netdev.up = true;
    this.#emit({ kind: 'link', nic: nic.handle });
  }

  /** The engine's way back: down, out and under the name it had. */
  returnFromSandbox(device: DeviceName, ifname: string): void {
    const { vf, nic } = this.#needDevice(device);
    if (vf.netdev === null) throw new RangeError(`${device} has no netdev`);
    this.#world.move(vf.netdev, HOST, ifname);
    vf.netdev.up = false;
    this.#emit({ kind: 'link', nic: nic.handle });
  }

  /** A namespace ends with functions in it: they come back, under a new name if theirs is taken. */
  endNamespace(netns: string): void {
    this.#world.state.destroyNamespace(netns);
    this.#emit({ kind: 'link', nic: null });
  }

  renameLink(from: string, to: string): void {
    const { state } = this.#world;
    const link = state.find(HOST, from);
    if (link === undefined || state.isTaken(HOST, to)) throw new RangeError(`${from} cannot become ${to}`);
    state.move(link, HOST, to);
    this.#emit({ kind: 'link', nic: null });
  }

  /** Late representors get their names. */
  settle(): void {
    for (const nic of this.#nics.values()) nic.settle();
    this.#emit({ kind: 'link', nic: null });
  }

  setFlows(handle: string, flows: number): void {
    this.nic(handle).flows = flows;
  }

  addRateNode(handle: string, name: string): void {
    this.nic(handle).addRateNode(name);
    this.#emit({ kind: 'nic', nic: handle as DevlinkHandle });
  }

  vanish(handle: string): void {
    const nic = this.nic(handle);
    nic.unplug();
    this.#nics.delete(nic.handle);
    this.#away.set(nic.handle, nic.spec);
    this.#emit({ kind: 'nic', nic: nic.handle });
  }

  /** As after a reset or a new boot: its driver's defaults, no VFs. */
  comeBack(handle: string, change: Partial<SimNicSpec> = {}): void {
    const spec = this.#away.get(handle as DevlinkHandle);
    if (spec === undefined) throw new RangeError(`${handle} is not away`);
    this.#plug({ ...spec, mode: 'legacy', vfs: 0, ...change });
    this.#emit({ kind: 'nic', nic: handle as DevlinkHandle });
  }

  // ---- inside ----------------------------------------------------------------------------------

  #plug(spec: SimNicSpec): void {
    const nic = new SimNic(spec, this.#world, this.#count++);
    this.#nics.set(nic.handle, nic);
    this.#away.delete(nic.handle);
  }

  #run(op: NicOp): void {
    switch (op.verb) {
      case 'eswitch-mode':
        this.#need(op.nic).setMode(op.mode);
        break;
      case 'eswitch-encap':
        this.#need(op.nic).setEncap(op.encap);
        break;
      case 'tc-offload':
        this.#need(op.nic).tcOffload = op.on;
        break;
      case 'num-vfs':
        this.#need(op.nic).setVfs(op.count);
        break;
      case 'rate-node-delete':
        this.#need(op.nic).deleteRateNode(op.node);
        break;
      case 'param-set':
        this.#need(op.nic).setParam(op.name, op.cmode, op.value);
        break;
      case 'flash':
        this.#need(op.nic).flash(op.file);
        break;
      case 'reload':
        this.#need(op.nic).reload(op.action);
        break;
      default:
        this.#runOnFunction(op);
        return;
    }
    this.#emit({ kind: 'nic', nic: op.nic });
  }

  #runOnFunction(op: Extract<NicOp, { ref: FunctionRef } | { device: DeviceName }>): void {
    const { nic, vf } = 'ref' in op ? this.#function(op.ref) : this.#needDevice(op.device, ERRNO.ENODEV);
    if (op.verb === 'function-mac') nic.setMac(vf, op.mac);
    else if (op.verb === 'function-state') vf.state = op.state;
    else if (op.verb === 'vf-config') nic.setConfig(vf, op.config);
    else if (op.verb === 'function-reset') nic.reset(vf);
    else nic.bind(vf, op.driver, op.override);
    this.#emit({ kind: 'link', nic: nic.handle });
  }

  #need(handle: DevlinkHandle): SimNic {
    const nic = this.#nics.get(handle);
    if (nic === undefined) throw new Refusal(ERRNO.ENODEV, `no NIC ${handle}`);
    return nic;
  }

  #function(ref: FunctionRef): { nic: SimNic; vf: SimVf } {
    const nic = this.#need(ref.nic);
    const vf = nic.vfs[ref.index];
    if (vf === undefined || functionKey(nic.ref(ref.index)) !== functionKey(ref))
      throw new Refusal(ERRNO.ENODEV, `no function ${functionKey(ref)}`);
    return { nic, vf };
  }

  #byDevice(device: DeviceName): { nic: SimNic; vf: SimVf } | undefined {
    for (const nic of this.#nics.values()) {
      const vf = nic.vfs.find(each => each.device === device);
      if (vf !== undefined) return { nic, vf };
    }
    return undefined;
  }

  #needDevice(device: DeviceName, errno?: number): { nic: SimNic; vf: SimVf } {
    const found = this.#byDevice(device);
    if (found !== undefined) return found;
    if (errno !== undefined) throw new Refusal(errno, `no device ${device}`);
    throw new RangeError(`no device ${device}`);
  }

  #emit(event: NicEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

function nicBody(nic: SimNic): Nic {
  const { spec, hasDevlink, mode } = nic;
  const uplink = shown(nic.uplink);
  const isPci = nic.handle.startsWith('pci/');
  return {
    handle: nic.handle,
    devlink: hasDevlink,
    driver: nic.driver,
    pci: isPci
      ? { vendor: '15b3', device: '101d', subsystemVendor: '15b3', subsystemDevice: '0001', ...spec.pci }
      : null,
    serial: hasDevlink ? `SIM-${nic.handle}` : null,
    firmware: hasDevlink ? nic.firmware : [],
    eswitch: hasDevlink ? { mode, inlineMode: 'none', encap: nic.encap } : null,
    uplinks: uplink === null ? [] : [uplink],
    switchId: mode === 'switchdev' ? nic.uplink.mac.replaceAll(':', '') : null,
    vfsTotal: nic.vfsTotal,
    vfsEnabled: nic.vfs.length,
    functions: nic.vfs.map((vf, index) => functionBody(nic, vf, index)),
    resources: (spec.resources ?? []).map(each =>
      each.name === 'flows' ? { ...each, occupancy: nic.flows } : each,
    ),
    rateNodes: nic.rateNodes.size,
    tcOffload: nic.tcOffload,
    problems: [],
  };
}

function functionBody(nic: SimNic, vf: SimVf, index: number): NicFunction {
  const inSwitchdev = nic.mode === 'switchdev';
  return {
    ref: nic.ref(index),
    device: vf.device,
    driver: vf.driver,
    netdev: shown(vf.netdev),
    representor: shown(vf.representor),
    hwAddr: inSwitchdev ? vf.hwAddr : null,
    state: inSwitchdev ? vf.state : null,
    vf: inSwitchdev ? null : vf.config,
  };
}
