/** When many entries of the forwarding table change, the whole table is replaced at once. */
import type { FibEntry, Resource } from '../ir/resource.ts';

/** Deltas up to this many entries are always applied one by one. */
export const SWAP_THRESHOLD = 256;

/** Whether `changes` entries of a table that will hold `size` are better replaced by a new generation. */
export function wantsSwap(changes: number, size: number, threshold = SWAP_THRESHOLD): boolean {
  return changes > Math.max(threshold, size / 2);
}

/** Links that exist according to `resources`: both sides of every port. */
export function linksOf(resources: Iterable<Resource>): Set<string> {
  const links = new Set<string>();
  for (const resource of resources) if (resource.kind === 'port') links.add(resource.rep).add(resource.fn);
  return links;
}

/** The entries of a new generation: those of `resources` whose link is there to point at. */
export function swapEntries(resources: Iterable<Resource>, links: ReadonlySet<string>): FibEntry[] {
  const entries: FibEntry[] = [];
  for (const resource of resources) {
    if (resource.kind === 'fib-entry' && links.has(resource.link)) entries.push(resource);
  }
  return entries;
}
