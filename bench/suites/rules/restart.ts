/** A daemon that finds its rules in place: the table that wants them, a dump, and the difference. */
import type { FlowRule } from '../../../src/ir/flow.ts';
import { flowFingerprint } from '../../../src/ir/flow-fingerprint.ts';
import type { FlowPort } from '../../../src/kernel/flow-port.ts';
import { diffRules } from '../../../src/offload/diff.ts';
import { pairKey, RuleTable } from '../../../src/offload/rule-table.ts';
import { PLACE } from '../../../src/place/cache.ts';
import { LINK } from './rules.ts';

declare const gc: () => void;

function heldBytes(): number {
  gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** All rules resident; endpoint 0 to endpoint i + 1, as `pairRules` makes them. */
export function tableOf(rules: readonly FlowRule[]): {
  readonly table: RuleTable;
  readonly bytesPerRule: number;
} {
  const before = heldBytes();
  const table = new RuleTable();
  rules.forEach((rule, i) => {
    const row = table.ensure(pairKey(0, i + 1, 0), 0);
    table.set(row, PLACE.resident, 'HW_OK', 0);
    table.fingerprint[row] = flowFingerprint(rule);
  });
  return { table, bytesPerRule: (heldBytes() - before) / rules.length };
}

/** One dump and its difference to the table; operations: what would be put or deleted. */
export async function restartOf(
  flows: FlowPort,
  table: RuleTable,
): Promise<{ readonly seconds: number; readonly operations: number }> {
  const startedMs = performance.now();
  const dump = await flows.dump([LINK]);
  const found = diffRules(table, dump, () => 0);
  const seconds = (performance.now() - startedMs) / 1000;
  // Without a NIC no rule is in hardware: that is not counted.
  return { seconds, operations: found.missing.length + found.changed.length + found.leftOver.length };
}
