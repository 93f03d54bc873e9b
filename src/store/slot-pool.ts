/**
 * Small numbers handed out to networks and ports. A number that was never used comes first, lowest
 * first; freed ones come last, longest free first, so that counters of a port that is gone are not
 * mistaken for those of a new one.
 */
export class SlotPool {
  readonly #first: number;
  readonly #owners = new Map<number, string>();
  /** Never-used numbers below `#fresh`, ascending. */
  #skipped: number[] = [];
  /** Freed numbers, longest free first. */
  #freed: number[] = [];
  /** Lowest number above all that were ever used. */
  #fresh: number;

  constructor(first: number) {
    this.#first = first;
    this.#fresh = first;
  }

  owner(slot: number): string | null {
    return this.#owners.get(slot) ?? null;
  }

  /** What to take next, null when every number below `end` is taken. */
  next(end: number): number | null {
    const skipped = this.#skipped[0];
    if (skipped !== undefined && skipped < end) return skipped;
    if (this.#fresh < end) return this.#fresh;
    return this.#freed.find(slot => slot < end) ?? null;
  }

  take(slot: number, owner: string): void {
    this.#owners.set(slot, owner);
    if (slot >= this.#fresh) {
      for (let skipped = this.#fresh; skipped < slot; skipped++) this.#skipped.push(skipped);
      this.#fresh = slot + 1;
      return;
    }
    this.#skipped = this.#skipped.filter(other => other !== slot);
    this.#freed = this.#freed.filter(other => other !== slot);
  }

  release(slot: number): void {
    if (this.#owners.delete(slot)) this.#freed.push(slot);
  }

  /** Takes a `take` back: the number is the next to be handed out again. */
  untake(slot: number): void {
    this.#owners.delete(slot);
    if (slot === this.#fresh - 1) this.#fresh = slot;
    else this.#skipped.unshift(slot);
  }

  /** Whether `slot` is one this pool knows about at all. */
  isValid(slot: number): boolean {
    return Number.isInteger(slot) && slot >= this.#first;
  }
}
