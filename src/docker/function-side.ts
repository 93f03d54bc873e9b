/** The function side of a new endpoint: a NIC's function where its network gets one, else a link of ours. */
import type { EndpointId } from '../lib/brand.ts';
import { asEswError, EswError } from '../lib/errors.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import { type DevlinkHandle, functionKey, type NicFunction } from '../model/nic.ts';
import { snapshotOf } from '../model/vf-lease.ts';
import { chooseDatapath } from '../place/datapath.ts';
import { chooseFunction, type FunctionView } from '../place/function-choice.ts';
import type { StoreReader, StoreWriter } from '../store/port.ts';
import type { PluginDeps } from './deps.ts';

/** What there is to choose from. NICs answer slowly, so this is asked before the commit that chooses. */
export type Offer =
  | { readonly kind: 'veth'; readonly fallback: string | null }
  | { readonly kind: 'nic'; readonly view: FunctionView };

export interface Side {
  readonly function: NicFunction | null;
  readonly fallback: string | null;
}

const PAIR: Offer = { kind: 'veth', fallback: null };

/** Throws ESW_ERR_DATAPATH_UNAVAILABLE when the network requires hardware and this host has none for it. */
export async function offerFor(deps: PluginDeps, network: Network): Promise<Offer> {
  const choice = chooseDatapath(network, deps.capabilities(network.vlan?.parent));
  if (choice.verdict === 'refused') return { kind: 'veth', fallback: fallBackOrThrow(network, choice.why) };
  if (choice.kind === 'software') {
    // Of a host that could do no better a bridge network says so by itself.
    return network.vlan === undefined || network.datapath === 'software'
      ? PAIR
      : { kind: 'veth', fallback: choice.why };
  }
  try {
    return { kind: 'nic', view: await deps.functions.view() };
  } catch (error) {
    return { kind: 'veth', fallback: fallBackOrThrow(network, asEswError(error).message) };
  }
}

/** By the ledger as it is inside the commit: two endpoints that are made at once get two functions. */
export function chooseSide(deps: PluginDeps, tx: StoreReader, network: Network, offer: Offer): Side {
  if (offer.kind === 'veth') return { function: null, fallback: offer.fallback };
  const { vlan, nic = null } = network;
  const mode = vlan === undefined ? 'switchdev' : 'legacy';
  const wish = { mode, nic: vlan?.parent ?? nic, near: functionsByNic(tx, network) } as const;
  const choice = chooseFunction(deps.identity, offer.view, key => tx.vf(key), wish);
  if (choice.verdict === 'chosen') return { function: choice.function, fallback: null };
  return { function: null, fallback: fallBackOrThrow(network, choice.why) };
}

/** The ledger's row for a chosen function; after its endpoint, in the same commit. */
export function takeFunction(tx: StoreWriter, endpoint: EndpointId, chosen: NicFunction | null): void {
  if (chosen === null) return;
  const { ref } = chosen;
  const snapshot = snapshotOf(chosen);
  tx.putVf({ ref, endpoint, state: 'used', sinceMs: Date.now(), snapshot, fault: null });
}

/**
 * The endpoint goes on with a veth pair: the kernel refused the function, and `why` is what it said.
 * False when the endpoint is not as it was any more.
 */
export function fallBack({ store }: PluginDeps, { id, vf }: Endpoint, why: string): boolean {
  return store.commit(tx => {
    const current = tx.endpoint(id);
    const row = vf && tx.vf(functionKey(vf));
    if (current === null || vf === null || row?.endpoint !== id) return false;
    tx.putVf({ ...row, endpoint: null, state: 'cooling', sinceMs: Date.now(), fault: why });
    tx.putEndpoint({ ...current, vf: null, fallback: why });
    return true;
  }).value;
}

/** A VF that was asked for by name has no other side that would do the same. */
export function mayFallBack({ require, datapath, type }: Network): boolean {
  return require === 'any' && !(type === 'vlan' && datapath === 'sriov');
}

function fallBackOrThrow(network: Network, why: string): string {
  if (mayFallBack(network)) return why;
  const asked = `datapath=${network.datapath}, require=${network.require}`;
  throw new EswError('ESW_ERR_DATAPATH_UNAVAILABLE', `${asked}: ${why}`);
}

function functionsByNic(tx: StoreReader, { id }: Network): ReadonlyMap<DevlinkHandle, number> {
  const counts = new Map<DevlinkHandle, number>();
  for (const { endpoint, ref } of tx.vfs()) {
    if (endpoint === null || tx.endpoint(endpoint)?.networkId !== id) continue;
    counts.set(ref.nic, (counts.get(ref.nic) ?? 0) + 1);
  }
  return counts;
}
