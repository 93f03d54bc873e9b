/**
 * How many of a NIC's rules may be ours: what is known of its table, corrected by what it says when
 * full. Sizes on data sheets are upper bounds: wide keys take two places, hashes collide.
 */

/** Polls between a full table and the first attempt to use more of it again; doubles with each failure. */
const FIRST_WAIT_POLLS = 120;
const LONGEST_WAIT_POLLS = 19_200;
/** Part of the table by which the limit grows when it is tried again. */
const GROWTH = 1 / 64;
/** Used when nobody knows: the first ENOSPC corrects it. */
const UNKNOWN_SIZE = 65_536;
/** Places left free for probes and for rules that are replaced, at most one in this many. */
const RESERVE_PART = 64;
const MOST_RESERVED = 64;

export class Budget {
  #size = UNKNOWN_SIZE;
  #others = 0;
  #limit = Number.POSITIVE_INFINITY;
  #waitPolls = FIRST_WAIT_POLLS;
  #triedAtPoll = 0;

  /** Entries of the whole table, null: not known. */
  setTable(size: number | null): void {
    this.#size = size ?? UNKNOWN_SIZE;
  }

  /** Rules of others seen on the NIC. */
  setOthers(count: number): void {
    this.#others = count;
  }

  get tableSize(): number {
    return this.#size;
  }

  /** Rules that the NIC refused as one too many; infinite while it never did. */
  get learned(): number {
    return this.#limit;
  }

  get value(): number {
    const reserve = Math.min(MOST_RESERVED, Math.floor(this.#size / RESERVE_PART));
    return Math.max(0, Math.min(this.#size - reserve - this.#others, this.#limit));
  }

  /** ENOSPC came while `held` of ours were in. */
  full(held: number, poll: number): void {
    const isAgain = this.#limit !== Number.POSITIVE_INFINITY;
    this.#limit = held;
    this.#waitPolls = isAgain ? Math.min(LONGEST_WAIT_POLLS, this.#waitPolls * 2) : FIRST_WAIT_POLLS;
    this.#triedAtPoll = poll;
  }

  /** Tries a little more from time to time: room comes back when others leave. */
  tick(held: number, poll: number): void {
    if (this.#limit === Number.POSITIVE_INFINITY || poll - this.#triedAtPoll < this.#waitPolls) return;
    if (held < this.#limit) return;
    this.#triedAtPoll = poll;
    this.#limit += Math.max(1, Math.floor(this.#limit * GROWTH));
    if (this.#limit >= this.#size) this.forget();
  }

  /** Another firmware or a reset: nothing learned holds. */
  forget(): void {
    this.#limit = Number.POSITIVE_INFINITY;
    this.#waitPolls = FIRST_WAIT_POLLS;
  }
}
