/**
 * The store: intent and allocations, durable before the first kernel operation. It never records
 * what was applied (the kernel is the only record of that). `sqlite.ts` and `memory.ts` pass one
 * contract suite. All calls are synchronous: node:sqlite is, and a commit is ~1 ms.
 */
import type { Cidr, EndpointId, Ip, Mac, NetSlot, NetworkId, PortSlot, Revision } from '../lib/brand.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { HostPort } from '../model/host-port.ts';
import type { Intent } from '../model/intent.ts';
import type { Network } from '../model/network.ts';
import type { FunctionKey } from '../model/nic.ts';
import type { VfLease } from '../model/vf-lease.ts';

/** One address pool handed out by the IPAM. */
export interface Pool {
  /** Opaque PoolID given to Docker: `<space>/<pool>` or `<space>/<pool>/<subPool>`. */
  readonly id: string;
  readonly space: string;
  readonly pool: Cidr;
  /** Range dynamic addresses come from; null = whole pool. */
  readonly subPool: Cidr | null;
  /** RequestPool calls minus ReleasePool calls; 0 = released, kept until the network on it is deleted. */
  readonly references: number;
  /** Last address handed out dynamically, so that a freed one is not reused at once; null = none yet. */
  readonly cursor: Ip | null;
}

export interface Lease {
  readonly poolId: string;
  readonly address: Ip;
  readonly purpose: 'gateway' | 'endpoint' | 'auxiliary';
  /** MAC of the endpoint it was asked for: the same question again gets the same address; null = not told. */
  readonly mac: Mac | null;
}

export interface StoreReader {
  readonly revision: Revision;
  intent(): Intent;
  network(id: NetworkId): Network | null;
  endpoint(id: EndpointId): Endpoint | null;
  pools(): readonly Pool[];
  pool(id: string): Pool | null;
  /** A live view: it follows later commits. */
  leases(poolId: string): ReadonlyMap<Ip, Lease>;
  /** The endpoint of `networkId` that has this interface address, in O(1). */
  endpointByAddress(networkId: NetworkId, address: Ip): Endpoint | null;
  endpointByMac(networkId: NetworkId, mac: Mac): Endpoint | null;
  /** A published endpoint whose bindings leave no room for this one (a wildcard meets every address). */
  hostPortOwner(binding: HostPort): EndpointId | null;
  /** The ledger's row of a NIC's function; null: free, as far as we are concerned. */
  vf(key: FunctionKey): VfLease | null;
  vfs(): readonly VfLease[];
  /** Lowest slot not in use, null when all `limit` are. A freed slot is handed out last. */
  freeNetSlot(): NetSlot | null;
  freePortSlot(limit: number): PortSlot | null;
}

/**
 * Changes inside one commit. Unique constraints throw EswError: slots, addresses and MACs per
 * network, host ports of published endpoints, ranges of pools per space, one function per endpoint and
 * the reverse. What is deleted and absent
 * is no error; a network that has endpoints cannot be deleted, a pool takes its leases along.
 */
export interface StoreWriter extends StoreReader {
  putNetwork(network: Network): void;
  deleteNetwork(id: NetworkId): void;
  putEndpoint(endpoint: Endpoint): void;
  /** Its NIC function, if it has one, is `cooling` from then on. */
  deleteEndpoint(id: EndpointId): void;
  putPool(pool: Pool): void;
  deletePool(id: string): void;
  putLease(lease: Lease): void;
  deleteLease(poolId: string, address: Ip): void;
  /** At the end of a commit a row is `used` by exactly the endpoint that has the function. */
  putVf(row: VfLease): void;
  /** The function is free again. A `used` one is refused. */
  deleteVf(key: FunctionKey): void;
}

/**
 * What a commit is safe from once it returned: `power-cut` (the default) is on the disk; `kill` is with
 * the kernel, which is enough for facts about running containers, and saves an fsync. A later commit
 * that survives a power cut takes earlier ones along.
 */
export type Durability = 'power-cut' | 'kill';

export interface Store extends StoreReader {
  /**
   * Runs `change` in one transaction and makes it durable. Throws what `change` throws (nothing is
   * then changed) or ESW_ERR_STORE_IO. A commit that changes nothing keeps the revision.
   */
  commit<T>(
    change: (tx: StoreWriter) => T,
    survives?: Durability,
  ): { readonly value: T; readonly revision: Revision };
  /** What happened to the store when it was opened, for status: fresh, opened, or rebuilt from damage. */
  readonly origin: 'fresh' | 'opened' | 'recovered';
  close(): void;
}
