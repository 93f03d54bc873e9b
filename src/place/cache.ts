/**
 * Which rules the NIC's table holds: hottest first, with hysteresis, so that noise moves nothing and a
 * new hot set moves in quickly. Pure and deterministic: equal heat goes by key. Works on columns, so a
 * poll of 100,000 rules allocates a few small arrays.
 */

/** What a row is to the placer. */
export const PLACE = { free: 0, candidate: 1, resident: 2, blocked: 3 } as const;

/** Bits of `flags`. */
export const CACHE_FLAG = {
  /** Its network requires hardware: before every other, whatever its heat. */
  required: 1,
  /** Wanted even before any traffic. */
  always: 2,
} as const;

/** Rows of one NIC, one array per column; rows from `high` on are not in use. */
export interface CacheColumns {
  readonly high: number;
  readonly place: Uint8Array;
  readonly flags: Uint8Array;
  /** Heat: bytes and packets per second, weighed; see HeatMeter. */
  readonly heat: Float32Array;
  /** Identity of the pair; breaks ties. */
  readonly key: Float64Array;
  /** Poll at which the row became a resident. */
  readonly since: Uint32Array;
  /** Consecutive polls in which a candidate was hotter than a resident, and the last of them. */
  readonly streak: Uint8Array;
  readonly challenged: Uint32Array;
}

export interface CacheLimits {
  /** Rules that may be in hardware. */
  readonly budget: number;
  /** Number of this poll; grows by one. */
  readonly poll: number;
  /** Most deletes and puts of one poll together. */
  readonly maxOps: number;
  /** A candidate must be hotter than the resident it replaces by this part (0.2 = 20 %) … */
  readonly margin: number;
  /** … for this many polls in a row. */
  readonly streak: number;
  /** Polls for which a resident stays at least, unless the budget shrinks. */
  readonly minResidency: number;
  /** Candidates colder than this are left in software even when there is room. */
  readonly minHeat: number;
}

export const CACHE_DEFAULTS: Omit<CacheLimits, 'budget' | 'poll'> = {
  maxOps: 256,
  margin: 0.2,
  streak: 2,
  minResidency: 4,
  minHeat: 1,
};

export interface CacheMoves {
  /** Rows to take out of hardware, coldest first. */
  readonly evict: readonly number[];
  /** Rows to put in, hottest first. */
  readonly admit: readonly number[];
}

/** Above any heat that a NIC can have: 400 Gbit/s are 5e10 bytes/s. */
const REQUIRED_BONUS = 1e15;

/**
 * One poll's moves. Writes `streak` and `challenged` only: whether a move came true is known when the
 * kernel has answered, so the caller changes `place`.
 */
export function moveRules(columns: CacheColumns, limits: CacheLimits): CacheMoves {
  const residents = countResidents(columns);
  const over = residents - limits.budget;
  if (over > 0) {
    const evict = coldest(columns, Math.min(over, limits.maxOps), () => true);
    return { evict, admit: [] };
  }
  const swapsMax = Math.floor(limits.maxOps / 2);
  const room = limits.budget - residents;
  // Four times as many challengers as swaps build their streaks, so that a new hot set does not wait
  // for the one before it to have moved in.
  const wanted = hottest(columns, Math.min(room, limits.maxOps) + 4 * swapsMax, limits.minHeat);
  const admit = wanted.slice(0, Math.min(room, limits.maxOps));
  const left = Math.floor((limits.maxOps - admit.length) / 2);
  // Room that this poll's bound keeps from being filled is filled by the next one, without evictions.
  if (room > admit.length) return { evict: [], admit };
  const swaps = challenge(columns, limits, wanted.slice(admit.length), left);
  return { evict: swaps.evict, admit: [...admit, ...swaps.admit] };
}

function countResidents({ high, place }: CacheColumns): number {
  let count = 0;
  for (let row = 0; row < high; row++) if (place[row] === PLACE.resident) count += 1;
  return count;
}

