/** Tools shared by the parts of the KernelPort contract. */
import { expect } from 'vitest';
import { fingerprint } from '../../src/ir/fingerprint.ts';
import { type Key, KIND_ORDER, type Resource } from '../../src/ir/resource.ts';
import type { KernelPort, Op, OpResult, Snapshot } from '../../src/kernel/port.ts';
import type { Example, KernelHarness } from './kernel-harness.ts';

/** What a test works on; filled anew before each. */
export interface Bench {
  harness: KernelHarness;
  kernel: KernelPort;
  net: Example;
  /** Creates everything of `net`. */
  build(): Promise<void>;
}

export const OK: OpResult = { errno: 0, extack: '' };
const order = (r: Resource): number => KIND_ORDER[r.kind];
export const creates = (resources: Iterable<Resource>): Op[] =>
  [...resources].sort((a, b) => order(a) - order(b)).map(resource => ({ verb: 'create', resource }));
export const deletes = (resources: Iterable<Resource>): Op[] =>
  [...resources].sort((a, b) => order(b) - order(a)).map(resource => ({ verb: 'delete', resource }));

export async function succeed(kernel: KernelPort, ops: readonly Op[]): Promise<void> {
  const results = await kernel.apply(ops);
  expect(results).toHaveLength(ops.length);
  const refused = results.flatMap((result, i) => (result.errno === 0 ? [] : [{ ...result, op: ops[i] }]));
  expect(refused).toEqual([]);
}

/** Whether `snapshot` shows every one of `resources`, as asked. */
export function expectShown(snapshot: Snapshot, resources: Iterable<Resource>): void {
  for (const wanted of resources) {
    const seen = snapshot.resources.get(wanted.key);
    expect(seen && fingerprint(seen), wanted.key).toBe(fingerprint(wanted));
  }
}

/** Keys shown beyond `resources`. Sysctls are shown whether we set them or not. */
export function extra(snapshot: Snapshot, resources: ReadonlyMap<Key, Resource>): Key[] {
  return [...snapshot.resources.values()]
    .filter(r => r.kind !== 'sysctl' && !resources.has(r.key))
    .map(r => r.key);
}

export function pick<K extends Resource['kind']>(
  resources: Iterable<Resource>,
  kind: K,
): Extract<Resource, { kind: K }>[] {
  return [...resources].filter((r): r is Extract<Resource, { kind: K }> => r.kind === kind);
}

export function first<T>(list: readonly T[]): T {
  const [head] = list;
  if (head === undefined) throw new Error('empty list');
  return head;
}
