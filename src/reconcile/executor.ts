/** Hands a batch to the kernel and takes note of every outcome. */
import type { Op } from '../ir/op.ts';
import type { KernelPort, OpResult } from '../kernel/port.ts';
import type { PortSlot } from '../lib/brand.ts';
import { ERRNO } from '../lib/errno.ts';
import type { Tracker } from '../plan/tracker.ts';
import type { Failures } from './failures.ts';
import type { Journal } from './journal.ts';

/**
 * Removes what hardware does on behalf of these representors and keeps it from coming back: before a
 * port goes, or a rule in a NIC could deliver to whoever gets its function next. What is returned
 * could not be removed.
 */
export type Retire = (
  reps: readonly string[],
) => Promise<readonly { readonly rep: string; readonly text: string }[]>;

export class Executor {
  readonly #retire: Retire | null;
  readonly #kernel: KernelPort;
  readonly #tracker: Tracker;
  readonly #failures: Failures;
  readonly #journal: Journal;

  constructor(
    kernel: KernelPort,
    tracker: Tracker,
    failures: Failures,
    journal: Journal,
    retire: Retire | null = null,
  ) {
    this.#retire = retire;
    this.#kernel = kernel;
    this.#tracker = tracker;
    this.#failures = failures;
    this.#journal = journal;
  }

  /** True when the kernel must be looked at before the refused ones make sense again. */
  async apply(ops: readonly Op[]): Promise<boolean> {
    this.#journal.begin('commit');
    await this.#resetCounters(ops);
    const held = await this.#retirePorts(ops);
    const free = held.size === 0 ? ops : ops.filter(op => !held.has(goingRep(op) ?? ''));
    const results = new Map<Op, OpResult>();
    const answers = await this.#kernel.apply(free);
    for (const [i, op] of free.entries()) results.set(op, answers[i] ?? { errno: 0, extack: '' });
    let needsLook = false;
    for (const op of ops) {
      const busy = { errno: ERRNO.EBUSY, extack: held.get(goingRep(op) ?? '') ?? '' };
      needsLook = this.#record(op, results.get(op) ?? busy) || needsLook;
    }
    return needsLook;
  }

  /** Representors that must stay for now, with the reason. */
  async #retirePorts(ops: readonly Op[]): Promise<ReadonlyMap<string, string>> {
    const going = new Set(ops.flatMap(op => goingRep(op) ?? []));
    if (this.#retire === null || going.size === 0) return new Map();
    const held = await this.#retire([...going]);
    return new Map(held.map(({ rep, text }) => [rep, text]));
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

/** Representor of a NIC's function that loses its port, or its place in the tables, by this operation. */
function goingRep(op: Op): string | null {
  if (op.verb !== 'delete') return null;
  const { resource } = op;
  if (resource.kind === 'port') return resource.vf === null ? null : resource.rep;
  return resource.kind === 'port-entry' && resource.countPairs ? resource.rep : null;
}
