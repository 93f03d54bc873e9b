/**
 * A reconciler that may not be there yet: the sockets answer from the first moment, the kernel part
 * comes when it comes. Until then nothing is guessed: what needs the kernel fails with the reason.
 */

import type { Counters, Probe } from '../kernel/port.ts';
import type { EndpointId, NetworkId, Revision } from '../lib/brand.ts';
import { EswError } from '../lib/errors.ts';
import type { Reconciler, ReconcileStatus, RoundReport, View } from '../reconcile/port.ts';

const STARTING = new EswError('ESW_ERR_RECONCILE_TIMEOUT', 'the daemon is starting');

const NOTHING_YET: ReconcileStatus = {
  lastRound: null,
  rounds: 0,
  failures: [],
  repairs: [],
  foreign: [],
  generation: 0,
  hookMode: 'none',
};

interface Waiter {
  readonly resolve: (inner: Reconciler) => void;
  readonly reject: (error: EswError) => void;
}

export class LateReconciler implements Reconciler {
  #inner: Reconciler | null = null;
  #hasMissed = false;
  #problem: EswError = STARTING;
  readonly #waiters = new Set<Waiter>();

  /** Why there is no reconciler; null when there is one. */
  get problem(): EswError | null {
    return this.#inner === null ? this.#problem : null;
  }

  /** From now on everything goes to `inner`, which must have been started. */
  arrive(inner: Reconciler): void {
    this.#inner = inner;
    // What was committed while it started may have come after it read the store.
    if (this.#hasMissed) inner.notify();
    for (const waiter of this.#waiters) waiter.resolve(inner);
    this.#waiters.clear();
  }

  /** The kernel part cannot be had for now: who waits is told why. */
  fail(problem: EswError): void {
    this.#problem = problem;
    for (const waiter of this.#waiters) waiter.reject(problem);
    this.#waiters.clear();
  }

  /** Nothing to do: the daemon starts the reconciler that arrives. */
  async start(): Promise<void> {}

  notify(changed?: {
    readonly networks?: readonly NetworkId[];
    readonly endpoints?: readonly EndpointId[];
  }): void {
    if (this.#inner === null) this.#hasMissed = true;
    else this.#inner.notify(changed);
  }

  /** While the daemon starts, callers wait; when the kernel part has failed, they are told at once. */
  async waitFor(revision: Revision, scope: NetworkId | EndpointId, timeoutMs: number): Promise<void> {
    const startedMs = performance.now();
    const inner = this.#inner ?? (await this.#arrival(timeoutMs));
    const leftMs = Math.max(1, timeoutMs - (performance.now() - startedMs));
    await inner.waitFor(revision, scope, leftMs);
  }

  async resync(cause: string): Promise<RoundReport> {
    return this.#present().resync(cause);
  }

  async view(): Promise<View> {
    return this.#present().view();
  }

  status(): ReconcileStatus {
    return this.#inner?.status() ?? NOTHING_YET;
  }

  async counters(): Promise<Counters> {
    return this.#present().counters();
  }

  probes(): readonly Probe[] {
    return this.#inner?.probes() ?? [];
  }

  async stop(): Promise<void> {
    this.fail(new EswError('ESW_ERR_RECONCILE_TIMEOUT', 'the daemon is stopping'));
    await this.#inner?.stop();
  }

  #present(): Reconciler {
    if (this.#inner === null) throw this.#problem;
    return this.#inner;
  }

  #arrival(timeoutMs: number): Promise<Reconciler> {
    if (this.#problem !== STARTING) return Promise.reject(this.#problem);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        resolve: inner => {
          clearTimeout(timer);
          resolve(inner);
        },
        reject: error => {
          clearTimeout(timer);
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(STARTING);
      }, timeoutMs);
      this.#waiters.add(waiter);
    });
  }
}
