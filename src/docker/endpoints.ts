/** CreateEndpoint, DeleteEndpoint, Join, Leave. */
import { portNames } from '../ir/names.ts';
import type { Cidr, Mac, PortSlot } from '../lib/brand.ts';
import { asEswError, EswError } from '../lib/errors.ts';
import { cidrAddress, cidrContains, type Family, ipFamily } from '../lib/ip.ts';
import { isUnicast, stableMac } from '../lib/mac.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import { functionKey } from '../model/nic.ts';
import { DOCKER_OPTIONS } from '../model/options.ts';
import type { StoreReader } from '../store/port.ts';
import type { PluginDeps } from './deps.ts';
import type { JoinFacts } from './encode.ts';
import { chooseSide, fallBack, mayFallBack, offerFor, type Side, takeFunction } from './function-side.ts';
import type { CreateEndpointRequest, EndpointRef, JoinRequest } from './requests.ts';
import { settle } from './settle.ts';

/**
 * Commits the endpoint with the lease of its addresses and resolves when its port, hook and entries
 * are in the kernel. One that does not get there is taken back. Creating the same again is fine.
 */
export async function createEndpoint(deps: PluginDeps, request: CreateEndpointRequest): Promise<Endpoint> {
  const { store, ipam } = deps;
  const before = store.endpoint(request.id);
  const offer = before === null ? await offerFor(deps, requireNetwork(store, request)) : null;
  const { value: made, revision } = store.commit(tx => {
    const network = requireNetwork(tx, request);
    const existing = tx.endpoint(request.id);
    if (existing !== null) return { endpoint: sameOrThrow(existing, request), isNew: false };
    if (offer === null)
      throw new EswError('ESW_ERR_ENDPOINT_UNKNOWN', `endpoint ${request.id} was just deleted`);
    if (request.portMap.length > 0) refusePublishing(network);
    for (const address of [request.ip4, request.ip6]) if (address !== null) checkAddress(network, address);
    const side = chooseSide(deps, tx, network, offer);
    const created = allocate(deps, tx, network, request, side);
    tx.putEndpoint(created);
    takeFunction(tx, created.id, side.function);
    for (const { pool } of network.subnets) {
      const address = ipFamily(pool) === 4 ? created.ip4 : created.ip6;
      if (address !== null) ipam.adopt(tx, pool, cidrAddress(address), created.mac);
    }
    return { endpoint: created, isNew: true };
  });
  const { endpoint, isNew } = made;
  try {
    await settle(deps, revision, endpoint.id, { endpoints: [endpoint.id] });
  } catch (error) {
    if (isNew && (await settledWithout(deps, endpoint, asEswError(error)))) return endpoint;
    if (isNew) takeBack(deps, endpoint);
    throw error;
  }
  return endpoint;
}

/** What the kernel refuses of a NIC's function costs speed, not the container, unless hardware is required. */
async function settledWithout(deps: PluginDeps, endpoint: Endpoint, error: EswError): Promise<boolean> {
  const { id, vf, networkId } = endpoint;
  const network = deps.store.network(networkId);
  if (vf === null || network === null || !mayFallBack(network) || error.code !== 'ESW_ERR_KERNEL_REFUSED')
    return false;
  if (!fallBack(deps, endpoint, error.message)) return false;
  deps.log.warn({ endpoint: id, function: functionKey(vf), err: error }, 'endpoint goes on in software');
  deps.functions.freed();
  try {
    await settle(deps, deps.store.revision, id, { endpoints: [id] });
    return true;
  } catch {
    // The first refusal says more.
    return false;
  }
}

function takeBack({ store, reconciler, functions }: PluginDeps, { id, slot, sandbox }: Endpoint): void {
  store.commit(tx => {
    const current = tx.endpoint(id);
    // Joined meanwhile, or another of the same id: not ours to take back.
    if (current?.slot === slot && current.sandbox === sandbox) tx.deleteEndpoint(id);
  });
  reconciler.notify({ endpoints: [id] });
  functions.freed();
}

/** Its entries go at once; the reply does not wait for the slow removal of the link. */
export function deleteEndpoint({ store, reconciler, functions }: PluginDeps, ref: EndpointRef): void {
  if (findEndpoint(store, ref) === null) return;
  store.commit(tx => tx.deleteEndpoint(ref.id));
  reconciler.notify({ endpoints: [ref.id] });
  functions.freed();
}

/**
 * Records where the function side goes and says how; Docker moves it there. Sandboxes and what they
 * publish end with the host's power, so these commits (and those of publish.ts) need only survive a kill.
 */
export function join(deps: PluginDeps, request: JoinRequest): JoinFacts {
  const { store, reconciler, identity } = deps;
  const { value } = store.commit(tx => {
    const endpoint = requireEndpoint(tx, request);
    const isSame = endpoint.sandbox?.key === request.sandboxKey;
    if (!isSame) tx.putEndpoint({ ...endpoint, sandbox: { key: request.sandboxKey, ifname: null } });
    return { endpoint, network: requireNetwork(tx, request) };
  }, 'kill');
  reconciler.notify({ endpoints: [request.id] });
  const { endpoint, network } = value;
  return {
    srcName: portNames(identity, endpoint.id).fn,
    ifname: endpoint.ifnamePrefix,
    gateway: endpoint.ip4 === null ? null : gatewayOf(network, 4),
    gatewayIpv6: endpoint.ip6 === null ? null : gatewayOf(network, 6),
  };
}

