/** Bodies of the network driver's calls into requests. Throws ESW_ERR_REQUEST_FIELD naming the field. */
import type { Cidr, EndpointId, Ip, Mac, NetworkId } from '../lib/brand.ts';
import {
  cidrAddress,
  cidrContains,
  cidrLength,
  cidrNetwork,
  type Family,
  ipFamily,
  parseCidr,
  parseIp,
} from '../lib/ip.ts';
import { macFromBytes, parseMac } from '../lib/mac.ts';
import type { Subnet } from '../model/network.ts';
import { type Fields, fieldError } from './fields.ts';
import { decodePortMap } from './port-map.ts';
import {
  type CreateEndpointRequest,
  type CreateNetworkRequest,
  type EndpointRef,
  type JoinRequest,
  LABELS,
  type ProgramRequest,
} from './requests.ts';

/** Docker's ids are 64 hex digits, swarm's 25 letters and digits. They become parts of names. */
const ID = /^[0-9A-Za-z_-]{1,64}$/;

function id(body: Fields, key: string): string {
  const value = body.required(key);
  if (!ID.test(value)) throw fieldError(key, 'expected 1 to 64 letters and digits');
  return value;
}

export function decodeNetworkId(body: Fields): NetworkId {
  return id(body, 'NetworkID') as NetworkId;
}

export function decodeEndpointRef(body: Fields): EndpointRef {
  return { networkId: decodeNetworkId(body), id: id(body, 'EndpointID') as EndpointId };
}

/** The user's `-o` options of a CreateNetwork or GwAllocCheck. */
export function decodeGenericOptions(body: Fields): Readonly<Record<string, string>> {
  return body.object('Options').object(LABELS.generic).texts();
}

export function decodeCreateNetwork(body: Fields): CreateNetworkRequest {
  return {
    id: decodeNetworkId(body),
    internal: body.object('Options').flag(LABELS.internal),
    options: decodeGenericOptions(body),
    subnets: [...decodeSubnets(body, 'IPv4Data', 4), ...decodeSubnets(body, 'IPv6Data', 6)],
  };
}

/** Pools of one family. The null IPAM's 0.0.0.0/0 means "no pool". */
function decodeSubnets(body: Fields, key: string, family: Family): readonly Subnet[] {
  const pools = body.objects(key).flatMap(data => {
    const text = data.text('Pool');
    const pool = text === '' ? null : parseCidr(text);
    if (pool === null && text !== '') throw fieldError(data.name('Pool'), `"${text}" is not a subnet`);
    const auxiliary = data.object('AuxAddresses');
    for (const [name, address] of Object.entries(auxiliary.texts())) addressOf(address, auxiliary.name(name));
    if (pool === null || cidrLength(pool) === 0) return [];
    if (ipFamily(pool) !== family) throw fieldError(data.name('Pool'), `${pool} is not IPv${family}`);
    return [{ pool: cidrNetwork(pool), gateway: decodeGateway(data, pool) }];
  });
  if (pools.length > 1) {
    throw fieldError(key, `${pools.length} pools; a network has one of each family`);
  }
  return pools;
}

/** No gateway means none: the first address is nobody's by default. */
function decodeGateway(data: Fields, pool: Cidr): Ip | null {
  const text = data.text('Gateway');
  if (text === '') return null;
  const gateway = addressOf(text, data.name('Gateway'));
  if (!cidrContains(pool, gateway)) throw fieldError(data.name('Gateway'), `${gateway} is not in ${pool}`);
  return gateway;
}

/** Docker's documents show plain addresses where its code sends CIDR. */
function addressOf(text: string, path: string): Ip {
  const cidr = parseCidr(text);
  const ip = cidr === null ? parseIp(text) : cidrAddress(cidr);
  if (ip === null) throw fieldError(path, `"${text}" is not an address`);
  return ip;
}

export function decodeCreateEndpoint(body: Fields): CreateEndpointRequest {
  const options = body.object('Options');
  const iface = body.object('Interface');
  const given = iface.text('MacAddress');
  return {
    ...decodeEndpointRef(body),
    ip4: decodeInterfaceAddress(iface, 'Address', 4),
    ip6: decodeInterfaceAddress(iface, 'AddressIPv6', 6),
    mac: given === '' ? decodeMacOption(options) : macOf(given, iface.name('MacAddress')),
    returnsMac: given === '',
    ifname: decodeIfname(options),
    portMap: decodePortMap(options.raw(LABELS.portMap), options.name(LABELS.portMap)),
    options: options.texts(),
  };
}

function decodeInterfaceAddress(iface: Fields, key: string, family: Family): Cidr | null {
  const text = iface.text(key);
  if (text === '') return null;
  const cidr = parseCidr(text);
  if (cidr === null) throw fieldError(iface.name(key), `"${text}" is not an address with prefix length`);
  if (ipFamily(cidr) !== family) throw fieldError(iface.name(key), `${cidr} is not IPv${family}`);
  return cidr;
}

function macOf(text: string, path: string): Mac {
  const mac = parseMac(text);
  if (mac === null) throw fieldError(path, `"${text}" is not a MAC address`);
  return mac;
}

/** A Go byte slice, so base64 of six bytes; text from other callers. */
export function decodeMacOption(options: Fields): Mac | null {
  const text = options.text(LABELS.mac);
  if (text === '') return null;
  if (/^[0-9A-Za-z+/]{8}$/.test(text)) return macFromBytes(Buffer.from(text, 'base64'));
  return macOf(text, options.name(LABELS.mac));
}

/** dev_valid_name() of net/core/dev.c. */
function decodeIfname(options: Fields): string | null {
  const name = options.text(LABELS.ifname);
  if (name === '') return null;
  if (!/^[^\s/:%]{1,15}$/.test(name) || name === '.' || name === '..') {
    throw fieldError(options.name(LABELS.ifname), `"${name}" cannot be the name of an interface`);
  }
  return name;
}

export function decodeJoin(body: Fields): JoinRequest {
  return { ...decodeEndpointRef(body), sandboxKey: body.required('SandboxKey') };
}

export function decodeProgram(body: Fields): ProgramRequest {
  const options = body.object('Options');
  const portMap = options.raw(LABELS.portMap);
  return {
    ...decodeEndpointRef(body),
    portMap: portMap === undefined ? null : decodePortMap(portMap, options.name(LABELS.portMap)),
  };
}
