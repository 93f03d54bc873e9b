/**
 * The rules of one NIC, one array per column: about 150 bytes a rule, twice that right after the
 * arrays grew. Rule objects are made for a batch and thrown away.
 */
import { PAIR_VARIANTS, type PairVariant } from '../compile/pair.ts';
import { type CacheColumns, PLACE } from '../place/cache.ts';
import { type FlowReason, type FlowState, reasonCode, reasonOf, stateOf } from '../place/flow-state.ts';
import { settleHeat, weigh } from '../place/heat.ts';
import { PairIndex } from './pair-index.ts';
import { Texts } from './texts.ts';

/** Slots are below 2^16 and there are fewer than four variants, so a key is exact. */
export const pairKey = (src: number, dst: number, variant: number): number =>
  (src * 0x10000 + dst) * 4 + variant;
export const keySrc = (key: number): number => Math.floor(key / 0x40000);
export const keyDst = (key: number): number => Math.floor(key / 4) % 0x10000;
export const keyVariant = (key: number): PairVariant => PAIR_VARIANTS[key % 4] ?? 'ip4';

const FIRST_CAPACITY = 256;

export class RuleTable implements CacheColumns {
  high = 0;
  place = new Uint8Array(FIRST_CAPACITY);
  flags = new Uint8Array(FIRST_CAPACITY);
  heat = new Float32Array(FIRST_CAPACITY);
  key = new Float64Array(FIRST_CAPACITY);
  since = new Uint32Array(FIRST_CAPACITY);
  streak = new Uint8Array(FIRST_CAPACITY);
  challenged = new Uint32Array(FIRST_CAPACITY);
  /** As put; 0 while nothing was. */
  fingerprint = new BigUint64Array(FIRST_CAPACITY);
  /** Counters at the last look, of hardware and of software; both only grow while a rule or a pair lives. */
  hwPackets = new Float64Array(FIRST_CAPACITY);
  hwBytes = new Float64Array(FIRST_CAPACITY);
  swPackets = new Float64Array(FIRST_CAPACITY);
  swBytes = new Float64Array(FIRST_CAPACITY);
  /** Weighed traffic since the last poll. */
  delta = new Float64Array(FIRST_CAPACITY);
  /** Unix time in milliseconds since when `reason` holds. */
  changedMs = new Float64Array(FIRST_CAPACITY);
  /** Looks in which the pair moved in software since its rule last counted a packet. */
  stuck = new Uint8Array(FIRST_CAPACITY);
  /** Packets that software saw since the rule last counted one, now and at the look before. */
  missed = new Float64Array(FIRST_CAPACITY);
  missedBefore = new Float64Array(FIRST_CAPACITY);
  /** Packets that hardware counted between the last two looks. */
  counted = new Float64Array(FIRST_CAPACITY);
  /** Times the NIC dropped the rule by itself. */
  strikes = new Uint8Array(FIRST_CAPACITY);
  #reason = new Uint8Array(FIRST_CAPACITY);
  #extack = new Uint16Array(FIRST_CAPACITY);
  readonly #index = new PairIndex();
  readonly #texts = new Texts();
  readonly #free: number[] = [];
  #size = 0;
  #residents = 0;

  get size(): number {
    return this.#size;
  }

  get residents(): number {
    return this.#residents;
  }

  /** Row of a pair, −1 when it has none. */
  find(key: number): number {
    return this.#index.get(key);
  }

  /** Row of a pair, made as a cold candidate when it has none. */
  ensure(key: number, nowMs: number): number {
    const found = this.#index.get(key);
    if (found >= 0) return found;
    const row = this.#free.pop() ?? this.#append();
    this.#clear(row);
    this.place[row] = PLACE.candidate;
    this.key[row] = key;
    this.#reason[row] = reasonCode('COLD');
    this.changedMs[row] = nowMs;
    this.#index.set(key, row);
    this.#size += 1;
    return row;
  }

  remove(row: number): void {
    if (this.place[row] === PLACE.free) return;
    if (this.place[row] === PLACE.resident) this.#residents -= 1;
    this.place[row] = PLACE.free;
    this.#index.delete(this.key[row] ?? 0);
    this.#free.push(row);
    this.#size -= 1;
  }

