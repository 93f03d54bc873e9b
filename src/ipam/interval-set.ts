/** A set of numbers kept as sorted, disjoint, non-adjacent intervals: 10,000 leases in a row are one entry. */
export class IntervalSet {
  readonly #firsts: bigint[] = [];
  readonly #lasts: bigint[] = [];

  has(value: bigint): boolean {
    const at = this.#before(value);
    return at >= 0 && value <= (this.#lasts[at] ?? -1n);
  }

  add(first: bigint, last: bigint = first): void {
    let from = this.#before(first);
    if (from < 0 || (this.#lasts[from] ?? 0n) + 1n < first) from++;
    let to = from;
    let low = first;
    let high = last;
    for (; to < this.#firsts.length && (this.#firsts[to] ?? 0n) <= last + 1n; to++) {
      low = min(low, this.#firsts[to] ?? low);
      high = max(high, this.#lasts[to] ?? high);
    }
    this.#firsts.splice(from, to - from, low);
    this.#lasts.splice(from, to - from, high);
  }

  delete(value: bigint): void {
    const at = this.#before(value);
    const first = this.#firsts[at];
    const last = this.#lasts[at];
    if (first === undefined || last === undefined || value > last) return;
    const left: [bigint, bigint][] = first < value ? [[first, value - 1n]] : [];
    const right: [bigint, bigint][] = value < last ? [[value + 1n, last]] : [];
    const parts = [...left, ...right];
    this.#firsts.splice(at, 1, ...parts.map(part => part[0]));
    this.#lasts.splice(at, 1, ...parts.map(part => part[1]));
  }

  /** Lowest number ≥ `value` that is not in the set. */
  firstFreeFrom(value: bigint): bigint {
    const last = this.#lasts[this.#before(value)];
    return last === undefined || last < value ? value : last + 1n;
  }

  /** End of the last interval that meets [first, last]; null when none does. */
  meets(first: bigint, last: bigint): bigint | null {
    const at = this.#before(last);
    const end = this.#lasts[at];
    if (end === undefined || end < first) return null;
    return end;
  }

  /** Index of the last interval that starts at or before `value`, -1 if none. */
  #before(value: bigint): number {
    let low = 0;
    let high = this.#firsts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#firsts[middle] ?? 0n) <= value) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
