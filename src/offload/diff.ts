/**
 * Desired × observed, joined by identity (link, chain, prio, handle) over typed arrays. Nothing is
 * decoded: our cookie's fingerprint says whether a rule is the one that was put.
 */
import { PAIR_VARIANTS, pairOfRef } from '../compile/pair.ts';
import { isOurPrio } from '../ir/flow-prio.ts';
import { FLOW_FLAG, type FlowDump } from '../kernel/flow-port.ts';
import { PLACE } from '../place/cache.ts';
import { pairKey, type RuleTable } from './rule-table.ts';

/** Slot of the endpoint whose representor has this ifindex, −1 for other links. */
export type SlotOfIfindex = (ifindex: number) => number;

export interface RuleDifference {
  /** Rows that should be in the kernel and are not. */
  readonly missing: readonly number[];
  /** Rows whose rule is there with other content. */
  readonly changed: readonly number[];
  /** Rows whose rule is there as put, without hardware having it. */
  readonly notInHw: readonly number[];
  /** Indices of the dump: rules of ours that no row wants. */
  readonly leftOver: readonly number[];
  /** Row of each rule of the dump, −1 where none is. */
  readonly rowOf: Int32Array;
  /** Rules that are not ours, on these links. */
  readonly foreign: number;
}

/** Cost: one pass over the dump, one over the table, a hash lookup per rule. */
export function diffRules(table: RuleTable, dump: FlowDump, slotOf: SlotOfIfindex): RuleDifference {
  const rowOf = new Int32Array(dump.count).fill(-1);
  const seen = new Uint8Array(table.high);
  const changed: number[] = [];
  const notInHw: number[] = [];
  const leftOver: number[] = [];
  let foreign = 0;
  for (let i = 0; i < dump.count; i++) {
    const flags = dump.flags[i] ?? 0;
    if ((flags & FLOW_FLAG.ours) === 0) {
      foreign += 1;
      continue;
    }
    // Marked as ours outside of our band: another version's. It is not this one's to judge.
    if (!isOurPrio(dump.prio[i] ?? 0)) continue;
    const row = rowOfDump(table, dump, i, slotOf);
    if (row < 0 || table.place[row] !== PLACE.resident) {
      leftOver.push(i);
      continue;
    }
    rowOf[i] = row;
    seen[row] = 1;
    if (table.fingerprint[row] !== dump.fingerprint[i]) changed.push(row);
    else if ((flags & FLOW_FLAG.inHw) === 0) notInHw.push(row);
  }
  const missing: number[] = [];
  for (let row = 0; row < table.high; row++) {
    if (table.place[row] === PLACE.resident && seen[row] === 0) missing.push(row);
  }
  return { missing, changed, notInHw, leftOver, rowOf, foreign };
}

/** Key of the pair that rule `i` of the dump is for, −1 when it is no pair's or its link is nobody's. */
export function keyOfDump(dump: FlowDump, i: number, slotOf: SlotOfIfindex): number {
  const pair = pairOfRef({ chain: dump.chain[i] ?? 0, prio: dump.prio[i] ?? 0, handle: dump.handle[i] ?? 0 });
  const src = pair === null ? -1 : slotOf(dump.ifindex[i] ?? 0);
  if (pair === null || src < 0) return -1;
  return pairKey(src, pair.dstSlot, PAIR_VARIANTS.indexOf(pair.variant));
}

function rowOfDump(table: RuleTable, dump: FlowDump, i: number, slotOf: SlotOfIfindex): number {
  const key = keyOfDump(dump, i, slotOf);
  return key < 0 ? -1 : table.find(key);
}
