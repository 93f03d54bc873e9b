/** A dump of a NIC's rules taken in: counters credited, what differs noted to be repaired. */
import type { FlowRef } from '../ir/flow.ts';
import { flowFingerprint } from '../ir/flow-fingerprint.ts';
import { isOurPrio } from '../ir/flow-prio.ts';
import { FLOW_FLAG, type FlowDump } from '../kernel/flow-port.ts';
import type { EndpointId } from '../lib/brand.ts';
import { PLACE } from '../place/cache.ts';
import { diffRules, keyOfDump } from './diff.ts';
import type { NicCache } from './nic-cache.ts';
import { keyDst, keySrc, keyVariant } from './rule-table.ts';
import { STRIKES, STUCK_LOOKS, STUCK_PACKETS, SUSPECT_EVERY_MS } from './tuning.ts';

/** Told what hardware forwarded since the last look. */
export type Credit = (src: EndpointId, dst: EndpointId, packets: number, bytes: number) => void;

export interface LookReport {
  /** Found in place by a daemon that has just started. */
  readonly adopted: number;
  readonly missing: number;
  readonly changed: number;
  readonly evicted: number;
  readonly stuck: number;
  readonly leftOver: number;
  /** Rules of others on these links. */
  readonly foreign: number;
  /** Packets that hardware forwarded since the last look. */
  readonly moved: number;
  /** Rows to put again in place. */
  readonly again: readonly number[];
}

/** A later look: what should be there is known. */
export function takeLook(cache: NicCache, dump: FlowDump, credit: Credit, nowMs: number): LookReport {
  const { table } = cache;
  const found = diffRules(table, dump, cache.slotOf);
  const moved = readCounters(cache, dump, found.rowOf, credit);
  cache.budget.setOthers(found.foreign);
  for (const i of found.leftOver) addLeftOver(cache, dump, i);
  noteMissing(cache, found.missing, dump, nowMs);
  for (const row of found.notInHw) strike(cache, row, 'EVICTED', nowMs);
  const stuck = findStuck(cache, found.rowOf);
  for (const row of stuck) strike(cache, row, 'STUCK', nowMs);
  if (stuck.length > 0) suspectIdle(cache, nowMs);
  return {
    adopted: 0,
    missing: found.missing.length,
    changed: found.changed.length,
    evicted: found.notInHw.length,
    stuck: stuck.length,
    leftOver: found.leftOver.length,
    foreign: found.foreign,
    moved,
    again: found.changed,
  };
}

/** The first look: rules of the daemon before that still say the right thing stay, the others go. */
export function adopt(cache: NicCache, dump: FlowDump, credit: Credit, nowMs: number): LookReport {
  const { table } = cache;
  const rowOf = new Int32Array(dump.count).fill(-1);
  let [adopted, evicted, leftOver, foreign] = [0, 0, 0, 0];
  for (let i = 0; i < dump.count; i++) {
    const flags = dump.flags[i] ?? 0;
    if ((flags & FLOW_FLAG.ours) === 0) foreign += 1;
    else if (isOurPrio(dump.prio[i] ?? 0)) {
      const row = adoptRow(cache, dump, i, nowMs);
      if (row < 0) {
        addLeftOver(cache, dump, i);
        leftOver += 1;
        continue;
      }
      rowOf[i] = row;
      adopted += 1;
      if ((flags & FLOW_FLAG.inHw) !== 0) continue;
      strike(cache, row, 'EVICTED', nowMs);
      evicted += 1;
    }
  }
  cache.budget.setOthers(foreign);
  readCounters(cache, dump, rowOf, credit);
  // What was counted before this daemon's time is no traffic of now.
  for (const row of rowOf) if (row >= 0) table.delta[row] = 0;
  const none = { missing: 0, changed: 0, stuck: 0, moved: 0, again: [] };
  return { ...none, adopted, evicted, leftOver, foreign };
}

function adoptRow(cache: NicCache, dump: FlowDump, i: number, nowMs: number): number {
  const key = keyOfDump(dump, i, cache.slotOf);
  const row = key < 0 ? -1 : cache.ensure(key, nowMs);
  const rule = row < 0 ? null : cache.ruleOf(row);
  if (rule === null || flowFingerprint(rule) !== dump.fingerprint[i]) return -1;
  cache.table.fingerprint[row] = dump.fingerprint[i] ?? 0n;
  cache.table.set(row, PLACE.resident, 'HW_OK', nowMs);
  return row;
}

