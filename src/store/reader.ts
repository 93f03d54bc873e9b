/** Reading from the tables: the same for a store and for a commit in progress. */
import type { EndpointId, Ip, Mac, NetSlot, NetworkId, PortSlot, Revision } from '../lib/brand.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { HostPort } from '../model/host-port.ts';
import type { Intent } from '../model/intent.ts';
import type { Network } from '../model/network.ts';
import type { FunctionKey } from '../model/nic.ts';
import type { VfLease } from '../model/vf-lease.ts';
import type { Lease, Pool, StoreReader } from './port.ts';
import type { Tables } from './tables.ts';

/** Networks are told apart by 16 bits in the eBPF tables; slot 0 means "none" there. */
export const NET_SLOT_MAX = 65_535;

export class TableReader implements StoreReader {
  protected readonly tables: Tables;
  readonly #revision: () => Revision;

  constructor(tables: Tables, revision: () => Revision) {
    this.tables = tables;
    this.#revision = revision;
  }

  get revision(): Revision {
    return this.#revision();
  }

  intent(): Intent {
    return this.tables.intent();
  }

  network(id: NetworkId): Network | null {
    return this.tables.networks.get(id) ?? null;
  }

  endpoint(id: EndpointId): Endpoint | null {
    return this.tables.endpoints.get(id) ?? null;
  }

  pools(): readonly Pool[] {
    return [...this.tables.pools.values()];
  }

  pool(id: string): Pool | null {
    return this.tables.pools.get(id) ?? null;
  }

  leases(poolId: string): ReadonlyMap<Ip, Lease> {
    return this.tables.leases(poolId);
  }

  endpointByAddress(networkId: NetworkId, address: Ip): Endpoint | null {
    return this.tables.endpointByAddress(networkId, address);
  }

  endpointByMac(networkId: NetworkId, mac: Mac): Endpoint | null {
    return this.tables.endpointByMac(networkId, mac);
  }

  hostPortOwner(binding: HostPort): EndpointId | null {
    return this.tables.hostPorts.owner(binding, null);
  }

  vf(key: FunctionKey): VfLease | null {
    return this.tables.vfs.get(key) ?? null;
  }

  vfs(): readonly VfLease[] {
    return [...this.tables.vfs.values()];
  }

  freeNetSlot(): NetSlot | null {
    return this.tables.netSlots.next(NET_SLOT_MAX + 1) as NetSlot | null;
  }

  freePortSlot(limit: number): PortSlot | null {
    return this.tables.portSlots.next(limit) as PortSlot | null;
  }
}
