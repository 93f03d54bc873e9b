/** Hands a batch to the kernel and takes note of every outcome. */
import type { Op } from '../ir/op.ts';
import type { KernelPort, OpResult } from '../kernel/port.ts';
import type { PortSlot } from '../lib/brand.ts';
import type { Tracker } from '../plan/tracker.ts';
import type { Failures } from './failures.ts';
import type { Journal } from './journal.ts';

export class Executor {
  readonly #kernel: KernelPort;
  readonly #tracker: Tracker;
  readonly #failures: Failures;
  readonly #journal: Journal;

  constructor(kernel: KernelPort, tracker: Tracker, failures: Failures, journal: Journal) {
    this.#kernel = kernel;
    this.#tracker = tracker;
    this.#failures = failures;
    this.#journal = journal;
  }

  /** True when the kernel must be looked at before the refused ones make sense again. */
  async apply(ops: readonly Op[]): Promise<boolean> {
    this.#journal.begin('commit');
    await this.#resetCounters(ops);
    const results = await this.#kernel.apply(ops);
    let needsLook = false;
    ops.forEach((op, i) => {
      needsLook = this.#record(op, results[i] ?? { errno: 0, extack: '' }) || needsLook;
    });
    return needsLook;
  }

  /**
   * Zeroes the slots of ports that are new: their last holder must not show in the figures. Figures
   * are not worth a refusal, so a failure here is left alone; without programs there are no counters.
   */
  async #resetCounters(ops: readonly Op[]): Promise<void> {
    const slots: PortSlot[] = ops.flatMap(op => {
      if (op.verb !== 'create' || op.resource.kind !== 'port-entry') return [];
      return this.#tracker.causeOf(op.resource.key) === 'intent' ? [op.resource.slot] : [];
    });
    if (slots.length === 0 || !this.#tracker.observed.has('programs')) return;
    await this.#kernel.resetCounters(slots).catch(() => {});
  }

  #record(op: Op, result: OpResult): boolean {
    const key = op.verb === 'swap-fib' ? op.key : op.resource.key;
    if (result.errno !== 0 && this.#tracker.isBlocked(op)) {
      this.#tracker.park(key);
      return false;
    }
    const refused = result.errno === 0 ? null : this.#failures.refused(key, op.verb, result);
    if (refused === null) {
      this.#failures.clear(key);
      this.#journal.done(op, this.#tracker.done(op));
      return false;
    }
    this.#journal.failed();
    if (op.verb === 'swap-fib') {
      // Entry by entry, the refusal finds the one entry that is to blame.
      this.#tracker.refuseSwap();
      this.#failures.clear(key);
    } else {
      this.#tracker.park(key);
    }
    return refused.needsLook;
  }
}
