/** The `-o` options of `docker network create`, parsed. docs/networks.md is their reference. */
import type { Ip } from '../lib/brand.ts';
import { EswError } from '../lib/errors.ts';
import { parseIp } from '../lib/ip.ts';
import { nearestName } from '../lib/suggest.ts';
import type { Datapath, Network, NetworkType, VlanSettings } from './network.ts';
import { booleanValue, choice, type RawOptions, refuseValue, wholeNumber } from './option-values.ts';
import { parseVlanOptions, VF_OPTIONS } from './vlan-options.ts';

export interface NetworkOptions {
  readonly type: Network['type'];
  readonly datapath: Datapath;
  readonly require: Network['require'];
  /** Bytes; null = what the uplink has. */
  readonly mtu: number | null;
  readonly nat: boolean;
  readonly hostBinding: Ip | null;
  /** devlink handle, device or uplink name; absent: any NIC. */
  readonly nic?: string;
  /** Present exactly with type `vlan`; its parent is as given. */
  readonly vlan?: VlanSettings;
}

/** What can be written after `-o` without a vendor's prefix. */
export const OPTION_NAMES = [
  ...(['type', 'datapath', 'require', 'mtu', 'nat', 'nic'] as const),
  ...(['parent', 'vlan', ...VF_OPTIONS] as const),
] as const;

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

/** Options that mean something with one type only, and why the others have no use for them. */
const BELONGS: Readonly<Record<string, { readonly type: NetworkType; readonly why: string }>> = {
  nic: { type: 'bridge', why: 'its parent names the NIC' },
  nat: { type: 'bridge', why: 'no packet of this network passes the host' },
  [DOCKER_OPTIONS.masquerade]: { type: 'bridge', why: 'no packet of this network passes the host' },
  [DOCKER_OPTIONS.hostBinding]: { type: 'bridge', why: 'this network publishes no ports on the host' },
  ...Object.fromEntries(
    (['parent', 'vlan', ...VF_OPTIONS] as const).map(name => {
      return [name, { type: 'vlan', why: 'this network is not on the physical one' } as const];
    }),
  ),
};

const TYPES = ['bridge', 'vlan'] as const;
const DATAPATHS = ['auto', 'switchdev', 'sriov', 'software'] as const;
const REQUIRES = ['any', 'hw'] as const;

/** Least an IPv4 host must take (RFC 791) and least an IPv6 link must carry (RFC 8200 section 5). */
export const MTU_MIN = 68;
export const MTU_MIN_IPV6 = 1280;
/** Most a veth takes (drivers/net/veth.c, ETH_MAX_MTU). */
export const MTU_MAX = 65_535;

/** Throws ESW_ERR_OPTION_UNKNOWN or ESW_ERR_OPTION_VALUE, naming the option. */
export function parseNetworkOptions(raw: RawOptions): NetworkOptions {
  for (const name of Object.keys(raw)) checkName(name);
  refuseIsolation(raw);
  const type = choice(raw, 'type', TYPES, 'bridge');
  refuseStrangers(raw, type);
  const datapath = choice(raw, 'datapath', DATAPATHS, 'auto');
  return {
    type,
    datapath,
    require: choice(raw, 'require', REQUIRES, 'any'),
    mtu: agreed(raw, 'mtu', DOCKER_OPTIONS.mtu, parseMtu) ?? null,
    nat: agreed(raw, 'nat', DOCKER_OPTIONS.masquerade, booleanValue) ?? type === 'bridge',
    hostBinding: parseHostBinding(raw[DOCKER_OPTIONS.hostBinding]),
    ...parseNic(raw, datapath),
    ...(type === 'vlan' ? { vlan: parseVlanOptions(raw) } : {}),
  };
}

/** Options of a family that say "the host takes no address in this network" (Docker's mode `isolated`). */
export function wantsNoGateway(raw: RawOptions): { readonly ipv4: boolean; readonly ipv6: boolean } {
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

function refuseStrangers(raw: RawOptions, type: NetworkType): void {
  for (const [name, value] of Object.entries(raw)) {
    const belongs = BELONGS[name];
    if (belongs !== undefined && belongs.type !== type) {
      throw refuseValue(name, value, `it belongs to network type ${belongs.type}; ${belongs.why}`);
    }
  }
}

/** An option that promises isolation must not be accepted and then ignored. */
function refuseIsolation(raw: RawOptions): void {
  const value = raw[DOCKER_OPTIONS.interContainer];
  if (value !== undefined && !booleanValue(DOCKER_OPTIONS.interContainer, value)) {
    const why = 'containers of one network always reach each other; use one network for each instead';
    throw refuseValue(DOCKER_OPTIONS.interContainer, value, why);
  }
}

/** An option with two spellings; both may be given if they say the same. */
function agreed<T>(
  raw: RawOptions,
  ours: string,
  dockers: string,
  parse: (name: string, value: string) => T,
): T | undefined {
  const [a, b] = [ours, dockers].map(name => {
    const value = raw[name];
    return value === undefined ? undefined : parse(name, value);
  });
  if (a !== undefined && b !== undefined && a !== b) {
    throw refuseValue(ours, raw[ours] ?? '', `${dockers}="${raw[dockers]}" says something else`);
  }
  return a ?? b;
}

function parseNic(raw: RawOptions, datapath: Datapath): { readonly nic?: string } {
  const nic = raw['nic'];
  if (nic === undefined) return {};
  if (nic === '') throw refuseValue('nic', nic, 'a NIC, e.g. pci/0000:3b:00.0, or its uplink');
  if (datapath === 'software') throw refuseValue('nic', nic, 'datapath=software uses none');
  return { nic };
}

const parseMtu = (name: string, value: string): number => wholeNumber(name, value, MTU_MIN, MTU_MAX);

function parseHostBinding(value: string | undefined): Ip | null {
  if (value === undefined || value === '') return null;
  const ip = parseIp(value);
  if (ip === null) throw refuseValue(DOCKER_OPTIONS.hostBinding, value, 'an address of this host');
  return ip;
}