  /** What the row is to the placer, and what people are told; `since` moves only when that changes. */
  set(row: number, place: 1 | 2 | 3, reason: FlowReason, nowMs: number, extack = ''): void {
    const was = this.place[row];
    if (was === PLACE.resident && place !== PLACE.resident) this.#residents -= 1;
    if (was !== PLACE.resident && place === PLACE.resident) this.#residents += 1;
    this.place[row] = place;
    const code = reasonCode(reason);
    const text = this.#texts.id(extack);
    if (this.#reason[row] !== code) this.changedMs[row] = nowMs;
    this.#reason[row] = code;
    this.#extack[row] = text;
  }

  reason(row: number): FlowReason {
    return reasonOf(this.#reason[row] ?? 0);
  }

  state(row: number): FlowState {
    return stateOf(this.reason(row));
  }

  extack(row: number): string {
    return this.#texts.text(this.#extack[row] ?? 0);
  }

  /** Takes a hardware counter's reading; returns what came since the last one. A smaller one starts anew. */
  readHardware(row: number, packets: number, bytes: number): { packets: number; bytes: number } {
    const before = this.hwPackets[row] ?? 0;
    const isSame = packets >= before;
    const more = {
      packets: packets - (isSame ? before : 0),
      bytes: bytes - (isSame ? (this.hwBytes[row] ?? 0) : 0),
    };
    this.hwPackets[row] = packets;
    this.hwBytes[row] = bytes;
    this.delta[row] = (this.delta[row] ?? 0) + weigh(more.packets, more.bytes);
    return more;
  }

  /** The same of the software eswitch's counter; `isFirst`: the reading is a start, not traffic. */
  readSoftware(row: number, packets: number, bytes: number, isFirst: boolean): number {
    const before = this.swPackets[row] ?? 0;
    const isSame = packets >= before;
    const morePackets = packets - (isSame ? before : 0);
    const moreBytes = bytes - (isSame ? (this.swBytes[row] ?? 0) : 0);
    this.swPackets[row] = packets;
    this.swBytes[row] = bytes;
    if (isFirst) return 0;
    this.delta[row] = (this.delta[row] ?? 0) + weigh(morePackets, moreBytes);
    return morePackets;
  }

  /** After a rule was put anew: its counters start at zero. */
  forgetHardware(row: number): void {
    this.hwPackets[row] = 0;
    this.hwBytes[row] = 0;
    this.stuck[row] = 0;
    this.missed[row] = 0;
    this.missedBefore[row] = 0;
    this.counted[row] = 0;
  }

  settle(seconds: number): void {
    settleHeat(this.heat, this.delta, this.high, seconds);
  }

  *rows(): Generator<number> {
    for (let row = 0; row < this.high; row++) if (this.place[row] !== PLACE.free) yield row;
  }

  *residentRows(): Generator<number> {
    for (let row = 0; row < this.high; row++) if (this.place[row] === PLACE.resident) yield row;
  }

  /** Bytes held by the arrays. */
  get byteLength(): number {
    const columns = [this.place, this.flags, this.heat, this.key, this.since, this.streak, this.challenged];
    const more = [this.fingerprint, this.hwPackets, this.hwBytes, this.swPackets, this.swBytes, this.delta];
    const rest = [
      this.changedMs,
      this.stuck,
      this.missed,
      this.counted,
      this.strikes,
      this.#reason,
      this.#extack,
    ];
    const sum = [...columns, ...more, ...rest].reduce((total, each) => total + each.byteLength, 0);
    return sum + this.#index.byteLength;
  }

  #append(): number {
    if (this.high === this.place.length) this.#grow(this.high * 2);
    this.high += 1;
    return this.high - 1;
  }

  #clear(row: number): void {
    this.flags[row] = 0;
    this.heat[row] = 0;
    this.since[row] = 0;
    this.streak[row] = 0;
    this.challenged[row] = 0;
    this.fingerprint[row] = 0n;
    this.swPackets[row] = 0;
    this.swBytes[row] = 0;
    this.delta[row] = 0;
    this.strikes[row] = 0;
    this.#extack[row] = 0;
    this.forgetHardware(row);
  }

  #grow(capacity: number): void {
    const wider = <A extends { set(from: A): void }>(from: A, to: A): A => {
      to.set(from);
      return to;
    };
    this.place = wider(this.place, new Uint8Array(capacity));
    this.flags = wider(this.flags, new Uint8Array(capacity));
    this.heat = wider(this.heat, new Float32Array(capacity));
    this.key = wider(this.key, new Float64Array(capacity));
    this.since = wider(this.since, new Uint32Array(capacity));
    this.streak = wider(this.streak, new Uint8Array(capacity));
    this.challenged = wider(this.challenged, new Uint32Array(capacity));
    this.fingerprint = wider(this.fingerprint, new BigUint64Array(capacity));
    this.hwPackets = wider(this.hwPackets, new Float64Array(capacity));
    this.hwBytes = wider(this.hwBytes, new Float64Array(capacity));
    this.swPackets = wider(this.swPackets, new Float64Array(capacity));
    this.swBytes = wider(this.swBytes, new Float64Array(capacity));
    this.delta = wider(this.delta, new Float64Array(capacity));
    this.changedMs = wider(this.changedMs, new Float64Array(capacity));
    this.stuck = wider(this.stuck, new Uint8Array(capacity));
    this.missed = wider(this.missed, new Float64Array(capacity));
    this.missedBefore = wider(this.missedBefore, new Float64Array(capacity));
    this.counted = wider(this.counted, new Float64Array(capacity));
    this.strikes = wider(this.strikes, new Uint8Array(capacity));
    this.#reason = wider(this.#reason, new Uint8Array(capacity));
    this.#extack = wider(this.#extack, new Uint16Array(capacity));
  }
}
