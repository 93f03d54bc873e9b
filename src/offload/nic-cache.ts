/**
 * The cache of one NIC: which pairs could be in hardware, which are, what comes next. No input or
 * output: the engine asks for moves, lets the kernel do them and tells what came of it.
 */
import { compilePair, type PairVariant, pairRef, pairVariants } from '../compile/pair.ts';
import { type FlowRule, flowShape } from '../ir/flow.ts';
import { flowFingerprint } from '../ir/flow-fingerprint.ts';
import type { FlowResult } from '../kernel/flow-port.ts';
import type { DevlinkHandle } from '../model/nic.ts';
import { CACHE_FLAG, type CacheMoves, moveRules, PLACE } from '../place/cache.ts';
import type { FlowReason } from '../place/flow-state.ts';
import { allPairKeys } from './all-pairs.ts';
import { Budget } from './budget.ts';
import { Orphans } from './orphans.ts';
import { firmwareOf, isSamePort, type NicPorts, type OffloadPort } from './ports.ts';
import { Refusals } from './refusals.ts';
import { keyDst, keySrc, keyVariant, RuleTable } from './rule-table.ts';
import {
  type CacheTuning,
  LONG_BLOCK,
  REFUSALS_IN_A_ROW,
  SHORT_BLOCK,
  TUNING,
  type VariantRefusal,
} from './tuning.ts';
import { putVerdict } from './verdicts.ts';

/** One rule to put, with the row it belongs to. */
export interface Put {
  readonly row: number;
  readonly rule: FlowRule;
}

export interface CacheFacts {
  /** Rules that the NIC's table holds, null: not known. */
  tableSize(nic: NicPorts['nic']): number | null;
  /** What the NIC's profile says against a rule, null: nothing. */
  refusal(nic: NicPorts['nic'], rule: FlowRule): VariantRefusal | null;
}

export class NicCache {
  readonly handle: DevlinkHandle;
  readonly table = new RuleTable();
  readonly budget = new Budget();
  readonly refusals = new Refusals();
  readonly orphans = new Orphans();
  readonly #facts: CacheFacts;
  readonly #tuning: CacheTuning;
  #ports: NicPorts;
  #slotByIfindex = new Map<number, number>();
  /** Shapes that the NIC has taken since its firmware started. */
  readonly #proven = new Set<string>();
  /** Refusals of a shape since it was last taken. */
  readonly #inARow = new Map<string, number>();
  readonly #variants = new Map<PairVariant, KnownVariant>();
  #poll = 0;
  #takesAll = false;
  paused: string | null = null;
  /** When its idle rules were last put again on suspicion. */
  suspectedAtMs = Number.NEGATIVE_INFINITY;

  constructor(ports: NicPorts, facts: CacheFacts, tuning: Partial<CacheTuning> = {}) {
    this.handle = ports.nic.handle;
    this.#facts = facts;
    this.#tuning = { ...TUNING, ...tuning };
    this.#ports = { ...ports, ports: new Map() };
  }

  get ports(): ReadonlyMap<number, OffloadPort> {
    return this.#ports.ports;
  }

  get links(): ReadonlyMap<number, string> {
    return this.#ports.links;
  }

  get takesAll(): boolean {
    return this.#takesAll;
  }

  readonly slotOf = (ifindex: number): number => this.#slotByIfindex.get(ifindex) ?? -1;

  // ---- what is there -----------------------------------------------------------------------------

  /** Another intent or another look at the NIC. True when rules must be compared with the kernel. */
  setPorts(next: NicPorts, nowMs: number): boolean {
    const before = this.#ports;
    this.#ports = next;
    this.#slotByIfindex = new Map(
      [...next.ports.values()].filter(port => port.ifindex !== 0).map(port => [port.ifindex, port.slot]),
    );
    this.budget.setTable(this.#facts.tableSize(next.nic));
    // Without it drivers refuse every rule.
    if (next.nic.tcOffload === true && before.nic.tcOffload === false) this.retryAll(nowMs);
    if (this.refusals.setFirmware(firmwareOf(next.nic))) {
      this.budget.forget();
      this.#proven.clear();
      this.#variants.clear();
      this.#unblock(() => true, nowMs);
    }
    const changed = new Set<number>();
    const rewired = new Set<number>();
    for (const [slot, port] of before.ports) {
      const now = next.ports.get(slot);
      if (now === undefined || !isSamePort(port, now)) changed.add(slot);
      else if (now.ifindex !== port.ifindex) rewired.add(slot);
    }
    if (changed.size > 0) this.#dropRows(changed, before.ports);
    if (rewired.size > 0) this.#rewire(rewired);
    this.#unblock(reason => reason === 'LINK_MISSING', nowMs);
    this.#considerAll(nowMs);
    return changed.size > 0 || rewired.size > 0 || before.links.size !== next.links.size;
  }

