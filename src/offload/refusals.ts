/**
 * What a NIC refused, by the shape of the rule: asking again for each of a thousand pairs would only
 * repeat the answer. Forgotten after a while, one rule at a time, and with another firmware.
 */
import type { FlowReason } from '../place/flow-state.ts';

export interface Refusal {
  readonly reason: Extract<FlowReason, 'DRIVER_REJECT' | 'NO_FIELD' | 'NO_ACTION'>;
  readonly extack: string;
  readonly errno: number;
  readonly sinceMs: number;
}

export const REFUSAL_TTL_MS = 10 * 60_000;

interface Entry extends Refusal {
  retryAtMs: number;
}

export class Refusals {
  readonly #entries = new Map<string, Entry>();
  #firmware = '';

  /** Learned answers hold for one firmware. True when they were dropped. */
  setFirmware(firmware: string): boolean {
    if (firmware === this.#firmware) return false;
    const hadAny = this.#entries.size > 0;
    this.#firmware = firmware;
    this.#entries.clear();
    return hadAny;
  }

  learn(shape: string, refusal: Omit<Refusal, 'sinceMs'>, nowMs: number): void {
    const since = this.#entries.get(shape)?.sinceMs ?? nowMs;
    this.#entries.set(shape, { ...refusal, sinceMs: since, retryAtMs: nowMs + REFUSAL_TTL_MS });
  }

  clear(): void {
    this.#entries.clear();
  }

  /** The shape was accepted after all. */
  accepted(shape: string): void {
    this.#entries.delete(shape);
  }

  of(shape: string): Refusal | null {
    return this.#entries.get(shape) ?? null;
  }

  /** True for the one caller who may try a refused shape again; then nobody until the next time is due. */
  mayRetry(shape: string, nowMs: number): boolean {
    const entry = this.#entries.get(shape);
    if (entry === undefined) return true;
    if (nowMs < entry.retryAtMs) return false;
    entry.retryAtMs = nowMs + REFUSAL_TTL_MS;
    return true;
  }

  list(): readonly (readonly [string, Refusal])[] {
    return [...this.#entries];
  }
}
