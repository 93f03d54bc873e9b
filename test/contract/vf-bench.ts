/** What the contract of ports that are functions of a NIC needs from a kernel with such a NIC. */
import assert from 'node:assert/strict';
import type { CompileContext } from '../../src/compile/context.ts';
import { same } from '../../src/ir/fingerprint.ts';
import { altnameMark, formerMark } from '../../src/ir/names.ts';
import { KIND_ORDER, type Port, type Resource } from '../../src/ir/resource.ts';
import type { NicPort } from '../../src/kernel/nic-port.ts';
import type { KernelPort, Op, OpResult } from '../../src/kernel/port.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import { type FunctionRef, functionKey, type NicFunction, type NicLink } from '../../src/model/nic.ts';
import { type Example, endpoint, exampleOf } from './kernel-harness.ts';

/** One kernel and one NIC in switchdev mode, private to one law; nothing of the instance is there. */
export interface VfLab {
  readonly kernel: KernelPort;
  readonly context: CompileContext;
  readonly nics: NicPort;
  /** Two functions of the NIC with drivers, netdevs and representors. */
  readonly refs: readonly [FunctionRef, FunctionRef];
  /** A new KernelPort on the same kernel, as after a restart of the daemon. */
  reopen(): Promise<KernelPort>;
  makeSandbox(): Promise<string>;
  /** What an engine does after Join and at Leave. */
  moveToSandbox(fn: string, netns: string, ifname: string): Promise<void>;
  returnFromSandbox(netns: string, ifname: string, fn: string): Promise<void>;
  /** The namespace ends with whatever is in it. */
  endSandbox(netns: string): Promise<void>;
  /** Name of the function's netdev in a sandbox, by the kernel's word. */
  inSandbox(netns: string, ref: FunctionRef): Promise<string | null>;
  renameLink(from: string, to: string): Promise<void>;
  addForeignLink(name: string): Promise<void>;
}

export interface VfLaw {
  readonly name: string;
  run(lab: VfLab): Promise<void>;
}

const order = (r: Resource): number => KIND_ORDER[r.kind];

export function creates(resources: Iterable<Resource>): Op[] {
  return [...resources]
    .sort((a, b) => order(a) - order(b))
    .map(resource => ({ verb: 'create' as const, resource }));
}

export function deletes(resources: Iterable<Resource>): Op[] {
  return [...resources]
    .sort((a, b) => order(b) - order(a))
    .map(resource => ({ verb: 'delete' as const, resource }));
}

/** The network with one endpoint for each of the lab's functions, `change`d. */
export function vfExample(lab: VfLab, change: Partial<Endpoint> = {}): Example {
  return exampleOf(
    lab.context,
    lab.refs.map((vf, at) => ({ ...endpoint(at + 1), vf, ...change })),
  );
}

export function portOf(net: Example, at = 0): Port {
  const port = net.all.get(`port/${net.ports[at]?.rep}`);
  assert.ok(port?.kind === 'port');
  return port;
}

export async function succeed({ kernel }: Pick<VfLab, 'kernel'>, ops: readonly Op[]): Promise<void> {
  const results = await kernel.apply(ops);
  for (const [at, { errno, extack }] of results.entries()) {
    const op = ops[at];
    const what = op !== undefined && op.verb !== 'swap-fib' ? `${op.verb} ${op.resource.key}` : 'swap';
    assert.equal(errno, 0, `${what}: errno ${errno} ${extack}`);
  }
}

export async function put(lab: VfLab, port: Port): Promise<OpResult> {
  const [result] = await lab.kernel.apply([{ verb: 'update', resource: port }]);
  assert.ok(result);
  return result;
}

export async function functionOf({ nics }: VfLab, ref: FunctionRef): Promise<NicFunction> {
  const all = (await nics.inventory()).nics.flatMap(nic => nic.functions);
  const found = all.find(each => functionKey(each.ref) === functionKey(ref));
  assert.ok(found, functionKey(ref));
  return found;
}

/** Everything of `net` is shown as asked, and nothing else of ours but sysctls. */
export async function assertShown(kernel: KernelPort, net: Example): Promise<void> {
  const { resources } = await kernel.dump();
  for (const wanted of net.all.values()) {
    const seen = resources.get(wanted.key);
    assert.ok(seen !== undefined && same(seen, wanted), `${wanted.key}: ${JSON.stringify(seen)}`);
  }
  const extra = [...resources.values()].filter(r => r.kind !== 'sysctl' && !net.all.has(r.key));
  assert.deepEqual(
    extra.map(r => r.key),
    [],
  );
}

/** The port as the kernel shows it; whether it is as asked. */
export async function isShown(kernel: KernelPort, port: Port): Promise<boolean> {
  const seen = (await kernel.dump()).resources.get(port.key);
  return seen !== undefined && same(seen, port);
}

export function marksOn({ context }: VfLab, link: NicLink | null): string[] {
  const prefixes = [altnameMark(context.identity), formerMark(context.identity, '')];
  return (link?.altnames ?? []).filter(name => prefixes.some(prefix => name.startsWith(prefix)));
}

/** What giving back has to restore. */
export function looks({ netdev, representor }: NicFunction): unknown {
  const of = (link: NicLink | null): unknown =>
    link && [link.name, link.mac, link.mtu, link.up, [...link.altnames].sort()];
  return { netdev: of(netdev), representor: of(representor) };
}

/** Looks until `check` is true; the kernel ends a namespace some time after its last user is gone. */
export async function eventually(what: string, check: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await check())) {
    assert.ok(performance.now() < deadline, `${what} within 20 s`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
