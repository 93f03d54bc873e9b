/**
 * Joins devlink, rtnetlink and sysfs into the inventory. Functions are joined by the whole tuple and by
 * device, netdevs by ifindex; a name decides nothing.
 */
import type { Ifindex, Mac } from '../../lib/brand.ts';
import { macFromBytes } from '../../lib/mac.ts';
import {
  type DeviceName,
  type DevlinkHandle,
  type EswitchState,
  type FunctionRef,
  functionKey,
  type Nic,
  type NicFunction,
  type NicLink,
  type NicResource,
  type VfConfig,
} from '../../model/nic.ts';
import {
  handleOf,
  type LinkFacts,
  type NicDumps,
  type PortRecord,
  type ResourceRecord,
  type VfRecord,
} from './nic-dumps.ts';
import {
  DEVLINK_HAS,
  INFO_KIND,
  PORT_FLAVOUR,
  PORT_HAS,
  RATE_NODE,
  VF_LINK_STATES,
  VF_SET,
} from './nic-records.ts';
import type { SysfsDevice } from './nic-sysfs.ts';

const IFF_UP = 1;
const ETH_P_8021AD = 0x88a8;
const INLINE_MODES = ['none', 'link', 'network', 'transport'] as const;

/** What one NIC is joined from. */
export interface NicParts {
  readonly handle: DevlinkHandle;
  readonly dumps: NicDumps;
  /** null: sysfs has no such device. */
  readonly device: SysfsDevice | null;
  readonly resources: readonly ResourceRecord[];
  /** State of hw-tc-offload by ifindex. */
  readonly offloads: ReadonlyMap<number, boolean>;
  /** What could not be read of this NIC. */
  readonly problems: readonly string[];
}

export function nicLink(link: LinkFacts): NicLink {
  return {
    name: link.name,
    ifindex: link.ifindex as Ifindex,
    altnames: link.altnames === '' ? [] : link.altnames.split(' '),
    mac: macFromBytes(link.mac),
    mtu: link.mtu,
    up: (link.flags & IFF_UP) !== 0,
  };
}

const parentOf = (link: LinkFacts): string => `${link.parent_bus}/${link.parent_dev}`;

/** A device's own netdev: nothing stacked on it, and of several the eldest. */
const ownLink = (links: readonly LinkFacts[], device: string | null): LinkFacts | undefined =>
  device === null
    ? undefined
    : links
        .filter(link => link.kind === '' && parentOf(link) === device)
        .sort((a, b) => a.ifindex - b.ifindex)[0];

function portRef(handle: DevlinkHandle, port: PortRecord): FunctionRef | null {
  const common = { nic: handle, controller: port.controller, pf: port.pf };
  if (port.flavour === PORT_FLAVOUR.pciVf) return { ...common, kind: 'vf', index: port.vf };
  if (port.flavour === PORT_FLAVOUR.pciSf) return { ...common, kind: 'sf', index: port.sf };
  if (port.flavour === PORT_FLAVOUR.pciPf) return { ...common, kind: 'pf', index: 0 };
  return null;
}

/** Ports of the instance that stand for the function of that tuple. */
export function portOfFunction(ports: readonly PortRecord[], ref: FunctionRef): PortRecord | undefined {
  const key = functionKey(ref);
  return ports.find(port => {
    if (handleOf(port) !== ref.nic) return false;
    const other = portRef(ref.nic, port);
    return other !== null && functionKey(other) === key;
  });
}

/**
 * Number of the PF itself in its functions' tuples: what its ports say, else the PCI function's number,
 * as drivers count (mlx5, bnxt), else 0. In legacy mode VFs have no port that would tell.
 */
export function ownPf(handle: DevlinkHandle, ports: readonly PortRecord[]): number {
  const own = ports.filter(port => handleOf(port) === handle && !port.external && port.controller === 0);
  const told = own.find(port => (port.has & PORT_HAS.pf) !== 0);
  if (told !== undefined) return told.pf;
  const match = /^pci\/[0-9a-f]+:[0-9a-f]+:[0-9a-f]+\.([0-7])$/.exec(handle);
  return Number(match?.[1] ?? 0);
}

