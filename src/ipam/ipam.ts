/** The IPAM: pools and addresses for Docker networks, over the store. */
import type { Cidr, Ip, Mac } from '../lib/brand.ts';
import type { Network } from '../model/network.ts';
import type { Pool, StoreWriter } from '../store/port.ts';
import { Addresses, type AddressRequest } from './addresses.ts';
import type { PoolRequest } from './pool-id.ts';
import { type PoolDeps, Pools } from './pools.ts';

export interface Ipam {
  requestPool(request: PoolRequest): Pool;
  releasePool(id: string): void;
  requestAddress(request: AddressRequest): Cidr;
  releaseAddress(poolId: string, address: string): void;
  /** Docker was restarted and asks for what it has once more. */
  beginReplay(): void;
  /** Inside an endpoint's commit: makes sure that its address is leased, if the pool is one of ours. */
  adopt(tx: StoreWriter, pool: Cidr, address: Ip, mac: Mac): void;
  /** Inside a network's commit, after its deletion: frees what Docker released before it. */
  networkDeleted(tx: StoreWriter, network: Network): void;
  /** Once at start: frees leases whose endpoints never came to be. Returns how many. */
  reclaim(): number;
}

export type IpamDeps = PoolDeps;

/** All calls are synchronous: one commit each at most. Errors are EswError with ESW_ERR_IPAM_* codes. */
export function createIpam(deps: IpamDeps): Ipam {
  const pools = new Pools(deps);
  const addresses = new Addresses(deps.store);
  return {
    requestPool: request => pools.request(request),
    releasePool(id) {
      pools.release(id);
      if (deps.store.pool(id) === null) addresses.forget(id);
    },
    requestAddress: request => addresses.request(request),
    releaseAddress: (poolId, address) => addresses.release(poolId, address),
    beginReplay: () => pools.beginReplay(),
    adopt: (tx, pool, address, mac) => addresses.adopt(tx, pool, address, mac),
    networkDeleted: (tx, network) => pools.networkDeleted(tx, network),
    reclaim: () => addresses.reclaim(),
  };
}
