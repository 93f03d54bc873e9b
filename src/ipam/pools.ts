/** Requesting and releasing pools. */
import type { Cidr } from '../lib/brand.ts';
import { EswError } from '../lib/errors.ts';
import { cidrLength, cidrRange, type Family, ipFamily } from '../lib/ip.ts';
import type { Network } from '../model/network.ts';
import type { Pool, Store, StoreWriter } from '../store/port.ts';
import { nextPool } from './allocate.ts';
import type { DefaultPools } from './default-pools.ts';
import { networksOn } from './holders.ts';
import { IntervalSet } from './interval-set.ts';
import { type PoolRange, type PoolRequest, parseRange, poolId } from './pool-id.ts';

export interface PoolDeps {
  readonly store: Store;
  readonly defaultPools: DefaultPools;
  /** Destinations the host has routes to: default pools keep clear of them. */
  hostRoutes(): readonly Cidr[];
}

/** The address spaces served; Docker asks for the local one unless its network is of global scope. */
export const ADDRESS_SPACES = { local: 'local', global: 'global' } as const;

export class Pools {
  readonly #deps: PoolDeps;
  /** References that Docker may ask for once more because it was restarted, by PoolID. */
  readonly #replayable = new Map<string, number>();

  constructor(deps: PoolDeps) {
    this.#deps = deps;
  }

  /**
   * Docker was restarted: what it asks for from now on may be what it already has, and does not
   * count a second time.
   */
  beginReplay(): void {
    this.#replayable.clear();
    for (const pool of this.#deps.store.pools()) this.#replayable.set(pool.id, pool.references);
  }

  /** Throws ESW_ERR_IPAM_ADDRESS_SPACE, _POOL_INVALID, _POOL_OVERLAP or _NO_POOL. */
  request(request: PoolRequest): Pool {
    const space = request.space === '' ? ADDRESS_SPACES.local : request.space;
    if (!Object.values<string>(ADDRESS_SPACES).includes(space)) {
      throw new EswError('ESW_ERR_IPAM_ADDRESS_SPACE', `there is no address space "${space}"`);
    }
    const range = parseRange(request);
    if (range === null) return this.#create(space, this.#choose(space, request.v6 ? 6 : 4));
    const existing = this.#deps.store.pool(poolId(space, range));
    if (existing === null) return this.#create(space, range);
    if (existing.references > 0 && this.#isReplay(existing)) return existing;
    return this.#put({ ...existing, references: existing.references + 1 });
  }

  /**
   * Gives one reference back; the last one frees the pool and all its leases. Docker 20.10 releases the
   * pool before it deletes the network on it: then the pool stays until that. Unknown pools are fine.
   */
  release(id: string): void {
    const { store } = this.#deps;
    const pool = store.pool(id);
    if (pool === null) return;
    this.#replayable.delete(id);
    const references = Math.max(0, pool.references - 1);
    const isHeld = networksOn(store, pool.pool).length > 0;
    if (references > 0 || isHeld) this.#put({ ...pool, references });
    else store.commit(tx => tx.deletePool(id));
  }

  /** Within the commit that deletes a network: frees the pools that Docker had released before. */
  networkDeleted(tx: StoreWriter, { subnets }: Network): void {
    for (const pool of tx.pools()) {
      const isOn = subnets.some(subnet => subnet.pool === pool.pool);
      if (isOn && pool.references === 0 && networksOn(tx, pool.pool).length === 0) tx.deletePool(pool.id);
    }
  }

  /**
   * A network of ours has this pool alone (a second one would be refused), so asking for it again
   * is a replay; so is, for pools of other drivers, the first question after Docker's restart.
   */
  #isReplay(pool: Pool): boolean {
    if (networksOn(this.#deps.store, pool.pool).length > 0) return true;
    const left = this.#replayable.get(pool.id) ?? 0;
    if (left > 0) this.#replayable.set(pool.id, left - 1);
    return left > 0;
  }

  #create(space: string, range: PoolRange): Pool {
    return this.#put({ id: poolId(space, range), space, ...range, references: 1, cursor: null });
  }

  #put(pool: Pool): Pool {
    this.#deps.store.commit(tx => tx.putPool(pool));
    return pool;
  }

  #choose(space: string, family: Family): PoolRange {
    const { store, defaultPools, hostRoutes } = this.#deps;
    const taken = new IntervalSet();
    const pools = store.pools().filter(pool => pool.space === space);
    const networks = [...store.intent().networks.values()].flatMap(network => network.subnets);
    for (const { pool } of [...pools, ...networks]) avoid(taken, pool, family);
    for (const route of hostRoutes()) if (cidrLength(route) > 0) avoid(taken, route, family);
    for (const block of defaultPools[family]) {
      const pool = nextPool(block, taken);
      if (pool !== null) return { pool, subPool: null };
    }
    const blocks = defaultPools[family].map(block => `${block.base} in /${block.length}`).join(', ');
    throw new EswError('ESW_ERR_IPAM_NO_POOL', `no default IPv${family} pool is free of ${blocks}`);
  }
}

function avoid(taken: IntervalSet, cidr: Cidr, family: Family): void {
  if (ipFamily(cidr) !== family) return;
  const { first, last } = cidrRange(cidr);
  taken.add(first, last);
}
