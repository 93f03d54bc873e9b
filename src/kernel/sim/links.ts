/** The simulated kernel's answers to operations on links, addresses, sysctls and hooks. */
import { altname } from '../../ir/names.ts';
import type { Address, Hook, Port, Sysctl } from '../../ir/resource.ts';
import type { Mac } from '../../lib/brand.ts';
import { ERRNO } from '../../lib/errno.ts';
import { isUnicast } from '../../lib/mac.ts';
import type { Identity } from '../../model/intent.ts';
import type { SimHost } from './host.ts';
import { Refusal } from './refusal.ts';
import { HOST, type SimLink, type SimState } from './state.ts';

/** veth's limits: ETH_MIN_MTU and ETH_MAX_MTU of include/uapi/linux/if_ether.h. */
const MIN_MTU = 68;
const MAX_MTU = 65535;

export function makePort({ state, identity }: SimHost, port: Port): void {
  checkLink(port);
  const rep = state.find(HOST, port.rep);
  if (rep === undefined) {
    createPair(state, identity, port);
    return;
  }
  if (!rep.altnames.has(altname(identity, port.rep))) throw new Refusal(ERRNO.EEXIST, 'link is not ours');
  const changed = rep.mac !== port.repMac || rep.mtu !== port.mtu || !rep.up;
  Object.assign(rep, { mac: port.repMac, mtu: port.mtu, up: true });
  const fn = peerOf(state, rep);
  if (fn !== undefined && fn.netns === HOST) {
    Object.assign(fn, { mac: port.fnMac, mtu: port.mtu });
    if (port.role === 'gateway') fn.up = true;
  }
  if (changed) state.emit({ kind: 'link', link: rep.name });
}

export function checkLink(port: Port): void {
  if (port.mtu < MIN_MTU) throw new Refusal(ERRNO.EINVAL, 'mtu less than device minimum');
  if (port.mtu > MAX_MTU) throw new Refusal(ERRNO.EINVAL, 'mtu greater than device maximum');
  for (const mac of [port.repMac, port.fnMac])
    if (!isUnicast(mac)) throw new Refusal(ERRNO.EADDRNOTAVAIL, '');
  for (const name of [port.rep, port.fn]) {
    if (name.length === 0 || name.length > 15 || /[/\s]/.test(name))
      throw new Refusal(ERRNO.EINVAL, 'bad link name');
  }
}

function createPair(state: SimState, identity: Identity, port: Port): void {
  if (state.find(HOST, port.fn) !== undefined) throw new Refusal(ERRNO.EEXIST, 'link is not ours');
  const { sandbox, mtu } = port;
  if (sandbox !== null) {
    if (!state.namespaces.has(sandbox.netns))
      throw new Refusal(ERRNO.ENOENT, `no namespace at ${sandbox.netns}`);
    if (state.find(sandbox.netns, sandbox.ifname) !== undefined)
      throw new Refusal(ERRNO.EEXIST, 'File exists');
  }
  const repIndex = state.nextIfindex();
  const fnIndex = state.nextIfindex();
  const end = (name: string, ifindex: number, peer: number, mac: Mac, up: boolean): SimLink =>
    state.add({ name, ifindex, peer, mac, mtu, up, altnames: new Set([altname(identity, name)]) });
  const fn = end(port.fn, fnIndex, repIndex, port.fnMac, port.role === 'gateway');
  end(port.rep, repIndex, fnIndex, port.repMac, true);
  if (sandbox === null) return;
  state.move(fn, sandbox.netns, sandbox.ifname);
  for (const cidr of sandbox.addresses) fn.addresses.add(cidr);
  fn.up = true;
}

export function deletePort({ state, identity }: SimHost, port: Port): void {
  const rep = state.find(HOST, port.rep);
  if (rep === undefined) return;
  if (!rep.altnames.has(altname(identity, port.rep))) throw new Refusal(ERRNO.EEXIST, 'link is not ours');
  state.remove(rep);
}

export function addAddress(host: SimHost, address: Address): void {
  needOurs(host, address.link).addresses.add(address.cidr);
}

export function deleteAddress(host: SimHost, address: Address): void {
  findOurs(host, address.link)?.addresses.delete(address.cidr);
}

export function setSysctl(host: SimHost, { path, value }: Sysctl): void {
  const { state } = host;
  const perLink = linkSysctl(path);
  if (perLink === null) {
    if (!state.sysctls.has(path)) throw new Refusal(ERRNO.ENOENT, `/proc/sys/${path}`);
    state.sysctls.set(path, value);
    return;
  }
  const link = findOurs(host, perLink.link);
  if (link === undefined || !link.sysctls.has(perLink.name))
    throw new Refusal(ERRNO.ENOENT, `/proc/sys/${path}`);
  link.sysctls.set(perLink.name, value);
}

/** The link and name of `net/ipv4/conf/<link>/<name>`, null for a global path. */
export function linkSysctl(path: string): { readonly link: string; readonly name: string } | null {
  const match = /^net\/ipv4\/conf\/([^/]+)\/([^/]+)$/.exec(path);
  return match === null ? null : { link: match[1] ?? '', name: match[2] ?? '' };
}

export function attachHook(host: SimHost, hook: Hook): void {
  const link = needOurs(host, hook.link);
  if (host.state.programs === null) throw new Refusal(ERRNO.ENOENT, `no program ${hook.program}`);
  link.hook = host.state.programs.generation;
}

export function detachHook(host: SimHost, hook: Hook): void {
  const link = findOurs(host, hook.link);
  if (link !== undefined) link.hook = null;
}

/** A link of ours: the name alone is not enough, somebody else may have taken it. */
export function needOurs({ state, identity }: SimHost, name: string): SimLink {
  const link = state.find(HOST, name);
  if (link?.altnames.has(altname(identity, name)) !== true)
    throw new Refusal(ERRNO.ENODEV, `no link ${name} of ours`);
  return link;
}

export function findOurs({ state, identity }: SimHost, name: string): SimLink | undefined {
  const link = state.find(HOST, name);
  return link?.altnames.has(altname(identity, name)) === true ? link : undefined;
}

export function peerOf(state: SimState, link: SimLink): SimLink | undefined {
  return link.peer === null ? undefined : state.links.get(link.peer);
}
