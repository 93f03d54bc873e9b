/**
 * Keeps the caches of all NICs: its own loop beside the reconciler, which never waits for it, except
 * when a port goes: then the rules that deliver to it go first (`retire`).
 */
import type { FlowRef } from '../ir/flow.ts';
import type { FlowDump, FlowPort } from '../kernel/flow-port.ts';
import type { PairCounter } from '../kernel/port.ts';
import type { EndpointId, Revision } from '../lib/brand.ts';
import { asEswError, type EswError } from '../lib/errors.ts';
import type { Identity, Intent } from '../model/intent.ts';
import type { DevlinkHandle, Inventory } from '../model/nic.ts';
import { AuditTurn, auditRules } from './audit.ts';
import { adopt, type Credit, type LookReport, takeLook } from './look.ts';
import { type CacheFacts, NicCache } from './nic-cache.ts';
import { portsByNic } from './ports.ts';
import { takeSample } from './sample.ts';
import { Totals } from './totals.ts';
import { type CacheTuning, LOOP, type LoopTuning } from './tuning.ts';
import { isGone } from './verdicts.ts';

/** Time as the engine uses it; structurally the reconciler's. */
export interface EngineClock {
  /** Unix time, milliseconds. */
  now(): number;
  after(delayMs: number, action: () => void): () => void;
  random(): number;
}

export interface EngineDeps {
  readonly identity: Identity;
  readonly store: { readonly revision: Revision; intent(): Intent };
  readonly flows: FlowPort;
  readonly facts: CacheFacts;
  readonly clock: EngineClock;
  /** The NICs as last looked at; a new object when something changed. */
  inventory(): Inventory;
  pairs(): Promise<readonly PairCounter[]>;
  readonly onPoll?: (report: PollReport) => void;
  readonly onError?: (error: EswError) => void;
  readonly cacheTuning?: Partial<CacheTuning>;
  readonly loopTuning?: Partial<LoopTuning>;
}

/** What one poll did to one NIC, for the log. */
export interface PollReport extends Omit<LookReport, 'again' | 'moved'> {
  readonly nic: DevlinkHandle;
  readonly put: number;
  readonly refused: number;
  readonly deleted: number;
}

/** A port that must not go yet: rules that deliver to it are still there. */
export interface Held {
  readonly rep: string;
  readonly text: string;
}

