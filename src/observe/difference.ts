/** The difference between the table as compiled and as observed. */
import { same } from '../ir/fingerprint.ts';
import { type Key, KIND_ORDER, type Resource } from '../ir/resource.ts';
import type { View } from '../reconcile/port.ts';

export interface Difference {
  readonly key: Key;
  readonly change: 'create' | 'update' | 'delete';
  /** As it should be; for `delete`, as it is. */
  readonly resource: Resource;
  /** As it is now, for `update`. */
  readonly before: Resource | null;
}

/** 10.0.0.9 before 10.0.0.10. */
const NUMERIC = new Intl.Collator('en', { numeric: true });

/** Order of creation, then key: the order in which people read a table. */
export function byKindAndKey(a: Resource, b: Resource): number {
  const kinds = KIND_ORDER[a.kind] - KIND_ORDER[b.kind];
  return kinds !== 0 ? kinds : NUMERIC.compare(a.key, b.key);
}

export function differences({ desired, observed }: Pick<View, 'desired' | 'observed'>): Difference[] {
  const found: Difference[] = [];
  for (const [key, resource] of desired) {
    const before = observed.get(key);
    if (before === undefined) found.push({ key, change: 'create', resource, before: null });
    else if (!same(before, resource)) found.push({ key, change: 'update', resource, before });
  }
  for (const [key, resource] of observed) {
    if (!desired.has(key)) found.push({ key, change: 'delete', resource, before: null });
  }
  return found.sort((a, b) => byKindAndKey(a.resource, b.resource));
}
