/** Callers that wait until what they committed is in the kernel. */
import type { Revision } from '../lib/brand.ts';
import { EswError } from '../lib/errors.ts';
import type { Clock } from './clock.ts';

interface Waiter {
  readonly revision: Revision;
  readonly scope: string;
  readonly resolve: () => void;
  readonly reject: (error: EswError) => void;
  readonly cancel: () => void;
}

/** The state of one owner's keys. */
export type ScopeState = 'pending' | 'done' | EswError;

export class Waiters {
  readonly #waiters = new Set<Waiter>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** `lastWords` is asked at the deadline: what the kernel said, "" if nothing. */
  add(revision: Revision, scope: string, timeoutMs: number, lastWords: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(timeoutMs, () => {
        this.#waiters.delete(waiter);
        const words = lastWords();
        const tail = words === '' ? '' : `: ${words}`;
        reject(new EswError('ESW_ERR_RECONCILE_TIMEOUT', `not in place after ${timeoutMs} ms${tail}`));
      });
      const waiter: Waiter = { revision, scope, resolve, reject, cancel };
      this.#waiters.add(waiter);
    });
  }

  /** Answers those whose revision has been compiled and whose scope is done or refused. */
  settle(compiled: Revision, stateOf: (scope: string) => ScopeState): void {
    for (const waiter of this.#waiters) {
      const state = waiter.revision > compiled ? 'pending' : stateOf(waiter.scope);
      if (state === 'pending') continue;
      this.#remove(waiter);
      if (state === 'done') waiter.resolve();
      else waiter.reject(state);
    }
  }

  rejectAll(error: EswError): void {
    for (const waiter of this.#waiters) {
      this.#remove(waiter);
      waiter.reject(error);
    }
  }

  #remove(waiter: Waiter): void {
    waiter.cancel();
    this.#waiters.delete(waiter);
  }
}
