/**
 * A slow look at what rules really say, one representor at a time. The terse dump compares cookies, which
 * say what was put; it does not show a rule that points at a link that is no more, or one that somebody
 * edited and left our cookie on.
 */
import { PAIR_VARIANTS, pairOfRef } from '../compile/pair.ts';
import { flowFingerprint } from '../ir/flow-fingerprint.ts';
import type { FlowPort } from '../kernel/flow-port.ts';
import { PLACE } from '../place/cache.ts';
import type { NicCache } from './nic-cache.ts';
import { pairKey } from './rule-table.ts';

type ReadRules = Awaited<ReturnType<FlowPort['read']>>;

/** Marks rows whose rule is not what it should be: the next poll puts them again. Returns how many. */
export function auditRules(cache: NicCache, srcSlot: number, rules: ReadRules): number {
  const { table } = cache;
  let wrong = 0;
  for (const { inHw: _inHw, ours, ...rule } of rules) {
    const pair = ours ? pairOfRef(rule) : null;
    if (pair === null) continue;
    const row = table.find(pairKey(srcSlot, pair.dstSlot, PAIR_VARIANTS.indexOf(pair.variant)));
    if (row < 0 || table.place[row] !== PLACE.resident) continue;
    const wanted = cache.ruleOf(row);
    if (wanted === null || flowFingerprint(wanted) === flowFingerprint(rule)) continue;
    cache.markStale(row);
    wrong += 1;
  }
  return wrong;
}

/** The representor whose turn it is, round after round by slot; null when there is none. */
export class AuditTurn {
  #lastSlot = -1;

  next(cache: NicCache): { readonly slot: number; readonly rep: string } | null {
    const ports = [...cache.ports.values()]
      .filter(({ ifindex }) => ifindex !== 0)
      .sort((a, b) => a.slot - b.slot);
    const port = ports.find(({ slot }) => slot > this.#lastSlot) ?? ports[0];
    if (port === undefined) return null;
    this.#lastSlot = port.slot;
    return port;
  }
}
