/**
 * The delta between desired and observed, kept up to date change by change, so that a round costs
 * what changed and not what the host holds. Every desired key has one owner (the host, a network or
 * an endpoint); keys that nobody wants belong to the owner that had them last, or to the host.
 */
import { same } from '../ir/fingerprint.ts';
import { hookKey } from '../ir/make.ts';
import type { Op } from '../ir/op.ts';
import type { Key, Kind, Resource } from '../ir/resource.ts';
import { carrierOf, diff, needsOf, staleAfterPut } from './diff.ts';
import { type Cause, DirtyKeys } from './dirty.ts';
import { orderOps, type ResourceOp } from './order.ts';
import { linksOf, SWAP_THRESHOLD, swapEntries, wantsSwap } from './swap.ts';

/** Owner of what the host needs once, and of leftovers. */
export const HOST_OWNER = 'host';

/** Deleting one of these takes the kernel milliseconds, and nobody waits for it. */
const SLOW_KINDS: ReadonlySet<Kind> = new Set<Kind>(['port', 'direct-port', 'hook']);

const NO_KEYS: readonly Key[] = [];
const isFib = (key: Key): boolean => key.startsWith('fib-entry/');

/**
 * A NIC's function is wanted back: containers that come and go without a pause would run out of them
 * while deleted links wait for one.
 */
function isSlowToDelete(resource: Resource): boolean {
  const isFunction = resource.kind === 'port' && resource.vf !== null;
  return SLOW_KINDS.has(resource.kind) && !isFunction;
}

export class Tracker {
  readonly desired = new Map<Key, Resource>();
  #observed = new Map<Key, Resource>();
  readonly #ownerOf = new Map<Key, string>();
  readonly #keysOf = new Map<string, readonly Key[]>();
  /** To be done now; fast ones are what packets depend on. */
  readonly #fast = new DirtyKeys();
  /** Deletes of links and hooks: slow in the kernel, and nothing waits for them. */
  readonly #slow = new DirtyKeys();
  /** Failed; not to be tried again before `wake`. */
  readonly #parked = new DirtyKeys();
  #dirtyFib = 0;
  #fibSize = 0;
  /** A swap was refused: go entry by entry until the next full look. */
  #swapRefused = false;
  readonly #swapThreshold: number;

  constructor(swapThreshold = SWAP_THRESHOLD) {
    this.#swapThreshold = swapThreshold;
  }

  get observed(): ReadonlyMap<Key, Resource> {
    return this.#observed;
  }
  get fastSize(): number {
    return this.#fast.size;
  }
  get slowSize(): number {
    return this.#slow.size;
  }

  owners(): Iterable<string> {
    return this.#keysOf.keys();
  }

  ownerOf(key: Key): string {
    return this.#ownerOf.get(key) ?? HOST_OWNER;
  }

