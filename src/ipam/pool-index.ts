/** What is leased in each pool, as numbers: kept beside the store so that a request costs O(log n). */
import type { Ip, Mac } from '../lib/brand.ts';
import { ipToBigint } from '../lib/ip.ts';
import type { Lease, StoreReader } from '../store/port.ts';
import { IntervalSet } from './interval-set.ts';

export interface PoolIndex {
  readonly taken: IntervalSet;
  readonly byMac: Map<Mac, Ip>;
  gateway: Ip | null;
  /** Leases indexed; another number in the store means that the index is out of date. */
  size: number;
}

export class PoolIndexes {
  readonly #store: StoreReader;
  readonly #pools = new Map<string, PoolIndex>();

  constructor(store: StoreReader) {
    this.#store = store;
  }

  /** The pool's index, built anew when the store moved without us (a restart, a commit that failed). */
  of(poolId: string): PoolIndex {
    const known = this.#pools.get(poolId);
    const leases = this.#store.leases(poolId);
    if (known !== undefined && known.size === leases.size) return known;
    const index: PoolIndex = { taken: new IntervalSet(), byMac: new Map(), gateway: null, size: 0 };
    for (const lease of leases.values()) add(index, lease);
    this.#pools.set(poolId, index);
    return index;
  }

  /** After a lease was committed as new. */
  added(lease: Lease): void {
    const index = this.#pools.get(lease.poolId);
    if (index !== undefined) add(index, lease);
  }

  removed(lease: Lease): void {
    const index = this.#pools.get(lease.poolId);
    if (index === undefined) return;
    index.taken.delete(ipToBigint(lease.address));
    index.size--;
    if (index.gateway === lease.address) index.gateway = null;
    if (lease.mac !== null && index.byMac.get(lease.mac) === lease.address) index.byMac.delete(lease.mac);
  }

  forget(poolId: string): void {
    this.#pools.delete(poolId);
  }
}

function add(index: PoolIndex, lease: Lease): void {
  index.taken.add(ipToBigint(lease.address));
  index.size++;
  if (lease.purpose === 'gateway') index.gateway = lease.address;
  if (lease.mac !== null) index.byMac.set(lease.mac, lease.address);
}