/** Docker takes the link out of the sandbox itself. What was published ends with it. */
export function leave({ store, reconciler }: PluginDeps, ref: EndpointRef): void {
  if (findEndpoint(store, ref) === null) return;
  store.commit(tx => {
    const endpoint = requireEndpoint(tx, ref);
    tx.putEndpoint({ ...endpoint, sandbox: null, published: false, bindings: [] });
  }, 'kill');
  reconciler.notify({ endpoints: [ref.id] });
}

/** null also when the endpoint is one of another network. */
export function findEndpoint(store: StoreReader, { id, networkId }: EndpointRef): Endpoint | null {
  const endpoint = store.endpoint(id);
  return endpoint?.networkId === networkId ? endpoint : null;
}

export function requireEndpoint(store: StoreReader, ref: EndpointRef): Endpoint {
  const endpoint = findEndpoint(store, ref);
  if (endpoint !== null) return endpoint;
  throw new EswError('ESW_ERR_ENDPOINT_UNKNOWN', `network ${ref.networkId} has no endpoint ${ref.id}`);
}

export function requireNetwork(store: StoreReader, { networkId }: Pick<EndpointRef, 'networkId'>): Network {
  const network = store.network(networkId);
  if (network !== null) return network;
  const message = `there is no network ${networkId}; if Docker still lists it, remove it there and create it again`;
  throw new EswError('ESW_ERR_NETWORK_UNKNOWN', message);
}

/** Throws ESW_ERR_PORT_UNSUPPORTED when no packet to a host port could reach the container. */
export function refusePublishing(network: Network): void {
  if (network.type !== 'vlan') return;
  const why =
    'its containers are on the physical network themselves, and no packet of theirs passes the host';
  throw new EswError('ESW_ERR_PORT_UNSUPPORTED', `network ${network.id} is of type vlan: ${why}`);
}

/** An internal network, or a pool without gateway, has no way out. */
function gatewayOf(network: Network, family: Family): string | null {
  if (network.internal) return null;
  return network.subnets.find(subnet => ipFamily(subnet.pool) === family)?.gateway ?? null;
}

function sameOrThrow(existing: Endpoint, request: CreateEndpointRequest): Endpoint {
  const isSame =
    existing.networkId === request.networkId &&
    existing.ip4 === request.ip4 &&
    existing.ip6 === request.ip6 &&
    (request.mac === null || request.mac === existing.mac);
  if (isSame) return existing;
  throw new EswError('ESW_ERR_ENDPOINT_EXISTS', `endpoint ${existing.id} exists with another definition`);
}

function checkAddress(network: Network, cidr: Cidr): void {
  const address = cidrAddress(cidr);
  const subnet = network.subnets.find(one => cidrContains(one.pool, address));
  const refuse = (why: string) => new EswError('ESW_ERR_ENDPOINT_ADDRESS', `${address} ${why}`);
  if (subnet === undefined) {
    const pools = network.subnets.map(one => one.pool).join(', ') || 'it has none';
    throw refuse(`is in no subnet of network ${network.id} (${pools})`);
  }
  if (subnet.gateway === address) throw refuse(`is the gateway of network ${network.id}`);
}

function allocate(
  deps: PluginDeps,
  store: StoreReader,
  network: Network,
  request: CreateEndpointRequest,
  side: Side,
): Endpoint {
  const { id, networkId, ip4, ip6, ifname, options } = request;
  const mac = request.mac === null ? deriveMac(deps, store, network, id) : checkMac(network, request.mac);
  const ifnamePrefix = ifname ?? network.options[DOCKER_OPTIONS.ifnamePrefix] ?? 'eth';
  const slot = freeSlot(deps, store);
  const base = { id, networkId, slot, mac, ip4, ip6, ifnamePrefix, options };
  const { fallback } = side;
  return { ...base, vf: side.function?.ref ?? null, fallback, bindings: [], published: false, sandbox: null };
}

function freeSlot({ maxPorts }: PluginDeps, store: StoreReader): PortSlot {
  const slot = store.freePortSlot(maxPorts);
  if (slot === null) throw new EswError('ESW_ERR_SLOTS_EXHAUSTED', `all ${maxPorts} ports are in use`);
  return slot;
}

/** The same endpoint always gets the same MAC, locally administered, that nobody in the network has. */
function deriveMac({ identity }: PluginDeps, store: StoreReader, network: Network, id: string): Mac {
  for (let attempt = 0; ; attempt++) {
    const mac = stableMac(`${identity.instance}/${id}${attempt === 0 ? '' : `/${attempt}`}`);
    const isOurs = mac === network.switchMac || mac === network.gatewayMac;
    if (!isOurs && store.endpointByMac(network.id, mac) === null) return mac;
  }
}

function checkMac(network: Network, mac: Mac): Mac {
  const refuse = (why: string) => new EswError('ESW_ERR_ENDPOINT_MAC', `${mac} ${why}`);
  if (!isUnicast(mac)) throw refuse('is not a unicast address');
  if (mac === network.switchMac || mac === network.gatewayMac) {
    throw refuse(`belongs to the switch of network ${network.id}`);
  }
  return mac;
}
