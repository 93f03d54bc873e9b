/** Delta between two tables → ordered operations. Pure; for whole tables. Rounds use the Tracker. */
import type { Op } from '../ir/op.ts';
import type { Key, Kind, Resource } from '../ir/resource.ts';
import { carrierOf, diff, staleAfterPut } from './diff.ts';
import { orderOps, type ResourceOp } from './order.ts';
import { linksOf, SWAP_THRESHOLD, swapEntries, wantsSwap } from './swap.ts';

export interface PlanOptions {
  /** Forwarding-table deltas larger than this, and than half the table, become one swap. */
  readonly swapThreshold?: number;
}

/** Operations that turn `observed` into `desired`; empty exactly when they are equal. */
export function plan(
  desired: ReadonlyMap<Key, Resource>,
  observed: ReadonlyMap<Key, Resource>,
  { swapThreshold = SWAP_THRESHOLD }: PlanOptions = {},
): Op[] {
  const ops: ResourceOp[] = [];
  for (const [key, resource] of desired) push(ops, diff(resource, observed.get(key)));
  for (const [key, resource] of observed) {
    const carrier = carrierOf(resource);
    const goesAnyway = carrier !== null && observed.has(carrier) && !desired.has(carrier);
    if (!desired.has(key) && !goesAnyway) push(ops, diff(undefined, resource));
  }
  const stale = new Set(
    ops.flatMap(op => (op.verb === 'delete' ? [] : (staleAfterPut(op.resource.kind) ?? []))),
  );
  return orderOps(foldFib([...ops, ...refreshed(desired, observed, stale)], desired, swapThreshold));
}

/** Resources that look right now and will not once the operations before them have run. */
function refreshed(
  desired: ReadonlyMap<Key, Resource>,
  observed: ReadonlyMap<Key, Resource>,
  stale: ReadonlySet<Kind>,
): ResourceOp[] {
  if (stale.size === 0) return [];
  return [...desired].flatMap(([key, resource]) =>
    stale.has(resource.kind) && diff(resource, observed.get(key)) === null
      ? [{ verb: 'create', resource }]
      : [],
  );
}

function foldFib(ops: ResourceOp[], desired: ReadonlyMap<Key, Resource>, threshold: number): Op[] {
  const changes = ops.filter(op => op.resource.kind === 'fib-entry').length;
  if (changes <= threshold) return ops;
  const entries = swapEntries(desired.values(), linksOf(desired.values()));
  if (!wantsSwap(changes, entries.length, threshold)) return ops;
  return [
    ...ops.filter(op => op.resource.kind !== 'fib-entry'),
    { verb: 'swap-fib', key: 'swap-fib', entries },
  ];
}

function push<T>(list: T[], item: T | null): void {
  if (item !== null) list.push(item);
}
