/** Requesting and releasing addresses of a pool. */
import type { Cidr, Ip, Mac } from '../lib/brand.ts';
import { EswError } from '../lib/errors.ts';
import {
  cidrAddress,
  cidrLength,
  cidrOf,
  cidrRange,
  ipFamily,
  ipFromBigint,
  ipToBigint,
  parseCidr,
  parseIp,
} from '../lib/ip.ts';
import type { Lease, Pool, Store, StoreWriter } from '../store/port.ts';
import { dynamicRange, nextFree, usableRange } from './allocate.ts';
import { isHeld, networksOn } from './holders.ts';
import { PoolIndexes } from './pool-index.ts';

export interface AddressRequest {
  readonly poolId: string;
  /** "" = choose one; else a plain address (one with a prefix length is understood too). */
  readonly address: string;
  readonly isGateway: boolean;
  /** MAC of the endpoint it is for; null = not told. */
  readonly mac: Mac | null;
}

export class Addresses {
  readonly #store: Store;
  readonly #indexes: PoolIndexes;

  constructor(store: Store) {
    this.#store = store;
    this.#indexes = new PoolIndexes(store);
  }

  /**
   * The address with the pool's prefix length. Asking again for what the same asker has gives the
   * same answer. Throws ESW_ERR_IPAM_POOL_UNKNOWN, _ADDRESS_OUTSIDE, _ADDRESS_TAKEN or _EXHAUSTED.
   */
  request(request: AddressRequest): Cidr {
    const pool = this.#store.pool(request.poolId);
    if (pool === null) {
      throw new EswError('ESW_ERR_IPAM_POOL_UNKNOWN', `there is no pool "${request.poolId}"`);
    }
    const address = request.address === '' ? this.#dynamic(pool, request) : this.#fixed(pool, request);
    return cidrOf(address, cidrLength(pool.pool));
  }

  /** Frees an address. Unknown ones are fine; one that a network or endpoint of ours has stays leased. */
  release(poolId: string, text: string): void {
    const address = parseAddress(text);
    const pool = this.#store.pool(poolId);
    const lease = address === null ? undefined : this.#store.leases(poolId).get(address);
    if (pool === null || lease === undefined || isHeld(this.#store, pool.pool, lease.address)) return;
    this.#store.commit(tx => tx.deleteLease(poolId, lease.address));
    this.#indexes.removed(lease);
  }

  /** Within the commit of an endpoint: leases its address if the lease was lost or never asked for. */
  adopt(tx: StoreWriter, range: Cidr, address: Ip, mac: Mac): void {
    const pool = tx.pools().find(candidate => candidate.pool === range);
    if (pool === undefined || tx.leases(pool.id).has(address)) return;
    tx.putLease({ poolId: pool.id, address, purpose: 'endpoint', mac });
    this.#indexes.forget(pool.id);
  }

  /**
   * Frees leases for endpoints that never came to be, in pools of our own networks: Docker forgets an
   * IPv4 address when the request for the IPv6 one fails. Only at start: a request may be under way later.
   * Returns how many.
   */
  reclaim(): number {
    const lost = this.#store.pools().flatMap(pool => {
      if (networksOn(this.#store, pool.pool).length === 0) return [];
      const leases = [...this.#store.leases(pool.id).values()];
      return leases.filter(
        lease => lease.purpose === 'endpoint' && !isHeld(this.#store, pool.pool, lease.address),
      );
    });
    this.#store.commit(tx => {
      for (const lease of lost) tx.deleteLease(lease.poolId, lease.address);
    });
    for (const lease of lost) this.#indexes.removed(lease);
    return lost.length;
  }

  /** The pool is gone. */
  forget(poolId: string): void {
    this.#indexes.forget(poolId);
  }

  #dynamic(pool: Pool, { isGateway, mac }: AddressRequest): Ip {
    const index = this.#indexes.of(pool.id);
    if (isGateway && index.gateway !== null) return index.gateway;
    const asked = mac === null ? undefined : index.byMac.get(mac);
    // An address that an endpoint already has belongs to it: this is another one with the same MAC.
    if (asked !== undefined && !isHeld(this.#store, pool.pool, asked)) return asked;
    const cursor = pool.cursor === null ? null : ipToBigint(pool.cursor);
    const next = nextFree(dynamicRange(pool.pool, pool.subPool), index.taken, cursor);
    if (next === null) {
      const range = pool.subPool ?? pool.pool;
      throw new EswError(
        'ESW_ERR_IPAM_EXHAUSTED',
        `all addresses of ${range} are taken (${index.size} leases)`,
      );
    }
    const address = ipFromBigint(ipFamily(pool.pool), next);
    this.#lease({ poolId: pool.id, address, purpose: isGateway ? 'gateway' : 'endpoint', mac }, pool);
    return address;
  }

  #fixed(pool: Pool, { address: text, isGateway, mac }: AddressRequest): Ip {
    const address = parseAddress(text);
    if (address === null) {
      throw new EswError('ESW_ERR_IPAM_ADDRESS_OUTSIDE', `"${text}" is not an IP address`);
    }
    checkInside(pool, address);
    const lease = this.#store.leases(pool.id).get(address);
    if (lease === undefined) {
      const purpose = isGateway ? 'gateway' : mac === null ? 'auxiliary' : 'endpoint';
      this.#lease({ poolId: pool.id, address, purpose, mac }, null);
      return address;
    }
    if (!isSameAsker(lease, isGateway, mac)) {
      const owner = lease.mac === null ? lease.purpose : `${lease.purpose} ${lease.mac}`;
      throw new EswError('ESW_ERR_IPAM_ADDRESS_TAKEN', `${address} of ${pool.pool} is leased (${owner})`);
    }
    return address;
  }

  /** `moved`: the pool whose cursor follows the lease. */
  #lease(lease: Lease, moved: Pool | null): void {
    this.#store.commit(tx => {
      tx.putLease(lease);
      if (moved !== null) tx.putPool({ ...moved, cursor: lease.address });
    });
    this.#indexes.added(lease);
  }
}

/**
 * Docker names the MAC when it asks for an endpoint, and nothing when it asks again after its restart
 * or for an auxiliary address.
 */
function isSameAsker(lease: Lease, isGateway: boolean, mac: Mac | null): boolean {
  if (isGateway || lease.purpose === 'gateway') return isGateway && lease.purpose === 'gateway';
  if (mac === null) return true;
  return lease.purpose === 'endpoint' && (lease.mac === null || lease.mac === mac);
}

function parseAddress(text: string): Ip | null {
  const cidr = parseCidr(text);
  return cidr === null ? parseIp(text) : cidrAddress(cidr);
}

function checkInside(pool: Pool, address: Ip): void {
  const value = ipToBigint(address);
  const whole = cidrRange(pool.pool);
  const usable = usableRange(pool.pool);
  const isFamily = ipFamily(address) === ipFamily(pool.pool);
  if (!isFamily || value < whole.first || value > whole.last) {
    throw new EswError('ESW_ERR_IPAM_ADDRESS_OUTSIDE', `${address} is not in ${pool.pool}`);
  }
  if (value < usable.first || value > usable.last) {
    const what = value < usable.first ? 'network' : 'broadcast';
    throw new EswError('ESW_ERR_IPAM_ADDRESS_OUTSIDE', `${address} is the ${what} address of ${pool.pool}`);
  }
}
