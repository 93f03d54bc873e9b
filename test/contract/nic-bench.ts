/** What the contract suite of NicPort needs from the NICs under test, real ones or a model. */
import assert from 'node:assert/strict';
import type { NicOp, NicPort } from '../../src/kernel/nic-port.ts';
import type { OpResult } from '../../src/kernel/port.ts';
import {
  type DeviceName,
  type DevlinkHandle,
  functionKey,
  type Nic,
  type NicFunction,
} from '../../src/model/nic.ts';

/** Limits of real families that a NIC under test can be given. */
export interface LabQuirks {
  readonly switchdevNeedsNoVfs?: boolean;
  readonly encapNeedsNoFlows?: boolean;
}

/** NICs private to one law: `nic` is in legacy mode, without VFs, rate nodes or flows; `other` has the same shape. */
export interface NicLab {
  readonly port: NicPort;
  readonly nic: DevlinkHandle;
  readonly other: DevlinkHandle;
  /** A parameter with a value that it does not have. */
  readonly param: {
    readonly name: string;
    readonly cmode: 'runtime' | 'driverinit' | 'permanent';
    readonly value: string;
  };
  /** A firmware image, and the version that it holds. */
  readonly firmware: { readonly file: string; readonly version: string };
  setQuirks(quirks: LabQuirks): Promise<void>;
  makeSandbox(): Promise<string>;
  moveToSandbox(device: DeviceName, netns: string, ifname: string): Promise<void>;
  endSandbox(netns: string): Promise<void>;
  renameLink(from: string, to: string): Promise<void>;
  addRateNode(name: string): Promise<void>;
  /** One rule in the NIC's table. */
  addFlow(): Promise<void>;
  removeFlows(): Promise<void>;
}

export interface NicLaw {
  readonly name: string;
  run(lab: NicLab): Promise<void>;
}

export async function find({ port, nic }: NicLab, handle = nic): Promise<Nic> {
  const found = (await port.inventory()).nics.find(each => each.handle === handle);
  assert.ok(found, `${handle} is in the inventory`);
  return found;
}

export async function vf(lab: NicLab, index: number): Promise<NicFunction> {
  const nic = await find(lab);
  const found = nic.functions.find(each => each.ref.kind === 'vf' && each.ref.index === index);
  assert.ok(found, `VF ${index} is among ${nic.functions.map(each => functionKey(each.ref)).join(', ')}`);
  return found;
}

export async function apply(lab: NicLab, op: NicOp): Promise<OpResult> {
  const [result] = await lab.port.apply([op]);
  assert.ok(result);
  return result;
}

export async function succeed(lab: NicLab, ...ops: readonly NicOp[]): Promise<void> {
  const results = await lab.port.apply(ops);
  assert.equal(results.length, ops.length);
  for (const [at, result] of results.entries())
    assert.equal(result.errno, 0, `${ops[at]?.verb}: errno ${result.errno} ${result.extack}`);
}

export async function refused(lab: NicLab, op: NicOp): Promise<OpResult> {
  const result = await apply(lab, op);
  assert.notEqual(result.errno, 0, `${op.verb} is refused`);
  return result;
}

export const numVfs = (lab: NicLab, count: number): NicOp => ({ verb: 'num-vfs', nic: lab.nic, count });
export const mode = (lab: NicLab, to: 'legacy' | 'switchdev'): NicOp => ({
  verb: 'eswitch-mode',
  nic: lab.nic,
  mode: to,
});

/** Looks until `check` holds; what a kernel does behind a call's back may take a moment. */
export async function eventually<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    assert.ok(performance.now() < deadline, `${what} within 20 s`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
