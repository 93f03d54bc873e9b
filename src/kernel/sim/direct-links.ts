/** The simulated kernel's links on links: 802.1Q sub-interfaces and macvlan children. */
import { directPort, vlanLink } from '../../ir/make.ts';
import { altname, altnameMark } from '../../ir/names.ts';
import type { DirectPort, Resource, SandboxPlacement, VlanLink } from '../../ir/resource.ts';
import { ERRNO } from '../../lib/errno.ts';
import { stableMac } from '../../lib/mac.ts';
import { dumpDirectVfs, makeDirectVf, releaseDirectVf } from './direct-vf.ts';
import type { SimHost } from './host.ts';
import { Refusal } from './refusal.ts';
import { HOST, type SimLink, type SimState } from './state.ts';
import { freeNames } from './vf-ports.ts';

export function makeVlanLink(host: SimHost, { link, parent, vlan, mtu }: VlanLink): void {
  const { state, identity } = host;
  const lower = needLink(state, parent);
  const found = ownOrRefuse(host, link);
  if (found !== undefined && found.lower === lower.ifindex && found.vlan === vlan) {
    const changed = found.mtu !== mtu || !found.up;
    Object.assign(found, { mtu, up: true });
    if (changed) state.emit({ kind: 'link', link });
    return;
  }
  for (const other of state.links.values()) {
    if (other !== found && other.lower === lower.ifindex && other.vlan === vlan)
      throw new Refusal(ERRNO.EEXIST, 'VLAN device already exists');
  }
  checkMtu(mtu, lower);
  if (found !== undefined) state.remove(found);
  const ifindex = state.nextIfindex();
  const mark = altname(identity, link);
  const mac = stableMac(link);
  state.add({
    ifindex,
    name: link,
    altnames: new Set([mark]),
    mac,
    mtu,
    up: true,
    peer: null,
    lower: lower.ifindex,
    vlan,
  });
}

export function deleteVlanLink(host: SimHost, { link }: VlanLink): void {
  const found = ownOrRefuse(host, link);
  if (found !== undefined) host.state.remove(found);
}

export function makeDirectPort(host: SimHost, port: DirectPort): void {
  if (port.via.kind === 'vf') {
    makeDirectVf(host, port, port.via);
    return;
  }
  const { state } = host;
  const { fn, mac, mtu, sandbox } = port;
  // A VF that had the name: its endpoint falls back.
  freeNames(host, [fn]);
  const lower = needLink(state, port.via.parent);
  const found = findPort(host, port);
  if (found !== undefined && found.lower === lower.ifindex) {
    if (found.netns === HOST) Object.assign(found, { mac, mtu });
    else return;
  }
  if (found === undefined) ownOrRefuse(host, fn);
  checkMtu(mtu, lower);
  if (sandbox !== null) checkSandbox(state, sandbox, found);
  if (found !== undefined && found.lower !== lower.ifindex) state.remove(found);
  const link = findPort(host, port) ?? addPort(host, port, lower);
  if (sandbox === null) return;
  state.move(link, sandbox.netns, sandbox.ifname);
  for (const cidr of sandbox.addresses) link.addresses.add(cidr);
  link.up = true;
}

function addPort({ state, identity }: SimHost, { fn, mac, mtu }: DirectPort, lower: SimLink): SimLink {
  const ifindex = state.nextIfindex();
  const mark = altname(identity, fn);
  return state.add({
    ifindex,
    name: fn,
    altnames: new Set([mark]),
    mac,
    mtu,
    up: false,
    peer: null,
    lower: lower.ifindex,
  });
}

export function deleteDirectPort(host: SimHost, port: DirectPort): void {
  if (port.via.kind === 'vf') {
    releaseDirectVf(host, port, port.via);
    return;
  }
  const found = findPort(host, port);
  if (found !== undefined) host.state.remove(found);
  else ownOrRefuse(host, port.fn);
}

/** What stands on a link of the host and carries our mark, in the host and in `sandboxes`. */
export function dumpDirect(host: SimHost, sandboxes: ReadonlySet<string>): Resource[] {
  const { state, identity } = host;
  const mark = altnameMark(identity);
  const nameOf = (ifindex: number): string => {
    const lower = state.links.get(ifindex);
    return lower === undefined || lower.netns !== HOST ? `#${ifindex}` : lower.name;
  };
  const onLinks = [...state.links.values()].flatMap((link): Resource[] => {
    const { lower, vlan, mac, mtu, netns } = link;
    const isSeen = netns === HOST || sandboxes.has(netns);
    const marked = [...link.altnames].find(text => text.startsWith(mark));
    if (lower === undefined || !isSeen || marked === undefined) return [];
    const name = marked.slice(mark.length);
    const parent = nameOf(lower);
    if (vlan === undefined) {
      const sandbox = netns === HOST ? null : { netns, ifname: link.name, addresses: [], gateways: [] };
      return [directPort({ fn: name, mac, mtu, via: { kind: 'macvlan', parent }, sandbox })];
    }
    const down = link.up ? {} : { down: true as const };
    return [vlanLink({ link: name, parent, vlan, mtu, ...down })];
  });
  return [...onLinks, ...dumpDirectVfs(host, sandboxes)];
}

/** The port's link wherever it is: by its mark, which goes with it through moves and renames. */
function findPort({ state, identity }: SimHost, { fn, sandbox }: DirectPort): SimLink | undefined {
  const mark = altname(identity, fn);
  const places = [HOST, sandbox?.netns];
  return [...state.links.values()].find(link => link.altnames.has(mark) && places.includes(link.netns));
}

function ownOrRefuse({ state, identity }: SimHost, name: string): SimLink | undefined {
  const found = state.find(HOST, name);
  if (found !== undefined && !found.altnames.has(altname(identity, name)))
    throw new Refusal(ERRNO.EEXIST, 'link is not ours');
  return found;
}

function needLink(state: SimState, name: string): SimLink {
  const link = state.find(HOST, name);
  if (link === undefined) throw new Refusal(ERRNO.ENODEV, `no link ${name}`);
  return link;
}

/** macvlan_change_mtu and vlan_dev_change_mtu: no more than what the link below carries. */
function checkMtu(mtu: number, lower: SimLink): void {
  if (mtu > lower.mtu) throw new Refusal(ERRNO.EINVAL, `mtu ${mtu} is more than ${lower.name} carries`);
}

function checkSandbox(state: SimState, { netns, ifname }: SandboxPlacement, own: SimLink | undefined): void {
  if (!state.namespaces.has(netns)) throw new Refusal(ERRNO.ENOENT, `no namespace at ${netns}`);
  const taken = state.find(netns, ifname);
  if (taken !== undefined && taken !== own) throw new Refusal(ERRNO.EEXIST, 'File exists');
}
