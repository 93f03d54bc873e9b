/** The store's content in memory: records with the indexes that answer questions about them in O(1). */
import type { EndpointId, Ip, Mac, NetworkId } from '../lib/brand.ts';
import { cidrAddress } from '../lib/ip.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import type { Network } from '../model/network.ts';
import { type FunctionKey, functionKey } from '../model/nic.ts';
import type { VfLease } from '../model/vf-lease.ts';
import { BucketMap } from './bucket-map.ts';
import { bindingsInForce, HostPorts } from './host-ports.ts';
import type { Lease, Pool } from './port.ts';
import { SlotPool } from './slot-pool.ts';

/** One record before and after; null = absent. Enough to undo it, and to write it down. */
export type Change =
  | { readonly table: 'network'; readonly before: Network | null; readonly after: Network | null }
  | { readonly table: 'endpoint'; readonly before: Endpoint | null; readonly after: Endpoint | null }
  | { readonly table: 'pool'; readonly before: Pool | null; readonly after: Pool | null }
  | { readonly table: 'lease'; readonly before: Lease | null; readonly after: Lease | null }
  | { readonly table: 'vf'; readonly before: VfLease | null; readonly after: VfLease | null };

const NO_LEASES: ReadonlyMap<Ip, Lease> = new Map();
const NO_ENDPOINTS: ReadonlySet<EndpointId> = new Set();

/** What is known of a network's endpoints. */
interface Members {
  readonly ids: Set<EndpointId>;
  readonly byAddress: Map<Ip, EndpointId>;
  readonly byMac: Map<Mac, EndpointId>;
}

export class Tables {
  readonly networks = new BucketMap<Network>();
  readonly endpoints = new BucketMap<Endpoint>();
  readonly pools = new Map<string, Pool>();
  /** Slots 1..65535 of networks; slots of endpoints and gateway ports. */
  readonly netSlots = new SlotPool(1);
  readonly portSlots = new SlotPool(0);
  readonly hostPorts = new HostPorts();
  readonly vfs = new Map<FunctionKey, VfLease>();
  readonly #vfOf = new Map<EndpointId, FunctionKey>();
  readonly #leases = new Map<string, Map<Ip, Lease>>();
  readonly #members = new Map<NetworkId, Members>();

  intent(): Intent {
    return { networks: this.networks.snapshot(), endpoints: this.endpoints.snapshot() };
  }

  leases(poolId: string): ReadonlyMap<Ip, Lease> {
    return this.#leases.get(poolId) ?? NO_LEASES;
  }

  endpointsOf(id: NetworkId): ReadonlySet<EndpointId> {
    return this.#members.get(id)?.ids ?? NO_ENDPOINTS;
  }

  endpointByAddress(id: NetworkId, address: Ip): Endpoint | null {
    return this.#endpoint(this.#members.get(id)?.byAddress.get(address));
  }

  endpointByMac(id: NetworkId, mac: Mac): Endpoint | null {
    return this.#endpoint(this.#members.get(id)?.byMac.get(mac));
  }

  vfOf(id: EndpointId): VfLease | null {
    const key = this.#vfOf.get(id);
    return key === undefined ? null : (this.vfs.get(key) ?? null);
  }

  /** Makes a change true in every index. The caller has checked the constraints. */
  apply(change: Change): void {
    this.#set(change, change.before, change.after, (pool, slot) => pool.release(slot));
  }

  /** The reverse of `apply`; changes are undone last first. */
  undo(change: Change): void {
    this.#set(change, change.after, change.before, (pool, slot) => pool.untake(slot));
  }

