/** Software's counters of pairs taken in: which pairs would be worth a rule. */
import type { PairCounter } from '../kernel/port.ts';
import { PLACE } from '../place/cache.ts';
import type { NicCache } from './nic-cache.ts';
import { pairKey } from './rule-table.ts';

/** Which of TCP and UDP it was is not counted: both may be worth a rule. */
const VARIANTS = { 4: [0], 6: [1, 2] } as const;

/** With `isFirst` the readings are where counting starts. Returns packets since the last sample. */
export function takeSample(
  cache: NicCache,
  pairs: readonly PairCounter[],
  isFirst: boolean,
  nowMs: number,
): number {
  const { table, ports } = cache;
  let moved = 0;
  for (const { src, dst, family, packets, bytes } of pairs) {
    if (!ports.has(src) || !ports.has(dst)) continue;
    for (const variant of VARIANTS[family]) {
      const row = cache.ensure(pairKey(src, dst, variant), nowMs);
      if (row < 0) continue;
      const before = table.delta[row] ?? 0;
      const more = table.readSoftware(row, Number(packets), Number(bytes), isFirst);
      moved += more;
      if (table.place[row] !== PLACE.resident) continue;
      // What misses a rule is not its own traffic (ICMPv6, or packets that were on their way).
      table.delta[row] = before;
      table.missed[row] = (table.missed[row] ?? 0) + more;
    }
  }
  return moved;
}