  /** Keys of `owner` that packets depend on and that are not yet as desired, failed ones included. */
  pendingOf(owner: string): readonly Key[] {
    return [...this.#fast.of(owner).keys(), ...this.#parked.of(owner).keys()];
  }

  /** Replaces what `owner` wants; an empty list when it is gone. Cost: its old and new keys. */
  setOwner(owner: string, resources: readonly Resource[]): void {
    const before = this.#keysOf.get(owner) ?? NO_KEYS;
    const wanted = new Set(resources.map(resource => resource.key));
    for (const key of before) {
      if (!wanted.has(key) && this.#ownerOf.get(key) === owner) {
        if (this.desired.delete(key) && isFib(key)) this.#fibSize -= 1;
        this.#mark(key, 'intent');
      }
    }
    for (const resource of resources) {
      const { key } = resource;
      const cause = this.#unmark(key);
      if (!this.desired.has(key) && isFib(key)) this.#fibSize += 1;
      this.desired.set(key, resource);
      this.#ownerOf.set(key, owner);
      const seen = this.#observed.get(key);
      if (seen !== undefined && same(seen, resource)) this.#observed.set(key, resource);
      this.#mark(key, cause ?? 'intent');
    }
    if (resources.length === 0) this.#keysOf.delete(owner);
    else this.#keysOf.set(owner, [...wanted]);
  }

  /**
   * A full look at the kernel. Differences that were not known before are of `cause`. Equal resources
   * are kept as the desired object, so that a table in place is held once.
   */
  adopt(observed: ReadonlyMap<Key, Resource>, cause: Cause): void {
    const before = this.#observed;
    this.#swapRefused = false;
    this.#observed = new Map();
    for (const [key, seen] of observed) {
      const wanted = this.desired.get(key);
      this.#observed.set(key, wanted !== undefined && same(wanted, seen) ? wanted : seen);
    }
    for (const key of before.keys()) if (!observed.has(key)) this.#mark(key, cause);
    for (const [key, seen] of this.#observed) {
      const isSettled = seen === this.desired.get(key) && seen === before.get(key);
      if (!isSettled) this.#mark(key, cause);
    }
  }

  /** Next operations that packets depend on, in order, at most `limit`. */
  takeFast(limit: number): Op[] {
    const ops: ResourceOp[] = [];
    const swap = !this.#swapRefused && wantsSwap(this.#dirtyFib, this.#fibSize, this.#swapThreshold);
    for (const key of this.#fastKeys()) {
      const op = swap && isFib(key) ? null : diff(this.desired.get(key), this.#observed.get(key));
      if (op !== null) ops.push(op);
      if (ops.length >= limit) return orderOps(ops);
    }
    // Entries point at links, so the new generation is built when nothing else is left to do.
    return ops.length === 0 && swap ? [this.#swap()] : orderOps(ops);
  }

  /** Next deletions of links, with what they carry, and of hooks on links that stay. */
  takeSlow(limit: number): Op[] {
    const ops: ResourceOp[] = [];
    for (const [owner, keys] of this.#slow.entries()) {
      for (const key of keys.keys()) {
        const op = diff(undefined, this.#observed.get(key));
        const carrier = op === null ? null : carrierOf(op.resource);
        if (op !== null && (carrier === null || !this.#slow.of(owner).has(carrier))) ops.push(op);
        if (ops.length >= limit) return orderOps(ops);
      }
    }
    return orderOps(ops);
  }

  /** The kernel did as `op` says. Returns the causes of the keys that it settled. */
  done(op: Op): ReadonlyMap<Key, Cause> {
    const settled = new Map<Key, Cause>();
    if (op.verb === 'swap-fib')
      this.#doneSwap(
        op.entries.map(entry => entry.key),
        settled,
      );
    else this.#doneOne(op, settled);
    return settled;
  }

  /** A swap was refused: entries are tried one by one until the next full look. */
  refuseSwap(): void {
    this.#swapRefused = true;
  }

  /** Keys of `owner` that were set aside. */
  parkedOf(owner: string): Iterable<Key> {
    return this.#parked.of(owner).keys();
  }

  /** Whether what `op` needs was refused, so that its own refusal says nothing. */
  isBlocked(op: Op): boolean {
    if (op.verb === 'swap-fib' || op.verb === 'delete') return false;
    const { key, kind } = op.resource;
    const own = [...this.parkedOf(this.ownerOf(key))];
    const hosts = this.#parked.of(HOST_OWNER);
    return needsOf(kind).some(need =>
      need === 'port' ? own.some(each => each.startsWith('port/')) : hosts.has(need),
    );
  }

  isPending(key: Key): boolean {
    const owner = this.ownerOf(key);
    return [this.#fast, this.#slow, this.#parked].some(keys => keys.of(owner).has(key));
  }

  /** Why `key` is to be done; `intent` when it is not. */
  causeOf(key: Key): Cause {
    return this.#fast.of(this.ownerOf(key)).get(key) ?? 'intent';
  }

  /** Sets a failed key aside until `wake`. */
  park(key: Key): void {
    const owner = this.ownerOf(key);
    const cause = this.#fast.of(owner).get(key) ?? this.#slow.of(owner).get(key);
    if (cause === undefined) return;
    this.#unmark(key);
    this.#parked.add(owner, key, cause);
  }

  wake(key: Key): void {
    const cause = this.#parked.remove(this.ownerOf(key), key);
    if (cause !== undefined) this.#mark(key, cause);
  }

  wakeAll(): void {
    for (const key of [...this.#parked.entries()].flatMap(([, keys]) => [...keys.keys()])) this.wake(key);
  }

  /** What others needed is there now. */
  #unblock({ kind, key }: Resource): void {
    if (kind === 'programs' || kind === 'nft-table') this.wakeAll();
    else if (kind === 'port') for (const each of [...this.parkedOf(this.ownerOf(key))]) this.wake(each);
  }

  /** The host's keys first (programs and tables carry everybody's), then oldest owner first. */
  *#fastKeys(): Iterable<Key> {
    yield* this.#fast.of(HOST_OWNER).keys();
    for (const [owner, keys] of this.#fast.entries()) if (owner !== HOST_OWNER) yield* keys.keys();
  }

  #doneOne(op: ResourceOp, settled: Map<Key, Cause>): void {
    const { resource } = op;
    const cause = this.#unmark(resource.key);
    if (cause !== undefined) settled.set(resource.key, cause);
    if (op.verb === 'delete') this.#observed.delete(resource.key);
    else this.#observed.set(resource.key, resource);
    // The intent may have moved while the kernel worked.
    this.#mark(resource.key, 'intent');
    if (op.verb === 'delete') {
      if (resource.kind === 'port') this.#gone(hookKey(resource.rep));
      return;
    }
    this.#unblock(resource);
    const stale = staleAfterPut(resource.kind);
    if (stale === null) return;
    for (const [key, seen] of this.#observed) {
      if (seen.kind !== stale) continue;
      this.#observed.delete(key);
      this.#mark(key, cause ?? 'intent');
    }
  }

  #gone(key: Key): void {
    if (this.#observed.delete(key)) this.#mark(key, 'intent');
  }

  #doneSwap(entries: readonly Key[], settled: Map<Key, Cause>): void {
    const live = new Set(entries);
    for (const key of this.#observed.keys()) if (isFib(key) && !live.has(key)) this.#observed.delete(key);
    for (const key of live) {
      const wanted = this.desired.get(key);
      if (wanted !== undefined) this.#observed.set(key, wanted);
    }
    for (const [, keys] of [...this.#fast.entries()]) {
      for (const [key, cause] of [...keys]) {
        if (!isFib(key)) continue;
        this.#unmark(key);
        this.#mark(key, cause);
        if (!this.#fast.of(this.ownerOf(key)).has(key)) settled.set(key, cause);
      }
    }
    // Entries whose link is missing would ask for another swap at once.
    if (this.#dirtyFib > 0) this.#swapRefused = true;
  }

  #swap(): Op {
    const entries = swapEntries(this.desired.values(), linksOf(this.#observed.values()));
    return { verb: 'swap-fib', key: 'swap-fib', entries };
  }

  /** Puts `key` where its difference belongs; an earlier cause `intent` stays. */
  #mark(key: Key, cause: Cause): void {
    const owner = this.ownerOf(key);
    if (this.#parked.of(owner).has(key) && diff(this.desired.get(key), this.#observed.get(key)) !== null)
      return;
    const before = this.#unmark(key);
    const op = diff(this.desired.get(key), this.#observed.get(key));
    if (op === null) {
      if (!this.desired.has(key)) this.#ownerOf.delete(key);
      return;
    }
    const isSlow = op.verb === 'delete' && isSlowToDelete(op.resource);
    (isSlow ? this.#slow : this.#fast).add(owner, key, before ?? cause);
    if (!isSlow && isFib(key)) this.#dirtyFib += 1;
  }

  #unmark(key: Key): Cause | undefined {
    const owner = this.ownerOf(key);
    const fast = this.#fast.remove(owner, key);
    if (fast !== undefined && isFib(key)) this.#dirtyFib -= 1;
    const slow = this.#slow.remove(owner, key);
    return fast ?? slow ?? this.#parked.remove(owner, key);
  }
}