function challenge(
  columns: CacheColumns,
  limits: CacheLimits,
  challengers: readonly number[],
  most: number,
): CacheMoves {
  if (challengers.length === 0) return { evict: [], admit: [] };
  const { poll, minResidency, margin } = limits;
  const old = (row: number): boolean => poll - (columns.since[row] ?? 0) >= minResidency;
  const residents = coldest(columns, challengers.length, old);
  const evict: number[] = [];
  const admit: number[] = [];
  for (const [i, row] of challengers.entries()) {
    const against = residents[i];
    // Both lists are sorted, so from the first that is not hotter enough on none is.
    if (against === undefined || score(columns, row) <= score(columns, against) * (1 + margin)) break;
    const isNext = columns.challenged[row] === poll - 1;
    const streak = isNext ? Math.min(255, (columns.streak[row] ?? 0) + 1) : 1;
    columns.streak[row] = streak;
    columns.challenged[row] = poll;
    const victim = residents[evict.length];
    if (streak < limits.streak || evict.length >= most || victim === undefined) continue;
    evict.push(victim);
    admit.push(row);
  }
  return { evict, admit };
}

const score = ({ heat, flags }: CacheColumns, row: number): number => {
  const bonus = ((flags[row] ?? 0) & CACHE_FLAG.required) === 0 ? 0 : REQUIRED_BONUS;
  return bonus + (heat[row] ?? 0);
};

/** Hotter, or as hot with the smaller key. */
const isHotter = (columns: CacheColumns, a: number, b: number): boolean => {
  const x = score(columns, a);
  const y = score(columns, b);
  return x === y ? (columns.key[a] ?? 0) < (columns.key[b] ?? 0) : x > y;
};

function hottest(columns: CacheColumns, count: number, minHeat: number): number[] {
  const { high, place, flags, heat } = columns;
  const top = new Selection(count, (a, b) => isHotter(columns, a, b));
  for (let row = 0; row < high; row++) {
    if (place[row] !== PLACE.candidate) continue;
    if ((heat[row] ?? 0) >= minHeat || ((flags[row] ?? 0) & CACHE_FLAG.always) !== 0) top.offer(row);
  }
  return top.sorted();
}

function coldest(columns: CacheColumns, count: number, may: (row: number) => boolean): number[] {
  const bottom = new Selection(count, (a, b) => isHotter(columns, b, a));
  for (let row = 0; row < columns.high; row++) {
    if (columns.place[row] === PLACE.resident && may(row)) bottom.offer(row);
  }
  return bottom.sorted();
}

/** The best `count` of what is offered: a heap with the worst of them on top, O(n log count). */
class Selection {
  readonly #count: number;
  readonly #isBetter: (a: number, b: number) => boolean;
  readonly #heap: number[] = [];

  constructor(count: number, isBetter: (a: number, b: number) => boolean) {
    this.#count = count;
    this.#isBetter = isBetter;
  }

  offer(row: number): void {
    const heap = this.#heap;
    if (heap.length < this.#count) {
      heap.push(row);
      this.#up(heap.length - 1);
    } else if (heap.length > 0 && this.#isBetter(row, heap[0] as number)) {
      heap[0] = row;
      this.#down(0);
    }
  }

  /** Best first. */
  sorted(): number[] {
    return this.#heap.sort((a, b) => (this.#isBetter(a, b) ? -1 : 1));
  }

  #up(start: number): void {
    const heap = this.#heap;
    for (let i = start; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!this.#isBetter(heap[parent] as number, heap[i] as number)) return;
      this.#swap(i, parent);
      i = parent;
    }
  }

  #down(start: number): void {
    const heap = this.#heap;
    for (let i = start; ; ) {
      let worst = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < heap.length && this.#isBetter(heap[worst] as number, heap[child] as number))
          worst = child;
      }
      if (worst === i) return;
      this.#swap(i, worst);
      i = worst;
    }
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    [heap[a], heap[b]] = [heap[b] as number, heap[a] as number];
  }
}
