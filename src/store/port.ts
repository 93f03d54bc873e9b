/**
 * The store: intent and allocations, durable before the first kernel operation. It never records
 * what was applied (the kernel is the only record of that). `sqlite.ts` and `memory.ts` pass one
 * contract suite. All calls are synchronous: node:sqlite is, and a commit is ~1 ms.
 */
import type { Cidr, EndpointId, Ip, NetSlot, NetworkId, PortSlot, Revision } from '../lib/brand.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import type { Network } from '../model/network.ts';

/** One address pool handed out by the IPAM. */
export interface Pool {
  /** Opaque PoolID given to Docker: `<space>/<pool>` or `<space>/<pool>/<subPool>`. */
  readonly id: string;
  readonly space: string;
  readonly pool: Cidr;
  /** Range dynamic addresses come from; null = whole pool. */
  readonly subPool: Cidr | null;
  /** RequestPool calls minus ReleasePool calls. */
  readonly references: number;
  /** Last address handed out dynamically, so that a freed one is not reused at once; null = none yet. */
  readonly cursor: Ip | null;
}

export interface Lease {
  readonly poolId: string;
  readonly address: Ip;
  readonly purpose: 'gateway' | 'endpoint' | 'auxiliary';
}

export interface StoreReader {
  readonly revision: Revision;
  intent(): Intent;
  network(id: NetworkId): Network | null;
  endpoint(id: EndpointId): Endpoint | null;
  pools(): readonly Pool[];
  pool(id: string): Pool | null;
  leases(poolId: string): ReadonlyMap<Ip, Lease>;
  /** Lowest slot not in use, null when all `limit` are. A freed slot is handed out last. */
  freeNetSlot(): NetSlot | null;
  freePortSlot(limit: number): PortSlot | null;
}

/** Changes inside one commit. Unique constraints (slots, addresses, host ports) throw EswError. */
export interface StoreWriter extends StoreReader {
  putNetwork(network: Network): void;
  deleteNetwork(id: NetworkId): void;
  putEndpoint(endpoint: Endpoint): void;
  deleteEndpoint(id: EndpointId): void;
  putPool(pool: Pool): void;
  deletePool(id: string): void;
  putLease(lease: Lease): void;
  deleteLease(poolId: string, address: Ip): void;
}

export interface Store extends StoreReader {
  /**
   * Runs `change` in one transaction and makes it durable. Throws what `change` throws (nothing is
   * then changed) or ESW_ERR_STORE_IO. A commit that changes nothing keeps the revision.
   */
  commit<T>(change: (tx: StoreWriter) => T): { readonly value: T; readonly revision: Revision };
  /** What happened to the store when it was opened, for status: fresh, opened, or rebuilt from damage. */
  readonly origin: 'fresh' | 'opened' | 'recovered';
  close(): void;
}
