/** Keys that need an operation, grouped by owner, oldest owner first. */
import type { Key } from '../ir/resource.ts';

/** Why a key differs: our own intent moved, or the kernel did. */
export type Cause = 'intent' | 'drift';

export class DirtyKeys {
  readonly #owners = new Map<string, Map<Key, Cause>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(owner: string, key: Key, cause: Cause): void {
    let keys = this.#owners.get(owner);
    if (keys === undefined) {
      keys = new Map();
      this.#owners.set(owner, keys);
    }
    if (!keys.has(key)) this.#size += 1;
    keys.set(key, cause);
  }

  /** Cause with which it was in, undefined when it was not. */
  remove(owner: string, key: Key): Cause | undefined {
    const keys = this.#owners.get(owner);
    const cause = keys?.get(key);
    if (keys === undefined || cause === undefined) return undefined;
    keys.delete(key);
    this.#size -= 1;
    if (keys.size === 0) this.#owners.delete(owner);
    return cause;
  }

  of(owner: string): ReadonlyMap<Key, Cause> {
    return this.#owners.get(owner) ?? NONE;
  }

  entries(): IterableIterator<[string, ReadonlyMap<Key, Cause>]> {
    return this.#owners.entries();
  }
}

const NONE: ReadonlyMap<Key, Cause> = new Map();
