/** CreateNetwork and DeleteNetwork. */
import type { NetworkId } from '../lib/brand.ts';
import { EswError } from '../lib/errors.ts';
import { cidrOverlaps, ipFamily } from '../lib/ip.ts';
import { stableMac } from '../lib/mac.ts';
import type { Network } from '../model/network.ts';
import { MTU_MIN_IPV6, type NetworkOptions, parseNetworkOptions } from '../model/options.ts';
import { switchdevProblem } from '../place/capabilities.ts';
import { isNamed } from '../place/function-choice.ts';
import type { StoreReader, StoreWriter } from '../store/port.ts';
import { requireDatapath } from './datapath.ts';
import type { PluginDeps } from './deps.ts';
import type { CreateNetworkRequest } from './requests.ts';
import { settle } from './settle.ts';

/** What the creator decides; the rest is allocated. */
type Definition = Omit<Network, 'slot' | 'gatewaySlot' | 'switchMac' | 'gatewayMac'>;

/**
 * Resolves when the network is in the kernel; a network that does not get there is taken back.
 * Creating the same one again is fine.
 */
export async function createNetwork(deps: PluginDeps, request: CreateNetworkRequest): Promise<void> {
  const definition = await define(deps, request);
  requireDatapath(deps, definition);
  await checkNic(deps, definition);
  const before = deps.store.network(request.id);
  const { value: network, revision } = deps.store.commit(tx => {
    if (before !== null) return sameOrThrow(before, definition);
    refuseOverlap(tx, definition);
    refuseSameVlan(tx, definition);
    const created = allocate(deps, tx, definition);
    tx.putNetwork(created);
    return created;
  });
  try {
    await settle(deps, revision, network.id, { networks: [network.id] });
  } catch (error) {
    if (before === null) takeBack(deps, network);
    throw error;
  }
}

/**
 * Removes a network. Docker has counted its endpoints before it asks, and ignores our refusal: an
 * endpoint that is still here is one that Docker has lost, and goes too.
 */
export async function deleteNetwork(deps: PluginDeps, id: NetworkId): Promise<void> {
  const { store, log } = deps;
  const network = store.network(id);
  if (network === null) return;
  const lost = [...store.intent().endpoints.values()].filter(endpoint => endpoint.networkId === id);
  if (lost.length > 0) {
    log.warn({ network: id, endpoints: lost.length }, 'network deleted with endpoints that Docker forgot');
  }
  const { revision } = store.commit(tx => {
    for (const endpoint of lost) tx.deleteEndpoint(endpoint.id);
    tx.deleteNetwork(id);
    deps.ipam.networkDeleted(tx, network);
  });
  const endpoints = lost.map(endpoint => endpoint.id);
  deps.functions.freed();
  try {
    // The next network may have the same subnet: its routes must not meet those of this one.
    await settle(deps, revision, id, { networks: [id], endpoints });
  } catch (error) {
    log.warn({ network: id, err: error }, 'network deleted, but the kernel still has parts of it');
  }
}

/** A NIC that is named must be there, and fit to take part if that is what was asked for. */
async function checkNic(deps: PluginDeps, { nic: wanted, datapath, require }: Definition): Promise<void> {
  if (wanted === undefined) return;
  const { nics } = (await deps.functions.view()).inventory;
  const found = nics.find(nic => isNamed(nic, wanted));
  const refuse = (why: string) => new EswError('ESW_ERR_DATAPATH_UNAVAILABLE', `nic=${wanted}: ${why}`);
  if (found === undefined)
    throw refuse(`this host has ${nics.map(nic => nic.handle).join(', ') || 'no NIC'}`);
  const problem = switchdevProblem(found);
  if (problem !== null && (datapath === 'switchdev' || require === 'hw')) throw refuse(problem);
}