export function joinNic(parts: NicParts): Nic {
  const { handle, dumps, device } = parts;
  const instance = dumps.instances.find(each => handleOf(each) === handle);
  const ports = dumps.ports.filter(port => handleOf(port) === handle);
  const uplinks = uplinksOf(handle, ports, dumps.links);
  const eswitch = eswitchOf(instance);
  const functions = functionsOf(parts, ports, uplinks);
  const infos = dumps.infos.filter(each => handleOf(each) === handle);
  const told = (kind: number): string | null => infos.find(each => each.kind === kind)?.value ?? null;
  const switchId = uplinks.find(link => link.switch_id_len > 0);
  const offloads = uplinks.flatMap(link => parts.offloads.get(link.ifindex) ?? []);
  return {
    handle,
    devlink: instance !== undefined,
    driver: told(INFO_KIND.driver) ?? device?.driver ?? '',
    pci: device?.ids ?? null,
    serial: told(INFO_KIND.serial) ?? told(INFO_KIND.boardSerial),
    firmware: infos.flatMap(({ kind, name, value }) => {
      const at = kind - INFO_KIND.fixed;
      const label = (['fixed', 'running', 'stored'] as const)[at];
      return label === undefined ? [] : [{ name, kind: label, value }];
    }),
    eswitch,
    uplinks: uplinks.map(nicLink),
    switchId:
      switchId === undefined
        ? null
        : Buffer.from(switchId.switch_id.subarray(0, switchId.switch_id_len)).toString('hex'),
    vfsTotal: device?.vfsTotal ?? 0,
    vfsEnabled: device?.vfsEnabled ?? 0,
    functions,
    resources: parts.resources.map(resourceBody),
    rateNodes: dumps.rates.filter(
      rate =>
        handleOf(rate) === handle && (rate.type === RATE_NODE || rate.tx_max > 0n || rate.tx_share > 0n),
    ).length,
    tcOffload: offloads.length === 0 ? null : offloads.every(on => on),
    problems: [...dumps.problems, ...parts.problems, ...problemsOf(parts, eswitch, functions, uplinks)],
  };
}

function eswitchOf(instance: NicDumps['instances'][number] | undefined): EswitchState | null {
  if (instance === undefined || (instance.has & DEVLINK_HAS.mode) === 0) return null;
  return {
    mode: instance.mode === 1 ? 'switchdev' : 'legacy',
    inlineMode:
      (instance.has & DEVLINK_HAS.inline) === 0 ? null : (INLINE_MODES[instance.inline_mode] ?? null),
    encap: (instance.has & DEVLINK_HAS.encap) === 0 ? null : instance.encap === 1,
  };
}

/** Netdevs of the physical ports; without devlink those of the device. */
function uplinksOf(
  handle: DevlinkHandle,
  ports: readonly PortRecord[],
  links: readonly LinkFacts[],
): LinkFacts[] {
  const physical = ports.filter(port => port.flavour === PORT_FLAVOUR.physical);
  if (physical.length > 0) {
    const ifindexes = new Set(physical.map(port => port.ifindex));
    return links.filter(link => ifindexes.has(link.ifindex));
  }
  const taken = new Set(ports.map(port => port.ifindex));
  return links.filter(link => link.kind === '' && parentOf(link) === handle && !taken.has(link.ifindex));
}

function functionsOf(
  { handle, dumps, device }: NicParts,
  ports: readonly PortRecord[],
  uplinks: readonly LinkFacts[],
): NicFunction[] {
  const pf = ownPf(handle, dumps.ports);
  const known = new Map<string, { ref: FunctionRef; port: PortRecord | null }>();
  for (const port of ports) {
    const ref = portRef(handle, port);
    if (ref !== null && ref.kind !== 'pf') known.set(functionKey(ref), { ref, port });
  }
  for (const vf of device?.vfs ?? []) {
    const ref: FunctionRef = { nic: handle, controller: 0, pf, kind: 'vf', index: vf.index };
    const key = functionKey(ref);
    if (!known.has(key)) known.set(key, { ref, port: null });
  }
  return [...known.values()]
    .sort((a, b) => order(a.ref, b.ref))
    .map(({ ref, port }) => {
      const isHere = ref.controller === 0 && ref.pf === pf && port?.external !== 1;
      const own = isHere ? ownDevice(device, ref) : undefined;
      const vf =
        isHere && ref.kind === 'vf'
          ? dumps.vfs.find(each => each.vf === ref.index && uplinks.some(up => up.ifindex === each.ifindex))
          : undefined;
      return functionBody(dumps, ref, port, own, vf);
    });
}

