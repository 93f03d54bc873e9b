/** Senders and receivers as people name them: id heads, addresses, MACs. */
import type { Ip, Mac } from '../lib/brand.ts';
import { EswError } from '../lib/errors.ts';
import { cidrAddress, parseIp } from '../lib/ip.ts';
import { parseMac } from '../lib/mac.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import type { Party } from '../observe/explain.ts';
import { resolveEndpoint } from './resolve.ts';

/** Networks may use the same addresses, so both ends are looked for together. */
export function resolveParties(intent: Intent, src: string, dst: string): { src: Party; dst: Party } {
  const senders = candidates(intent, src);
  const receivers = candidates(intent, dst);
  for (const from of senders) {
    const to = receivers.find(each => networkOf(each) === networkOf(from));
    if (to !== undefined) return { src: only(senders, from, src, receivers), dst: to };
  }
  const [from] = senders;
  const [to] = receivers;
  if (from === undefined || to === undefined) throw new EswError('ESW_ERR_INTERNAL', 'no candidate');
  return { src: from, dst: to };
}

/** An address that several networks have is one sender only if one of them has the receiver too. */
function only(senders: readonly Party[], chosen: Party, text: string, receivers: readonly Party[]): Party {
  const fitting = senders.filter(each => receivers.some(to => networkOf(to) === networkOf(each)));
  if (fitting.length <= 1) return chosen;
  const message = `${text} is in ${fitting.length} networks: name the endpoint by its id`;
  throw new EswError('ESW_ERR_REQUEST_FIELD', message);
}

function networkOf(party: Party): string | null {
  if (party.kind === 'endpoint') return party.endpoint.networkId;
  return party.kind === 'gateway' ? party.network.id : null;
}

/** At least one. Throws ESW_ERR_ENDPOINT_UNKNOWN for a MAC or id that nobody has. */
function candidates(intent: Intent, text: string): Party[] {
  const mac = parseMac(text);
  if (mac !== null) return byMac(intent, mac);
  const ip = parseIp(text);
  if (ip !== null) return byIp(intent, ip);
  const id = resolveEndpoint(text, intent.endpoints.keys());
  return [...intent.endpoints.values()].filter(each => each.id === id).map(each => asParty(each, null));
}

const asParty = (endpoint: Endpoint, ip: Ip | null): Party => ({ kind: 'endpoint', endpoint, ip });

function byMac({ endpoints, networks }: Intent, mac: Mac): Party[] {
  const found: Party[] = [...endpoints.values()]
    .filter(each => each.mac === mac)
    .map(each => asParty(each, null));
  for (const network of networks.values()) {
    if (network.gatewayMac === mac) found.push({ kind: 'gateway', network, ip: null });
  }
  if (found.length === 0) throw new EswError('ESW_ERR_ENDPOINT_UNKNOWN', `no endpoint has the MAC ${mac}`);
  return found;
}

function byIp({ endpoints, networks }: Intent, ip: Ip): Party[] {
  const found: Party[] = [];
  for (const endpoint of endpoints.values()) {
    const has = [endpoint.ip4, endpoint.ip6].some(cidr => cidr !== null && cidrAddress(cidr) === ip);
    if (has) found.push(asParty(endpoint, ip));
  }
  for (const network of networks.values()) {
    if (network.subnets.some(({ gateway }) => gateway === ip)) found.push({ kind: 'gateway', network, ip });
  }
  return found.length === 0 ? [{ kind: 'address', ip }] : found;
}