export class OffloadEngine {
  readonly totals = new Totals();
  /** Refusals by NIC and reason since the start. */
  readonly errors = new Map<string, number>();
  readonly #deps: EngineDeps;
  readonly #loop: LoopTuning;
  readonly #caches = new Map<DevlinkHandle, NicCache>();
  readonly #looked = new Set<DevlinkHandle>();
  readonly #sampled = new Set<DevlinkHandle>();
  readonly #paused = new Map<DevlinkHandle, string>();
  readonly #retired = new Set<string>();
  readonly #audits = new Map<DevlinkHandle, AuditTurn>();
  #auditedAtMs = 0;
  #seenRevision = -1;
  #seenInventory: Inventory | null = null;
  #polledAtMs = 0;
  #delayMs: number;
  #lock: Promise<unknown> = Promise.resolve();
  #running: Promise<void> | null = null;
  #isKicked = false;
  #isStopping = false;
  #cancel: () => void = () => {};

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    this.#loop = { ...LOOP, ...deps.loopTuning };
    this.#delayMs = this.#loop.activeMs;
  }

  get caches(): ReadonlyMap<DevlinkHandle, NicCache> {
    return this.#caches;
  }

  /**
   * Finds what the daemon before has left and removes what nobody wants any more: before the
   * reconciler hands out a port again. Never throws; what fails is tried again by the loop.
   */
  async start(): Promise<void> {
    this.#polledAtMs = this.#deps.clock.now();
    await this.#run();
  }

  /** A round of the reconciler is done: ports that were retired have gone, or are there to stay. */
  roundDone(): void {
    this.#retired.clear();
    this.kick();
  }

  /** Forgets what NICs refused: an operator has changed something, or wants to know. */
  retryRefused(): void {
    for (const cache of this.#caches.values()) cache.retryAll(this.#deps.clock.now());
    this.kick();
  }

  /** Something changed: an endpoint, a NIC. */
  kick(): void {
    this.#seenRevision = -1;
    this.#delayMs = this.#loop.activeMs;
    this.#isKicked = true;
    this.#cancel();
    void this.#run();
  }

  /**
   * Removes every rule from or to these representors and puts no new ones. Resolves when the kernel
   * has said that they are gone; what is returned could not be removed, and its port must stay.
   */
  async retire(reps: readonly string[]): Promise<readonly Held[]> {
    for (const rep of reps) this.#retired.add(rep);
    return this.#exclusive(async () => {
      if (this.#seenInventory === null) this.#sync();
      const held: Held[] = [];
      for (const cache of this.#caches.values()) {
        try {
          held.push(...(await this.#retireFrom(cache, reps)));
        } catch (error) {
          held.push(...reps.map(rep => ({ rep, text: asEswError(error).message })));
        }
      }
      return held;
    });
  }

  /** No rule is put while `why` holds; with `clear` the ones that are there go first. */
  async pause(nic: DevlinkHandle, why: string, clear: boolean): Promise<void> {
    this.#paused.set(nic, why);
    const cache = this.#caches.get(nic);
    if (cache === undefined) return;
    cache.paused = why;
    if (!clear) return;
    await this.#exclusive(async () => {
      cache.evict([...cache.table.residentRows()], 'PAUSED', this.#deps.clock.now());
      await this.#deleteOrphans(cache);
    });
  }

  resume(nic: DevlinkHandle): void {
    this.#paused.delete(nic);
    const cache = this.#caches.get(nic);
    if (cache !== undefined) cache.paused = null;
    this.kick();
  }

  /** Rules stay where they are: containers go on while no daemon runs. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#cancel();
    await this.#running;
    await this.#lock;
  }

  // ---- the loop ----------------------------------------------------------------------------------

  /** One poll at a time; a kick that comes while one runs gets its own. */
  #run(): Promise<void> {
    if (this.#isStopping) return Promise.resolve();
    this.#running ??= this.#polls().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #polls(): Promise<void> {
    do {
      this.#isKicked = false;
      try {
        await this.#poll();
      } catch (error) {
        this.#delayMs = this.#loop.idleMs;
        this.#deps.onError?.(asEswError(error));
      }
    } while (this.#isKicked && !this.#isStopping);
    if (this.#isStopping || !this.#hasWork) return;
    const jitter = 0.9 + 0.2 * this.#deps.clock.random();
    this.#cancel = this.#deps.clock.after(this.#delayMs * jitter, () => void this.#run());
  }

  /** Without endpoints on NICs there is nothing to poll; a kick tells when there are. */
  get #hasWork(): boolean {
    return [...this.#caches.values()].some(cache => cache.ports.size > 0 || cache.orphans.size > 0);
  }

  async #poll(): Promise<void> {
    const { clock, pairs } = this.#deps;
    const startedMs = clock.now();
    this.#sync();
    if (this.#caches.size === 0) return;
    const counters = this.#hasWork ? await pairs() : [];
    const seconds = (startedMs - this.#polledAtMs) / 1000;
    this.#polledAtMs = startedMs;
    let isActive = false;
    let lookMs = 0;
    for (const cache of this.#caches.values()) {
      const beforeMs = clock.now();
      const look = await this.#exclusive(() => this.#look(cache));
      lookMs += clock.now() - beforeMs;
      const software = takeSample(cache, counters, !this.#sampled.has(cache.handle), clock.now());
      this.#sampled.add(cache.handle);
      const done = await this.#move(cache, look, seconds);
      this.#deps.onPoll?.({ nic: cache.handle, ...look, ...done });
      isActive ||= software > 0 || look.moved > 0 || done.put + done.deleted > 0;
    }
    this.#setDelay(isActive, lookMs);
    if (clock.now() - this.#auditedAtMs >= this.#loop.auditMs) await this.#audit();
  }

  /** One representor of each NIC: decoding all rules at once would take seconds on a large host. */
  async #audit(): Promise<void> {
    this.#auditedAtMs = this.#deps.clock.now();
    for (const cache of this.#caches.values()) {
      const turn = this.#audits.get(cache.handle) ?? new AuditTurn();
      this.#audits.set(cache.handle, turn);
      const port = turn.next(cache);
      if (port === null) continue;
      await this.#exclusive(async () =>
        auditRules(cache, port.slot, await this.#deps.flows.read([port.rep])),
      );
    }
  }

  #setDelay(isActive: boolean, lookMs: number): void {
    const { activeMs, idleMs, mostMs, lookPart } = this.#loop;
    const calm = isActive ? activeMs : Math.min(idleMs, Math.max(activeMs, this.#delayMs * 2));
    this.#delayMs = Math.min(mostMs, Math.max(calm, lookMs * lookPart));
  }

  /** Intent and NICs → ports of each cache. NICs that left switchdev mode took their rules along. */
  #sync(): void {
    const { store, identity, clock } = this.#deps;
    const inventory = this.#deps.inventory();
    const { revision } = store;
    if (revision === this.#seenRevision && inventory === this.#seenInventory) return;
    this.#seenRevision = revision;
    this.#seenInventory = inventory;
    const intent = store.intent();
    const found = portsByNic(identity, intent, inventory, rep => this.#retired.has(rep));
    for (const handle of this.#caches.keys()) {
      if (found.has(handle)) continue;
      this.#caches.delete(handle);
      this.#looked.delete(handle);
      this.#sampled.delete(handle);
    }
    for (const [handle, ports] of found) {
      const cache = this.#caches.get(handle) ?? this.#addCache(handle, ports);
      cache.setPorts(ports, clock.now());
    }
    this.totals.keep(endpoint => intent.endpoints.has(endpoint));
  }

  #addCache(handle: DevlinkHandle, ports: Parameters<NicCache['setPorts']>[0]): NicCache {
    const cache = new NicCache(ports, this.#deps.facts, this.#deps.cacheTuning);
    cache.paused = this.#paused.get(handle) ?? null;
    this.#caches.set(handle, cache);
    return cache;
  }

  async #look(cache: NicCache): Promise<LookReport> {
    const links = [...cache.links.values()];
    const dump = links.length === 0 ? NO_RULES : await this.#deps.flows.dump(links);
    const credit: Credit = (src, dst, packets, bytes) => this.totals.add(src, dst, packets, bytes);
    const nowMs = this.#deps.clock.now();
    if (this.#looked.has(cache.handle)) return takeLook(cache, dump, credit, nowMs);
    this.#looked.add(cache.handle);
    return adopt(cache, dump, credit, nowMs);
  }

  // ---- moves -------------------------------------------------------------------------------------

  async #move(
    cache: NicCache,
    look: LookReport,
    seconds: number,
  ): Promise<Pick<PollReport, 'put' | 'refused' | 'deleted'>> {
    const moves = cache.decide(seconds, this.#deps.clock.now());
    cache.evict(moves.evict, 'COLD', this.#deps.clock.now());
    // Places are free before they are taken again.
    const deleted = await this.#exclusive(() => this.#deleteOrphans(cache));
    const rows = cache.paused === null ? [...look.again, ...moves.admit] : [];
    const batches = cache.scoutsFirst(rows).flatMap(part => slices(part, this.#loop.batch));
    let [put, refused] = [0, 0];
    for (const batch of batches) {
      if (this.#isStopping) break;
      const done = await this.#exclusive(() => this.#put(cache, batch));
      put += done.put;
      refused += done.refused;
      if (done.isFull) break;
    }
    return { put, refused, deleted };
  }

  async #put(
    cache: NicCache,
    rows: readonly number[],
  ): Promise<{ readonly put: number; readonly refused: number; readonly isFull: boolean }> {
    const { flows, clock } = this.#deps;
    const puts = cache.puts(rows, clock.now());
    if (puts.length === 0) return { put: 0, refused: 0, isFull: false };
    const results = await flows.put(puts.map(({ rule }) => rule));
    let isFull = false;
    let refused = 0;
    for (const [i, put] of puts.entries()) {
      const result = results[i] ?? { errno: 5, extack: 'no answer', inHw: false };
      if (cache.putDone(put, result, clock.now())) isFull = true;
      if (result.errno === 0 && result.inHw) continue;
      refused += 1;
      this.#countError(cache, cache.table.reason(put.row));
    }
    if (isFull) cache.full();
    return { put: puts.length - refused, refused, isFull };
  }

  #countError(cache: NicCache, reason: string): void {
    const key = `${cache.handle} ${reason}`;
    this.errors.set(key, (this.errors.get(key) ?? 0) + 1);
  }

  /** Returns how many went. What the kernel would not delete stays an orphan for the next poll. */
  async #deleteOrphans(cache: NicCache): Promise<number> {
    let deleted = 0;
    for (let left = cache.orphans.size; left > 0; left -= this.#loop.batch) {
      deleted += await this.#delete(cache, cache.orphans.take(Math.min(left, this.#loop.batch)));
    }
    return deleted;
  }

  async #delete(cache: NicCache, refs: readonly FlowRef[]): Promise<number> {
    if (refs.length === 0) return 0;
    const results = await this.#deps.flows.delete(refs);
    let gone = 0;
    for (const [i, ref] of refs.entries()) {
      const result = results[i];
      if (result !== undefined && isGone(result)) {
        cache.orphans.gone(ref);
        gone += 1;
      } else cache.orphans.postpone(ref);
    }
    return gone;
  }

  async #retireFrom(cache: NicCache, reps: readonly string[]): Promise<Held[]> {
    if (!this.#looked.has(cache.handle)) await this.#look(cache);
    const slots = new Map([...cache.ports.values()].map(port => [port.rep, port.slot as number]));
    cache.retire(new Set(reps));
    const held: Held[] = [];
    const touching = () => reps.map(rep => [rep, cache.orphans.touching(rep, slots.get(rep))] as const);
    const refs = touching().flatMap(([, each]) => each);
    for (let at = 0; at < refs.length; at += this.#loop.batch) {
      await this.#delete(cache, refs.slice(at, at + this.#loop.batch));
    }
    for (const [rep, left] of touching()) {
      if (left.length > 0) held.push({ rep, text: `${left.length} hardware rules could not be removed` });
    }
    return held;
  }

  /** Kernel calls one after the other, so that nothing is put behind the back of a retirement. */
  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lock.then(work, work);
    this.#lock = done.catch(() => {});
    return done;
  }

  /** What hardware forwarded from and to an endpoint. */
  totalsOf(endpoint: EndpointId): ReturnType<Totals['of']> {
    return this.totals.of(endpoint);
  }
}

const NO_RULES: FlowDump = {
  ...{ count: 0, ifindex: new Uint32Array(), chain: new Uint32Array(), prio: new Uint16Array() },
  ...{ protocol: new Uint16Array(), handle: new Uint32Array(), flags: new Uint16Array() },
  ...{ fingerprint: new BigUint64Array(), idleMs: new Uint32Array() },
  ...{ hwPackets: new BigUint64Array(), hwBytes: new BigUint64Array() },
  ...{ swPackets: new BigUint64Array(), swBytes: new BigUint64Array() },
};

function slices(rows: readonly number[], length: number): (readonly number[])[] {
  const parts: (readonly number[])[] = [];
  for (let at = 0; at < rows.length; at += length) parts.push(rows.slice(at, at + length));
  return parts;
}
