/** Keys that the kernel refused, and when each is tried again. */
import type { Op } from '../ir/op.ts';
import type { Key } from '../ir/resource.ts';
import type { OpResult } from '../kernel/port.ts';
import type { Clock } from './clock.ts';
import type { Failure } from './port.ts';
import { classify, FINAL_AFTER, NEEDS_LOOK } from './refusals.ts';

const FIRST_DELAY_MS = 10;
const MAX_DELAY_MS = 5_000;

interface Entry {
  readonly failure: Failure;
  readonly isFinal: boolean;
  readonly cancel: () => void;
}

export interface Refused {
  /** The kernel must be looked at before the next attempt. */
  readonly needsLook: boolean;
}

export class Failures {
  readonly #entries = new Map<Key, Entry>();
  readonly #clock: Clock;
  readonly #wake: (key: Key) => void;

  /** `wake` is called when a key may be tried again. */
  constructor(clock: Clock, wake: (key: Key) => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  list(): Failure[] {
    return [...this.#entries.values()].map(entry => entry.failure);
  }

  /** The failure of `key` once asking again soon will not help; null before. */
  final(key: Key): Failure | null {
    const entry = this.#entries.get(key);
    return entry?.isFinal === true ? entry.failure : null;
  }

  last(key: Key): Failure | null {
    return this.#entries.get(key)?.failure ?? null;
  }

  /** Notes a refusal; null when it means that the work is done (a delete of what is absent). */
  refused(key: Key, verb: Op['verb'], { errno, extack }: OpResult): Refused | null {
    const kind = classify(verb, errno);
    if (kind === 'already-done') return null;
    const attempts = (this.#entries.get(key)?.failure.attempts ?? 0) + 1;
    this.#entries.get(key)?.cancel();
    const isFinal = attempts >= FINAL_AFTER[kind];
    // A final refusal waits for the next full look; the others back off with jitter.
    const cancel = isFinal ? () => {} : this.#clock.after(this.#delayMs(attempts), () => this.#wake(key));
    this.#entries.set(key, { failure: { key, verb, errno, extack, attempts }, isFinal, cancel });
    return { needsLook: NEEDS_LOOK.has(kind) && !isFinal };
  }

  clear(key: Key): void {
    this.#entries.get(key)?.cancel();
    this.#entries.delete(key);
  }

  /** Drops entries for which `keep` is false. */
  prune(keep: (key: Key) => boolean): void {
    for (const key of [...this.#entries.keys()]) if (!keep(key)) this.clear(key);
  }

  stop(): void {
    for (const entry of this.#entries.values()) entry.cancel();
  }

  #delayMs(attempts: number): number {
    const full = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempts - 1, 20));
    return full * (0.75 + 0.5 * this.#clock.random());
  }
}
