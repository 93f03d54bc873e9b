/** Kernel events and time → when to take a full look at the kernel. */
import { linkRole } from '../ir/names.ts';
import type { KernelEvent } from '../kernel/port.ts';
import type { Identity } from '../model/intent.ts';
import type { Clock } from './clock.ts';

/** A representor is gone: a container may be cut off. Short, to take a burst in one look. */
const URGENT_MS = 5;
/** Something about a gateway link changed; our own changes cause this too. */
export const GATEWAY_MS = 250;
/**
 * A representor changed; Docker's attaching a container does that, so it is mostly harmless. The wait
 * starts anew with every such change: a look holds up callers, so it comes when attaching has paused,
 * with the periodic look at the latest.
 */
const LAZY_MS = 5_000;

export interface Reactions {
  look(cause: string): void;
  /** An endpoint's function side left the host namespace. */
  functionLeft(fn: string): void;
  /**
   * Whether the port with this representor, or this sub-interface, should exist; events of others are
   * our own deletions.
   */
  isWanted(link: string): boolean;
}

export class Triggers {
  readonly #identity: Identity;
  readonly #clock: Clock;
  readonly #resyncMs: number;
  readonly #react: Reactions;
  #dueAtMs = Number.POSITIVE_INFINITY;
  #cancelDue: () => void = () => {};
  #cancelQuiet: () => void = () => {};
  #cancelResync: () => void = () => {};

  constructor(identity: Identity, clock: Clock, resyncMs: number, react: Reactions) {
    this.#identity = identity;
    this.#clock = clock;
    this.#resyncMs = resyncMs;
    this.#react = react;
  }

  /** A full look was just taken: whatever was due is done, and the period starts anew (± 10 %). */
  looked(): void {
    this.#cancelDue();
    this.#cancelQuiet();
    this.#dueAtMs = Number.POSITIVE_INFINITY;
    this.#cancelResync();
    const periodMs = this.#resyncMs * (0.9 + 0.2 * this.#clock.random());
    this.#cancelResync = this.#clock.after(periodMs, () => this.#react.look('resync'));
  }

  on(event: KernelEvent): void {
    if (event.kind === 'lost' || event.link === null) {
      this.#react.look('event');
      return;
    }
    const known = linkRole(this.#identity, event.link);
    if (known === null) return;
    const isGone = event.gone === true;
    if (known.role === 'endpoint-fn') {
      if (isGone) this.#react.functionLeft(event.link);
      return;
    }
    if (!this.#react.isWanted(known.role === 'gateway-fn' ? known.twin : event.link)) return;
    if (isGone) this.lookWithin(URGENT_MS);
    else if (known.role === 'endpoint-rep') this.#lookWhenQuiet();
    else this.lookWithin(GATEWAY_MS);
  }

  #lookWhenQuiet(): void {
    this.#cancelQuiet();
    this.#cancelQuiet = this.#clock.after(LAZY_MS, () => this.#react.look('event'));
  }

  lookWithin(delayMs: number): void {
    const atMs = this.#clock.now() + delayMs;
    if (atMs >= this.#dueAtMs) return;
    this.#cancelDue();
    this.#dueAtMs = atMs;
    this.#cancelDue = this.#clock.after(delayMs, () => {
      this.#dueAtMs = Number.POSITIVE_INFINITY;
      this.#react.look('event');
    });
  }

  stop(): void {
    this.#cancelDue();
    this.#cancelQuiet();
    this.#cancelResync();
  }
}
