import { PAIR_VARIANTS, pairVariants } from '../compile/pair.ts';
import type { OffloadPort } from './ports.ts';
import { pairKey } from './rule-table.ts';

/** Keys of every pair that could be in hardware; null when they are clearly more than `most`. */
export function allPairKeys(ports: Iterable<OffloadPort>, most: number): number[] | null {
  const keys: number[] = [];
  for (const group of Map.groupBy(ports, port => port.network).values()) {
    if (group.length * (group.length - 1) > 2 * most) return null;
    for (const src of group) {
      for (const dst of group) {
        if (src === dst) continue;
        for (const variant of pairVariants(src, dst)) {
          keys.push(pairKey(src.slot, dst.slot, PAIR_VARIANTS.indexOf(variant)));
        }
      }
    }
    if (keys.length > most) return null;
  }
  return keys;
}
