/** What was done: the report of the work in progress, the last one, and the repairs of drift. */

import type { Op } from '../ir/op.ts';
import type { Key } from '../ir/resource.ts';
import type { Revision } from '../lib/brand.ts';
import type { Cause } from '../plan/dirty.ts';
import type { Clock } from './clock.ts';
import type { Repair, RoundReport } from './port.ts';

const MAX_REPAIRS = 256;

interface Open {
  cause: string;
  readonly startedAtMs: number;
  created: number;
  updated: number;
  deleted: number;
  failed: number;
  repaired: number;
}

const COUNTER = { create: 'created', update: 'updated', delete: 'deleted', 'swap-fib': 'updated' } as const;
const DAMAGE = { create: 'missing', update: 'changed', delete: 'left-over', 'swap-fib': 'changed' } as const;

export class Journal {
  last: RoundReport | null = null;
  rounds = 0;
  readonly repairs: Repair[] = [];
  readonly #clock: Clock;
  #open: Open | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isOpen(): boolean {
    return this.#open !== null;
  }

  /** Starts a report, or names the cause of the running one anew when it is of higher rank. */
  begin(cause: string): void {
    if (this.#open !== null) {
      if (rank(cause) > rank(this.#open.cause)) this.#open.cause = cause;
      return;
    }
    const startedAtMs = this.#clock.now();
    this.#open = { cause, startedAtMs, created: 0, updated: 0, deleted: 0, failed: 0, repaired: 0 };
  }

  done(op: Op, settled: ReadonlyMap<Key, Cause>): void {
    const open = this.#open;
    if (open === null) return;
    open[COUNTER[op.verb]] += 1;
    for (const [key, cause] of settled) {
      if (cause === 'intent') continue;
      open.repaired += 1;
      this.repairs.push({ atMs: this.#clock.now(), key, what: DAMAGE[op.verb] });
    }
    if (this.repairs.length > MAX_REPAIRS) this.repairs.splice(0, this.repairs.length - MAX_REPAIRS);
  }

  failed(): void {
    if (this.#open !== null) this.#open.failed += 1;
  }

  /** The report of the work in progress. */
  soFar(revision: Revision): RoundReport {
    const finishedAtMs = this.#clock.now();
    const { startedAtMs, ...counts } = this.#open ?? { cause: 'commit', startedAtMs: finishedAtMs, ...ZERO };
    return { revision, finishedAtMs, durationMs: finishedAtMs - startedAtMs, ...counts };
  }

  end(revision: Revision): RoundReport {
    this.last = this.soFar(revision);
    this.#open = null;
    this.rounds += 1;
    return this.last;
  }
}

/** Causes that say less than the others come first. */
const RANKS: readonly string[] = ['commit', 'event', 'resync', 'request', 'start'];
const rank = (cause: string): number => (RANKS.includes(cause) ? RANKS.indexOf(cause) : 3);

const ZERO = { created: 0, updated: 0, deleted: 0, failed: 0, repaired: 0 };