  #endpoint(id: EndpointId | undefined): Endpoint | null {
    return id === undefined ? null : (this.endpoints.get(id) ?? null);
  }

  #set(
    { table }: Change,
    from: Change['before'],
    to: Change['before'],
    free: (pool: SlotPool, slot: number) => void,
  ): void {
    if (table === 'network') this.#setNetwork(from as Network | null, to as Network | null, free);
    else if (table === 'endpoint') this.#setEndpoint(from as Endpoint | null, to as Endpoint | null, free);
    else if (table === 'pool') this.#setPool(from as Pool | null, to as Pool | null);
    else if (table === 'lease') this.#setLease(from as Lease | null, to as Lease | null);
    else this.#setVf(from as VfLease | null, to as VfLease | null);
  }

  #setNetwork(from: Network | null, to: Network | null, free: (pool: SlotPool, slot: number) => void): void {
    if (from !== null && from.slot !== to?.slot) free(this.netSlots, from.slot);
    if (from !== null && from.gatewaySlot !== to?.gatewaySlot) free(this.portSlots, from.gatewaySlot);
    if (to !== null && to.slot !== from?.slot) this.netSlots.take(to.slot, to.id);
    if (to !== null && to.gatewaySlot !== from?.gatewaySlot) this.portSlots.take(to.gatewaySlot, to.id);
    if (to !== null) this.networks.set(to.id, to);
    else if (from !== null) this.networks.delete(from.id);
  }

  #setEndpoint(
    from: Endpoint | null,
    to: Endpoint | null,
    free: (pool: SlotPool, slot: number) => void,
  ): void {
    if (from !== null && from.slot !== to?.slot) free(this.portSlots, from.slot);
    if (to !== null && to.slot !== from?.slot) this.portSlots.take(to.slot, to.id);
    const id = to?.id ?? from?.id;
    if (id !== undefined) this.hostPorts.replace(id, bindingsInForce(from), bindingsInForce(to));
    if (from !== null) this.#forget(from);
    if (to !== null) {
      this.#remember(to);
      this.endpoints.set(to.id, to);
    } else if (from !== null) this.endpoints.delete(from.id);
  }

  #setPool(from: Pool | null, to: Pool | null): void {
    if (to !== null) this.pools.set(to.id, to);
    else if (from !== null) this.pools.delete(from.id);
  }

  #setLease(from: Lease | null, to: Lease | null): void {
    if (to !== null) {
      const leases = this.#leases.get(to.poolId);
      if (leases === undefined) this.#leases.set(to.poolId, new Map([[to.address, to]]));
      else leases.set(to.address, to);
    } else if (from !== null) {
      const leases = this.#leases.get(from.poolId);
      leases?.delete(from.address);
      if (leases?.size === 0) this.#leases.delete(from.poolId);
    }
  }

  #setVf(from: VfLease | null, to: VfLease | null): void {
    const ref = to?.ref ?? from?.ref;
    if (ref === undefined) return;
    const key = functionKey(ref);
    if (from?.endpoint != null) this.#vfOf.delete(from.endpoint);
    if (to?.endpoint != null) this.#vfOf.set(to.endpoint, key);
    if (to !== null) this.vfs.set(key, to);
    else this.vfs.delete(key);
  }

  #remember(endpoint: Endpoint): void {
    let members = this.#members.get(endpoint.networkId);
    if (members === undefined) {
      members = { ids: new Set(), byAddress: new Map(), byMac: new Map() };
      this.#members.set(endpoint.networkId, members);
    }
    members.ids.add(endpoint.id);
    members.byMac.set(endpoint.mac, endpoint.id);
    for (const address of addressesOf(endpoint)) members.byAddress.set(address, endpoint.id);
  }

  #forget(endpoint: Endpoint): void {
    const members = this.#members.get(endpoint.networkId);
    members?.ids.delete(endpoint.id);
    members?.byMac.delete(endpoint.mac);
    for (const address of addressesOf(endpoint)) members?.byAddress.delete(address);
    if (members?.ids.size === 0) this.#members.delete(endpoint.networkId);
  }
}

export function addressesOf(endpoint: Endpoint): Ip[] {
  return [endpoint.ip4, endpoint.ip6].flatMap(cidr => (cidr === null ? [] : [cidrAddress(cidr)]));
}
