/** The real placer and rule table over a simulated NIC and Zipf traffic, in simulated time. */
import { RuleTable } from '../../../src/offload/rule-table.ts';
import { CACHE_DEFAULTS, type CacheLimits, moveRules, PLACE } from '../../../src/place/cache.ts';

export interface Workload {
  readonly pairs: number;
  /** Entries of the NIC's table. */
  readonly tableSize: number;
  readonly exponent: number;
  readonly packetsPerSecond: number;
  readonly pollSeconds: number;
  readonly seed: number;
}

export const TALK: Workload = {
  pairs: 10_000,
  tableSize: 1000,
  exponent: 1.1,
  packetsPerSecond: 2_000_000,
  pollSeconds: 0.25,
  seed: 1,
};

const PACKET_BYTES = 1000;

/** mulberry32: small, seeded, good enough to shuffle and to jitter. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** Share of the packets of each rank, most first; sums to 1. */
export function zipf(count: number, exponent: number): Float64Array {
  const shares = Float64Array.from({ length: count }, (_, i) => (i + 1) ** -exponent);
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map(share => share / sum);
}

export interface PollResult {
  /** Share of the bytes of this poll that hardware forwarded. */
  readonly share: number;
  readonly operations: number;
}

export class PlacementSimulation {
  readonly table = new RuleTable();
  /** Best that any fixed choice of `tableSize` rules could do. */
  readonly best: number;
  readonly #workload: Workload;
  readonly #limits: Omit<CacheLimits, 'poll'>;
  readonly #shares: Float64Array;
  readonly #random: () => number;
  /** Pair number → its rank in the traffic. */
  readonly #rank: Uint32Array;
  #poll = 0;

  constructor(workload: Workload, limits: Partial<CacheLimits> = {}) {
    this.#workload = workload;
    this.#limits = { ...CACHE_DEFAULTS, budget: workload.tableSize, ...limits };
    this.#shares = zipf(workload.pairs, workload.exponent);
    this.best = this.#shares.subarray(0, workload.tableSize).reduce((total, share) => total + share, 0);
    this.#random = randomOf(workload.seed);
    this.#rank = Uint32Array.from({ length: workload.pairs }, (_, i) => i);
    this.changeHotSet();
    for (let pair = 0; pair < workload.pairs; pair++) this.table.ensure(pair, 0);
  }

  /** Every pair gets another rank. */
  changeHotSet(): void {
    for (let i = this.#rank.length - 1; i > 0; i--) {
      const j = Math.floor(this.#random() * (i + 1));
      [this.#rank[i], this.#rank[j]] = [this.#rank[j] ?? 0, this.#rank[i] ?? 0];
    }
  }

  poll(): PollResult {
    const { table } = this;
    this.#poll += 1;
    const share = this.#forward();
    table.settle(this.#workload.pollSeconds);
    const moves = moveRules(table, { ...this.#limits, poll: this.#poll });
    for (const row of moves.evict) table.set(row, PLACE.candidate, 'COLD', 0);
    for (const row of moves.admit) {
      table.set(row, PLACE.resident, 'HW_OK', 0);
      table.since[row] = this.#poll;
    }
    if (table.residents > this.#workload.tableSize) throw new RangeError('more rules than the table holds');
    return { share, operations: moves.evict.length + moves.admit.length };
  }

  /** One poll's packets, with Poisson noise, counted where they were forwarded. */
  #forward(): number {
    const { packetsPerSecond, pollSeconds, pairs } = this.#workload;
    let hardware = 0;
    let all = 0;
    for (let pair = 0; pair < pairs; pair++) {
      const mean = packetsPerSecond * pollSeconds * (this.#shares[this.#rank[pair] ?? 0] ?? 0);
      const packets = Math.max(0, Math.round(mean + Math.sqrt(mean) * this.#gauss()));
      const row = this.table.find(pair);
      const bytes = packets * PACKET_BYTES;
      all += bytes;
      const isResident = this.table.place[row] === PLACE.resident;
      if (isResident) hardware += bytes;
      this.table.delta[row] = (this.table.delta[row] ?? 0) + bytes;
    }
    return all === 0 ? 0 : hardware / all;
  }

  #gauss(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#random()));
    return radius * Math.cos(2 * Math.PI * this.#random());
  }
}

/** Polls until the share has come within `tolerance` of the best, and stays for `hold` polls; null = never. */
export function settlePolls(
  simulation: PlacementSimulation,
  tolerance: number,
  most: number,
  hold = 8,
): { readonly polls: number | null; readonly results: readonly PollResult[] } {
  const results: PollResult[] = [];
  let good = 0;
  for (let i = 1; i <= most; i++) {
    const result = simulation.poll();
    results.push(result);
    good = result.share >= simulation.best * (1 - tolerance) ? good + 1 : 0;
    if (good === hold) return { polls: i - hold + 1, results };
  }
  return { polls: null, results };
}
