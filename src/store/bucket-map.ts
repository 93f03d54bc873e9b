/**
 * A map with cheap immutable snapshots: entries are spread over buckets, and a change copies only the
 * bucket it falls into, once per snapshot. A snapshot of 10,000 entries costs microseconds where a
 * copy of the map costs a millisecond. Iteration order is that of the buckets, not of insertion.
 */
const BUCKETS = 256;

type Bucket<V> = ReadonlyMap<string, V>;

/** Shift and add over the last eight characters: ids are random hex, so the end spreads well. */
function bucketOf(key: string): number {
  let hash = 0;
  for (let i = Math.max(0, key.length - 8); i < key.length; i++) hash = (hash * 31 + key.charCodeAt(i)) | 0;
  return hash & (BUCKETS - 1);
}

/** What `BucketMap.snapshot` gives out: never changes. */
class BucketSnapshot<V> implements ReadonlyMap<string, V> {
  readonly size: number;
  readonly #buckets: readonly Bucket<V>[];

  constructor(buckets: readonly Bucket<V>[], size: number) {
    this.#buckets = buckets;
    this.size = size;
  }

  get(key: string): V | undefined {
    return this.#buckets[bucketOf(key)]?.get(key);
  }

  has(key: string): boolean {
    return this.#buckets[bucketOf(key)]?.has(key) ?? false;
  }

  *entries(): MapIterator<[string, V]> {
    for (const bucket of this.#buckets) yield* bucket;
  }

  *keys(): MapIterator<string> {
    for (const bucket of this.#buckets) yield* bucket.keys();
  }

  *values(): MapIterator<V> {
    for (const bucket of this.#buckets) yield* bucket.values();
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }

  forEach(visit: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this);
  }
}

export class BucketMap<V> {
  readonly #buckets: Map<string, V>[] = Array.from({ length: BUCKETS }, () => new Map<string, V>());
  /** Buckets that the last snapshot shares with us: copied before they change. */
  readonly #shared = new Set<number>();
  #size = 0;
  #snapshot: ReadonlyMap<string, V> | null = null;

  get(key: string): V | undefined {
    return this.#buckets[bucketOf(key)]?.get(key);
  }

  set(key: string, value: V): void {
    const bucket = this.#own(bucketOf(key));
    if (!bucket.has(key)) this.#size++;
    bucket.set(key, value);
  }

  delete(key: string): void {
    const index = bucketOf(key);
    if (this.#buckets[index]?.has(key) === true && this.#own(index).delete(key)) this.#size--;
  }

  /** The entries as they are now; the same object until something changes. */
  snapshot(): ReadonlyMap<string, V> {
    if (this.#snapshot === null) {
      this.#snapshot = new BucketSnapshot([...this.#buckets], this.#size);
      for (let index = 0; index < BUCKETS; index++) this.#shared.add(index);
    }
    return this.#snapshot;
  }

  #own(index: number): Map<string, V> {
    this.#snapshot = null;
    const bucket = this.#buckets[index] ?? new Map<string, V>();
    if (!this.#shared.delete(index)) return bucket;
    const copy = new Map(bucket);
    this.#buckets[index] = copy;
    return copy;
  }
}