const order = (a: FunctionRef, b: FunctionRef): number =>
  a.controller - b.controller || a.pf - b.pf || b.kind.localeCompare(a.kind) || a.index - b.index;

function ownDevice(
  device: SysfsDevice | null,
  ref: FunctionRef,
): { readonly device: DeviceName; readonly driver: string | null } | undefined {
  if (ref.kind === 'vf') return device?.vfs.find(vf => vf.index === ref.index);
  return device?.sfs.find(sf => sf.number === ref.index);
}

function functionBody(
  { links }: NicDumps,
  ref: FunctionRef,
  port: PortRecord | null,
  own: { readonly device: DeviceName; readonly driver: string | null } | undefined,
  vf: VfRecord | undefined,
): NicFunction {
  const netdev = ownLink(links, own?.device ?? null);
  const representor =
    port === null || port.ifindex === 0 ? undefined : links.find(link => link.ifindex === port.ifindex);
  const has = (bit: number): boolean => port !== null && (port.has & bit) !== 0;
  return {
    ref,
    device: own?.device ?? null,
    driver: own?.driver ?? null,
    netdev: netdev === undefined ? null : nicLink(netdev),
    representor: representor === undefined ? null : nicLink(representor),
    hwAddr: port !== null && has(PORT_HAS.hwAddr) ? macFromBytes(port.hw_addr) : null,
    state: has(PORT_HAS.state) ? (port?.state === 1 ? 'active' : 'inactive') : null,
    vf: vf === undefined ? null : vfConfig(vf),
  };
}

/** What a PF does not show is what it does not do. */
function vfConfig(vf: VfRecord): VfConfig {
  return {
    mac: macFromBytes(vf.mac) as Mac,
    vlan: vf.vlan,
    vlanQos: vf.qos,
    vlanProto: vf.vlan_proto === ETH_P_8021AD ? '802.1ad' : '802.1Q',
    minTxRate: vf.min_tx_rate,
    maxTxRate: vf.max_tx_rate,
    spoofchk: (vf.has & VF_SET.spoofchk) !== 0 && vf.spoofchk === 1,
    trust: (vf.has & VF_SET.trust) !== 0 && vf.trust === 1,
    linkState: VF_LINK_STATES[vf.link_state] ?? 'auto',
  };
}

const resourceBody = ({ name, size, occupancy, has_occupancy }: ResourceRecord): NicResource => ({
  name,
  size: Number(size),
  occupancy: has_occupancy === 1 ? Number(occupancy) : null,
});

function problemsOf(
  { handle, dumps, device }: NicParts,
  eswitch: EswitchState | null,
  functions: readonly NicFunction[],
  uplinks: readonly LinkFacts[],
): string[] {
  const problems: string[] = [];
  const instance = dumps.instances.find(each => handleOf(each) === handle);
  if (instance?.reload_failed === 1) problems.push('its last devlink reload failed');
  if (device === null) problems.push('sysfs has no such device');
  if (uplinks.length === 0) problems.push('it has no netdev in the host namespace');
  if (eswitch?.mode === 'switchdev') {
    const without = functions.filter(each => each.representor === null);
    if (without.length > 0)
      problems.push(`no representor yet of ${without.map(each => functionKey(each.ref)).join(', ')}`);
  }
  for (const each of dumps.health) {
    if (handleOf(each) === handle && each.state !== 0)
      problems.push(`its health reporter ${each.name} is in error (${each.errors} errors)`);
  }
  return problems;
}
