/** Pair key → row: open addressing with linear probing, 12 bytes a slot, at most half full. */

const EMPTY = -1;

/** Fibonacci hashing of a key below 2^34 to the top bits. */
function slotOf(key: number, mask: number): number {
  const low = key % 0x1_0000_0000;
  const high = Math.floor(key / 0x1_0000_0000);
  const mixed = Math.imul(low ^ Math.imul(high + 1, 0x85eb_ca6b), 0x9e37_79b1);
  return (mixed ^ (mixed >>> 15)) & mask;
}

export class PairIndex {
  #keys = new Float64Array(512);
  #rows = new Int32Array(512).fill(EMPTY);
  #size = 0;

  get byteLength(): number {
    return this.#keys.byteLength + this.#rows.byteLength;
  }

  /** −1 when the key is not in. */
  get(key: number): number {
    return this.#rows[this.#seek(key)] ?? EMPTY;
  }

  set(key: number, row: number): void {
    const slot = this.#seek(key);
    if (this.#rows[slot] === EMPTY) this.#size += 1;
    this.#keys[slot] = key;
    this.#rows[slot] = row;
    if (this.#size * 2 > this.#rows.length) this.#grow();
  }

  delete(key: number): void {
    const mask = this.#rows.length - 1;
    let hole = this.#seek(key);
    if (this.#rows[hole] === EMPTY) return;
    this.#size -= 1;
    this.#rows[hole] = EMPTY;
    // What follows moves up unless it would land before its own slot: no tombstones to walk over.
    for (let next = (hole + 1) & mask; this.#rows[next] !== EMPTY; next = (next + 1) & mask) {
      const home = slotOf(this.#keys[next] ?? 0, mask);
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      this.#keys[hole] = this.#keys[next] ?? 0;
      this.#rows[hole] = this.#rows[next] ?? EMPTY;
      this.#rows[next] = EMPTY;
      hole = next;
    }
  }

  /** Slot of the key, or the empty one where it would go. */
  #seek(key: number): number {
    const mask = this.#rows.length - 1;
    let slot = slotOf(key, mask);
    while (this.#rows[slot] !== EMPTY && this.#keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const keys = this.#keys;
    const rows = this.#rows;
    this.#keys = new Float64Array(keys.length * 2);
    this.#rows = new Int32Array(rows.length * 2).fill(EMPTY);
    for (let i = 0; i < rows.length; i++) {
      if (rows[i] === EMPTY) continue;
      const slot = this.#seek(keys[i] ?? 0);
      this.#keys[slot] = keys[i] ?? 0;
      this.#rows[slot] = rows[i] ?? EMPTY;
    }
  }
}