  /** Every rule that delivers to one of these ports or comes from it: they go before the port does. */
  retire(reps: ReadonlySet<string>): void {
    const slots = [...this.ports.values()].filter(port => reps.has(port.rep)).map(port => port.slot);
    if (slots.length === 0) return;
    const ports = this.ports;
    this.#ports = {
      ...this.#ports,
      ports: new Map([...ports].filter(([slot]) => !slots.includes(slot as never))),
    };
    this.#dropRows(new Set(slots), ports);
  }

  /** Rows of these ports go; rules that may be in the kernel are left to be deleted. */
  #dropRows(slots: ReadonlySet<number>, ports: ReadonlyMap<number, OffloadPort>): void {
    const { table } = this;
    for (const row of table.rows()) {
      const key = table.key[row] ?? 0;
      if (!slots.has(keySrc(key)) && !slots.has(keyDst(key))) continue;
      const src = ports.get(keySrc(key));
      if (src !== undefined && table.fingerprint[row] !== 0n) {
        this.orphans.add(pairRef(src, keyDst(key), keyVariant(key)));
      }
      table.remove(row);
    }
  }

  /** Rules that send to a representor made anew still point at the old one. */
  #rewire(slots: ReadonlySet<number>): void {
    const { table } = this;
    for (const row of table.rows()) {
      if (slots.has(keyDst(table.key[row] ?? 0)) && table.place[row] === PLACE.resident) this.markStale(row);
    }
  }

  /** Whatever the kernel shows for the row, it is put again. */
  markStale(row: number): void {
    this.table.fingerprint[row] = 1n;
  }

  // ---- candidates --------------------------------------------------------------------------------

  /** A small host's pairs all go at once: nobody has to wait for traffic to be seen. */
  #considerAll(nowMs: number): void {
    const pairs = allPairKeys(this.ports.values(), this.budget.value * this.#tuning.takeAllPart);
    const isSmall = pairs !== null;
    if (this.#takesAll && !isSmall) {
      for (const row of this.table.rows()) {
        this.table.flags[row] = (this.table.flags[row] ?? 0) & ~CACHE_FLAG.always;
      }
    }
    this.#takesAll = isSmall;
    for (const key of pairs ?? []) {
      const row = this.ensure(key, nowMs);
      if (row >= 0) this.table.flags[row] = (this.table.flags[row] ?? 0) | CACHE_FLAG.always;
    }
  }

  /** Row of a pair that could be in hardware, −1 for one that could not. */
  ensure(key: number, nowMs: number): number {
    const known = this.table.find(key);
    if (known >= 0) return known;
    const src = this.ports.get(keySrc(key));
    const dst = this.ports.get(keyDst(key));
    if (src === undefined || dst === undefined || src === dst || src.network !== dst.network) return -1;
    const variant = keyVariant(key);
    if (!pairVariants(src, dst).includes(variant)) return -1;
    const row = this.table.ensure(key, nowMs);
    if (src.required) this.table.flags[row] = CACHE_FLAG.required;
    const refused = this.refusalOf(variant, src, dst);
    if (refused !== null) this.table.set(row, PLACE.blocked, refused.reason, nowMs, refused.text);
    return row;
  }

  /** What is known against rules of this variant: learned, or from the NIC's profile. */
  refusalOf(variant: PairVariant, src: OffloadPort, dst: OffloadPort): VariantRefusal | null {
    const known = this.#knownOf(variant, src, dst);
    if (known === null) return null;
    const learned = this.refusals.of(known.shape);
    if (learned !== null) return { reason: learned.reason, text: learned.extack };
    return known.profile;
  }

  /** The same for every pair, so one rule of each variant is made to find out. */
  #knownOf(variant: PairVariant, src: OffloadPort, dst: OffloadPort): KnownVariant | null {
    const known = this.#variants.get(variant);
    if (known !== undefined) return known;
    const rule = compilePair(src.switchMac, src, dst, variant);
    if (rule === null) return null;
    const found = { shape: flowShape(rule), profile: this.#facts.refusal(this.#ports.nic, rule) };
    this.#variants.set(variant, found);
    return found;
  }

  /** Somebody asks to try again what was refused. */
  retryAll(nowMs: number): void {
    this.refusals.clear();
    this.budget.forget();
    this.#variants.clear();
    this.#unblock(() => true, nowMs);
  }

  // ---- moves -------------------------------------------------------------------------------------

  /** One poll: heat is settled and the next moves are chosen. */
  decide(seconds: number, nowMs: number): CacheMoves {
    this.#poll += 1;
    this.table.settle(seconds);
    this.budget.tick(this.table.residents, this.#poll);
    if (this.#poll % SHORT_BLOCK.polls === 0) this.#unblock(reason => SHORT_BLOCK.reasons.has(reason), nowMs);
    if (this.#poll % this.#tuning.longBlockPolls === 0) this.#unblockLong(nowMs);
    if (this.#poll % this.#tuning.sweepPolls === 0) this.#sweep();
    this.#retryRefused(nowMs);
    if (this.paused !== null) return { evict: [], admit: [] };
    return moveRules(this.table, { ...this.#tuning.cache, budget: this.budget.value, poll: this.#poll });
  }

  /**
   * The first row of each shape that this NIC was never seen to take, then the others: what is refused
   * is refused once, not for a whole batch.
   */
  scoutsFirst(rows: readonly number[]): readonly (readonly number[])[] {
    const scouts = new Map<string, number>();
    for (const row of rows) {
      const shape = shapeOf(keyVariant(this.table.key[row] ?? 0));
      if (!this.#proven.has(shape) && !scouts.has(shape)) scouts.set(shape, row);
    }
    if (scouts.size === 0) return [rows];
    const first = [...scouts.values()];
    return [first, rows.filter(row => !first.includes(row))];
  }

  /** The rule of a row, null when an end is gone. */
  ruleOf(row: number): FlowRule | null {
    const key = this.table.key[row] ?? 0;
    const src = this.ports.get(keySrc(key));
    const dst = this.ports.get(keyDst(key));
    return src === undefined || dst === undefined
      ? null
      : compilePair(src.switchMac, src, dst, keyVariant(key));
  }

  /** Rows leave hardware: what must be deleted. They are candidates again at once. */
  evict(rows: readonly number[], reason: FlowReason, nowMs: number): void {
    for (const row of rows) {
      const rule = this.ruleOf(row);
      if (rule !== null) this.orphans.add(rule);
      this.table.fingerprint[row] = 0n;
      this.table.set(row, PLACE.candidate, reason, nowMs);
    }
  }

  /** Rows that shall go in, as rules. What cannot be tried now is blocked instead. */
  puts(rows: readonly number[], nowMs: number): Put[] {
    return rows.flatMap(row => {
      if (this.table.place[row] === PLACE.blocked) return [];
      const rule = this.ruleOf(row);
      const key = this.table.key[row] ?? 0;
      const isThere = (slot: number): boolean => (this.ports.get(slot)?.ifindex ?? 0) !== 0;
      if (rule === null) {
        this.table.remove(row);
        return [];
      }
      if (!isThere(keySrc(key)) || !isThere(keyDst(key))) {
        if (this.table.fingerprint[row] !== 0n) this.orphans.add(rule);
        this.table.fingerprint[row] = 0n;
        this.table.set(row, PLACE.blocked, 'LINK_MISSING', nowMs);
        return [];
      }
      // A new rule in the place of one that is still to be deleted replaces it.
      this.orphans.gone(rule);
      this.table.fingerprint[row] = flowFingerprint(rule);
      return [{ row, rule }];
    });
  }

  /** What came of a put. True when the table is full and the rest need not be tried. */
  putDone({ row, rule }: Put, result: FlowResult, nowMs: number): boolean {
    const { table } = this;
    const verdict = putVerdict(result);
    const wasResident = table.place[row] === PLACE.resident;
    if (verdict.kind === 'done') {
      this.#proven.add(shapeOf(keyVariant(table.key[row] ?? 0)));
      this.#inARow.delete(shapeOf(keyVariant(table.key[row] ?? 0)));
      this.#accepted(rule, nowMs);
      if (!wasResident) table.since[row] = this.#poll;
      table.set(row, PLACE.resident, 'HW_OK', nowMs);
      table.forgetHardware(row);
      return false;
    }
    // A refused replacement leaves the old rule where it was; it says something else, so it must go.
    if (wasResident || result.errno === 0) this.orphans.add(rule);
    table.fingerprint[row] = 0n;
    if (verdict.kind === 'full') {
      table.set(row, PLACE.candidate, 'TABLE_FULL', nowMs, verdict.text);
      return true;
    }
    if (verdict.kind === 'refused') {
      this.#refused(rule, row, result.errno, verdict.text, nowMs);
      return false;
    }
    table.set(row, PLACE.blocked, verdict.reason, nowMs, verdict.text);
    return false;
  }

  /** After a batch in which the table was full. */
  full(): void {
    this.budget.full(this.table.residents, this.#poll);
  }

  #accepted(rule: FlowRule, nowMs: number): void {
    const shape = flowShape(rule);
    if (this.refusals.of(shape) === null) return;
    this.refusals.accepted(shape);
    this.#unblock(reason => reason === 'DRIVER_REJECT', nowMs);
  }

  /**
   * A refusal speaks for all rules of the shape, which are then not tried one by one; unless the NIC has
   * taken that shape before: then it is about this rule, until several in a row are refused.
   */
  #refused(rule: FlowRule, row: number, errno: number, extack: string, nowMs: number): void {
    const variant = keyVariant(this.table.key[row] ?? 0);
    const shape = shapeOf(variant);
    this.table.set(row, PLACE.blocked, 'DRIVER_REJECT', nowMs, extack);
    const inARow = (this.#inARow.get(shape) ?? 0) + 1;
    this.#inARow.set(shape, inARow);
    if (this.#proven.has(shape) && inARow < REFUSALS_IN_A_ROW) return;
    this.refusals.learn(flowShape(rule), { reason: 'DRIVER_REJECT', extack, errno }, nowMs);
    this.#proven.delete(shape);
    for (const other of this.table.rows()) {
      if (this.table.place[other] !== PLACE.candidate) continue;
      if (shapeOf(keyVariant(this.table.key[other] ?? 0)) === shape)
        this.table.set(other, PLACE.blocked, 'DRIVER_REJECT', nowMs, extack);
    }
  }

  /** After a while one rule of a refused shape may try again. */
  #retryRefused(nowMs: number): void {
    for (const [shape] of this.refusals.list()) {
      if (!this.refusals.mayRetry(shape, nowMs)) continue;
      for (const row of this.table.rows()) {
        const rule = this.table.reason(row) === 'DRIVER_REJECT' ? this.ruleOf(row) : null;
        if (rule === null || flowShape(rule) !== shape) continue;
        this.table.set(row, PLACE.candidate, 'QUEUED', nowMs);
        break;
      }
    }
  }

  /** What was refused alone may be asked again; what is refused by shape waits for its own time. */
  #unblockLong(nowMs: number): void {
    const isRefused = this.refusals.list().length > 0;
    this.#unblock(reason => LONG_BLOCK.has(reason) || (reason === 'DRIVER_REJECT' && !isRefused), nowMs);
  }

  #unblock(which: (reason: FlowReason) => boolean, nowMs: number): void {
    const { table } = this;
    for (const row of table.rows()) {
      if (table.place[row] === PLACE.blocked && which(table.reason(row))) {
        table.set(row, PLACE.candidate, 'COLD', nowMs);
        table.strikes[row] = 0;
      }
    }
  }

  /** Forgets pairs that fell silent; the kernel's own list of pairs is bounded too. */
  #sweep(): void {
    const { table } = this;
    if (table.size <= this.#tuning.keepRows) return;
    for (const row of table.rows()) {
      const isIdle = (table.heat[row] ?? 0) === 0 && ((table.flags[row] ?? 0) & CACHE_FLAG.always) === 0;
      if (table.place[row] === PLACE.candidate && isIdle) table.remove(row);
    }
  }
}

/** What holds for all rules of a variant. */
interface KnownVariant {
  readonly shape: string;
  readonly profile: VariantRefusal | null;
}

const shapeOf = (variant: PairVariant): string => (variant === 'ip4' ? 'ip4' : 'ip6');