async function define(
  deps: PluginDeps,
  { id, internal, subnets, options }: CreateNetworkRequest,
): Promise<Definition> {
  const { vlan: wanted, ...parsed }: NetworkOptions = parseNetworkOptions(options);
  const parent = wanted === undefined ? null : await deps.parentLink(wanted.parent);
  if (parent !== null && internal) throw cannotIsolate();
  const mtu = parsed.mtu ?? parent?.mtu ?? deps.uplinkMtu();
  if (parent !== null && mtu > parent.mtu) {
    throw new EswError('ESW_ERR_OPTION_VALUE', `mtu ${mtu}: ${parent.name} carries at most ${parent.mtu}`);
  }
  if (subnets.some(subnet => ipFamily(subnet.pool) === 6) && mtu < MTU_MIN_IPV6) {
    throw new EswError('ESW_ERR_OPTION_VALUE', `mtu ${mtu}: IPv6 needs at least ${MTU_MIN_IPV6}`);
  }
  const vlan = wanted === undefined || parent === null ? {} : { vlan: { ...wanted, parent: parent.name } };
  return { ...parsed, ...vlan, mtu, id, internal, subnets, options };
}

/** What promises isolation must not be accepted and then be up to the physical network. */
function cannotIsolate(): EswError {
  const why = 'its containers are stations of the physical network, which the host cannot keep them from';
  return new EswError('ESW_ERR_OPTION_VALUE', `a network of type vlan cannot be internal: ${why}`);
}

function sameOrThrow(existing: Network, wanted: Definition): Network {
  const identity = ({ subnets, internal, options }: Definition) =>
    JSON.stringify([subnets, internal, Object.entries(options).sort()]);
  if (identity(existing) === identity(wanted)) return existing;
  throw new EswError('ESW_ERR_NETWORK_EXISTS', `network ${existing.id} exists with another definition`);
}

function refuseOverlap(store: StoreReader, { id, subnets }: Definition): void {
  for (const other of store.intent().networks.values()) {
    for (const theirs of other.subnets) {
      const ours = subnets.find(subnet => cidrOverlaps(subnet.pool, theirs.pool));
      if (ours === undefined) continue;
      const message = `${ours.pool} of network ${id} overlaps ${theirs.pool} of network ${other.id}`;
      throw new EswError('ESW_ERR_NETWORK_OVERLAP', message);
    }
  }
}

/** Two networks of one VLAN would be one, without the isolation that two names promise. */
function refuseSameVlan(store: StoreReader, { id, vlan }: Definition): void {
  if (vlan === undefined) return;
  for (const other of store.intent().networks.values()) {
    if (other.vlan?.parent !== vlan.parent || other.vlan.vlan !== vlan.vlan) continue;
    const which = vlan.vlan === 0 ? `${vlan.parent} without a VLAN` : `VLAN ${vlan.vlan} of ${vlan.parent}`;
    throw new EswError('ESW_ERR_NETWORK_OVERLAP', `${which}: network ${other.id} has it, so ${id} cannot`);
  }
}

function allocate(deps: PluginDeps, store: StoreReader, definition: Definition): Network {
  const slot = store.freeNetSlot();
  const gatewaySlot = store.freePortSlot(deps.maxPorts);
  if (slot === null || gatewaySlot === null) {
    const what = slot === null ? 'networks' : `ports (maxPorts ${deps.maxPorts})`;
    throw new EswError('ESW_ERR_SLOTS_EXHAUSTED', `no room for more ${what}`);
  }
  const seed = `${deps.identity.instance}/${definition.id}`;
  const switchMac = stableMac(`${seed}/switch`);
  return { ...definition, slot, gatewaySlot, switchMac, gatewayMac: stableMac(`${seed}/gateway`) };
}

function takeBack(deps: PluginDeps, network: Network): void {
  deps.store.commit((tx: StoreWriter) => {
    const hasEndpoints = [...tx.intent().endpoints.values()].some(one => one.networkId === network.id);
    if (tx.network(network.id) === network && !hasEndpoints) tx.deleteNetwork(network.id);
  });
  deps.reconciler.notify({ networks: [network.id] });
}