/** Returns the packets that came since the last look. */
function readCounters(cache: NicCache, dump: FlowDump, rowOf: Int32Array, credit: Credit): number {
  const { table, ports } = cache;
  let moved = 0;
  for (let i = 0; i < dump.count; i++) {
    const row = rowOf[i] ?? -1;
    if (row < 0) continue;
    const more = table.readHardware(row, Number(dump.hwPackets[i] ?? 0n), Number(dump.hwBytes[i] ?? 0n));
    table.counted[row] = more.packets;
    if (more.packets === 0) continue;
    moved += more.packets;
    // It did its work, so dropping it was no refusal.
    table.strikes[row] = 0;
    const key = table.key[row] ?? 0;
    const src = ports.get(keySrc(key));
    const dst = ports.get(keyDst(key));
    if (src !== undefined && dst !== undefined) credit(src.endpoint, dst.endpoint, more.packets, more.bytes);
  }
  return moved;
}

function addLeftOver(cache: NicCache, dump: FlowDump, i: number): void {
  const link = cache.links.get(dump.ifindex[i] ?? 0);
  if (link === undefined) return;
  const ref: FlowRef = {
    link,
    chain: dump.chain[i] ?? 0,
    prio: dump.prio[i] ?? 0,
    protocol: dump.protocol[i] ?? 0,
    handle: dump.handle[i] ?? 0,
  };
  cache.orphans.add(ref);
}

/** Gone without our doing: with the NIC's reset if nothing of ours is left, else by somebody's hand. */
function noteMissing(cache: NicCache, rows: readonly number[], dump: FlowDump, nowMs: number): void {
  const { table } = cache;
  const isReset = rows.length > 0 && dump.count === 0;
  for (const row of rows) {
    table.fingerprint[row] = 0n;
    table.forgetHardware(row);
    table.set(row, PLACE.candidate, isReset ? 'NIC_RESET' : 'REMOVED', nowMs);
  }
}

/**
 * Rules that count nothing while software sees their packets, look after look. Drivers need not tell
 * the kernel that they lost a rule, so `in_hw` may be untrue: the counters are what can be trusted.
 */
function findStuck(cache: NicCache, rowOf: Int32Array): number[] {
  const { table } = cache;
  const stuck: number[] = [];
  for (const row of rowOf) {
    if (row < 0 || table.place[row] !== PLACE.resident) continue;
    const missed = table.missed[row] ?? 0;
    if (table.counted[row] !== 0 || missed === 0) {
      table.missed[row] = 0;
      table.stuck[row] = 0;
      continue;
    }
    if (missed > (table.missedBefore[row] ?? 0)) table.stuck[row] = (table.stuck[row] ?? 0) + 1;
    table.missedBefore[row] = missed;
    const isMuch = missed > STUCK_PACKETS[keyVariant(table.key[row] ?? 0)];
    if (isMuch && (table.stuck[row] ?? 0) >= STUCK_LOOKS) stuck.push(row);
  }
  return stuck;
}

/**
 * A rule that was lost without a word is seldom alone (a reset empties the table): the others that
 * count nothing are put again too. They carry no traffic, so nobody misses them meanwhile.
 */
function suspectIdle(cache: NicCache, nowMs: number): void {
  if (nowMs - cache.suspectedAtMs < SUSPECT_EVERY_MS) return;
  cache.suspectedAtMs = nowMs;
  const idle = [...cache.table.residentRows()].filter(row => cache.table.counted[row] === 0);
  cache.evict(idle, 'NIC_RESET', nowMs);
}

/** Put again at once, but not for ever: a NIC that keeps dropping a rule is left alone for a while. */
function strike(cache: NicCache, row: number, reason: 'EVICTED' | 'STUCK', nowMs: number): void {
  const { table } = cache;
  const strikes = (table.strikes[row] ?? 0) + 1;
  table.strikes[row] = strikes;
  cache.evict([row], reason, nowMs);
  if (strikes >= STRIKES) table.set(row, PLACE.blocked, reason, nowMs);
}
