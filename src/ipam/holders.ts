/** What our own networks hold of a pool: the driver's records outrank a release or a second request. */
import type { Cidr, Ip } from '../lib/brand.ts';
import type { Network } from '../model/network.ts';
import type { StoreReader } from '../store/port.ts';

/** Networks that have exactly this pool. */
export function networksOn(store: StoreReader, pool: Cidr): readonly Network[] {
  return [...store.intent().networks.values()].filter(network =>
    network.subnets.some(subnet => subnet.pool === pool),
  );
}

/** Whether a network has this address as its gateway, or one of its endpoints has it. */
export function isHeld(store: StoreReader, pool: Cidr, address: Ip): boolean {
  return networksOn(store, pool).some(
    network =>
      network.subnets.some(subnet => subnet.gateway === address) ||
      store.endpointByAddress(network.id, address) !== null,
  );
}
