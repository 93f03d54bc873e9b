/** The `-o` options of `docker network create`, parsed. docs/networks.md is their reference. */
import type { Ip } from '../lib/brand.ts';
import { EswError } from '../lib/errors.ts';
import { parseIp } from '../lib/ip.ts';
import { nearestName } from '../lib/suggest.ts';
import type { Datapath, Network } from './network.ts';

export interface NetworkOptions {
  readonly type: Network['type'];
  readonly datapath: Datapath;
  readonly require: Network['require'];
  /** Bytes; null = what the uplink has. */
  readonly mtu: number | null;
  readonly nat: boolean;
  readonly hostBinding: Ip | null;
}

/** What can be written after `-o` without a vendor's prefix. */
export const OPTION_NAMES = ['type', 'datapath', 'require', 'mtu', 'nat'] as const;

/** Docker's own names that mean something here. */
export const DOCKER_OPTIONS = {
  mtu: 'com.docker.network.driver.mtu',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  hostBinding: 'com.docker.network.bridge.host_binding_ipv4',
  interContainer: 'com.docker.network.bridge.enable_icc',
  ifnamePrefix: 'com.docker.network.container_iface_prefix',
  gatewayMode4: 'com.docker.network.bridge.gateway_mode_ipv4',
  gatewayMode6: 'com.docker.network.bridge.gateway_mode_ipv6',
} as const;

const TYPES = ['bridge'] as const;
const DATAPATHS = ['auto', 'switchdev', 'sriov', 'software'] as const;
const REQUIRES = ['any', 'hw'] as const;

/** Least an IPv4 host must take (RFC 791) and least an IPv6 link must carry (RFC 8200 section 5). */
export const MTU_MIN = 68;
export const MTU_MIN_IPV6 = 1280;
/** Most a veth takes (drivers/net/veth.c, ETH_MAX_MTU). */
export const MTU_MAX = 65_535;

type Raw = Readonly<Record<string, string>>;

/** Throws ESW_ERR_OPTION_UNKNOWN or ESW_ERR_OPTION_VALUE, naming the option. */
export function parseNetworkOptions(raw: Raw): NetworkOptions {
  for (const name of Object.keys(raw)) checkName(name);
  refuseIsolation(raw);
  return {
    type: choice(raw, 'type', TYPES, 'bridge'),
    datapath: choice(raw, 'datapath', DATAPATHS, 'auto'),
    require: choice(raw, 'require', REQUIRES, 'any'),
    mtu: agreed(raw, 'mtu', DOCKER_OPTIONS.mtu, parseMtu) ?? null,
    nat: agreed(raw, 'nat', DOCKER_OPTIONS.masquerade, parseBoolean) ?? true,
    hostBinding: parseHostBinding(raw[DOCKER_OPTIONS.hostBinding]),
  };
}

/** Options of a family that say "the host takes no address in this network" (Docker's mode `isolated`). */
export function wantsNoGateway(raw: Raw): { readonly ipv4: boolean; readonly ipv6: boolean } {
  return {
    ipv4: raw[DOCKER_OPTIONS.gatewayMode4] === 'isolated',
    ipv6: raw[DOCKER_OPTIONS.gatewayMode6] === 'isolated',
  };
}

/** A name with a dot belongs to a vendor and is kept; one without is ours and must be known. */
function checkName(name: string): void {
  if (name.includes('.') || OPTION_NAMES.some(known => known === name)) return;
  const meant = nearestName(name, OPTION_NAMES);
  const suggestion = meant === null ? `known: ${OPTION_NAMES.join(', ')}` : `did you mean ${meant}?`;
  throw new EswError('ESW_ERR_OPTION_UNKNOWN', `unknown option "${name}"; ${suggestion}`);
}

function refuse(name: string, value: string, expected: string): EswError {
  return new EswError('ESW_ERR_OPTION_VALUE', `option ${name}="${value}": ${expected}`);
}

/** An option that promises isolation must not be accepted and then ignored. */
function refuseIsolation(raw: Raw): void {
  const value = raw[DOCKER_OPTIONS.interContainer];
  if (value !== undefined && !parseBoolean(DOCKER_OPTIONS.interContainer, value)) {
    const why = 'containers of one network always reach each other; use one network for each instead';
    throw refuse(DOCKER_OPTIONS.interContainer, value, why);
  }
}

function choice<T extends string>(raw: Raw, name: string, known: readonly T[], fallback: T): T {
  const value = raw[name];
  if (value === undefined) return fallback;
  const found = known.find(candidate => candidate === value);
  if (found !== undefined) return found;
  const meant = nearestName(value, known);
  throw refuse(
    name,
    value,
    `available: ${known.join(', ')}${meant === null ? '' : `; did you mean ${meant}?`}`,
  );
}

/** An option with two spellings; both may be given if they say the same. */
function agreed<T>(
  raw: Raw,
  ours: string,
  dockers: string,
  parse: (name: string, value: string) => T,
): T | undefined {
  const [a, b] = [ours, dockers].map(name => {
    const value = raw[name];
    return value === undefined ? undefined : parse(name, value);
  });
  if (a !== undefined && b !== undefined && a !== b) {
    throw refuse(ours, raw[ours] ?? '', `${dockers}="${raw[dockers]}" says something else`);
  }
  return a ?? b;
}

function parseMtu(name: string, value: string): number {
  const mtu = /^[0-9]{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (!(mtu >= MTU_MIN && mtu <= MTU_MAX))
    throw refuse(name, value, `a number from ${MTU_MIN} to ${MTU_MAX}`);
  return mtu;
}

/** The spellings that Go's strconv.ParseBool takes, as Docker's own drivers do. */
function parseBoolean(name: string, value: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
  throw refuse(name, value, 'true or false');
}

function parseHostBinding(value: string | undefined): Ip | null {
  if (value === undefined || value === '') return null;
  const ip = parseIp(value);
  if (ip === null) throw refuse(DOCKER_OPTIONS.hostBinding, value, 'an address of this host');
  return ip;
}
