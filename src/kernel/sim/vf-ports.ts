/** The simulated kernel's answers to ports that are functions of a NIC. */
import { altname, altnameMark, formerMark, formerName, linkRole } from '../../ir/names.ts';
import type { Port } from '../../ir/resource.ts';
import { ERRNO } from '../../lib/errno.ts';
import type { Identity } from '../../model/intent.ts';
import { type FunctionRef, functionKey } from '../../model/nic.ts';
import type { FunctionSnapshot, LinkSnapshot } from '../../model/vf-lease.ts';
import type { SimHost } from './host.ts';
import { checkLink } from './links.ts';
import type { SimVf } from './nic-state.ts';
import { Refusal } from './refusal.ts';
import { HOST, type SimLink } from './state.ts';

export function makeVfPort(host: SimHost, port: Port, ref: FunctionRef): void {
  checkLink(port);
  const { identity, state } = host;
  const { representor, netdev } = needFunction(host, ref);
  for (const link of strays(host, port.rep, representor)) {
    if (link.physical) takeOff(host, link);
    else state.remove(link);
  }
  const isNew = !representor.altnames.has(altname(identity, port.rep));
  const isAway = netdev.netns !== HOST;
  if (isAway && isNew && netdev.netns !== port.sandbox?.netns)
    throw new Refusal(ERRNO.ENODEV, `the netdev of ${functionKey(ref)} is in another namespace`);
  dress(host, representor, port.rep);
  Object.assign(representor, { mac: port.repMac, mtu: port.mtu, up: true });
  state.emit({ kind: 'link', link: port.rep });
  if (isAway) return;
  dress(host, netdev, port.fn);
  Object.assign(netdev, { mac: port.fnMac, mtu: port.mtu, up: false });
  const { sandbox } = port;
  if (sandbox === null || !state.namespaces.has(sandbox.netns)) return;
  if (state.isTaken(sandbox.netns, sandbox.ifname)) throw new Refusal(ERRNO.EEXIST, 'File exists');
  state.move(netdev, sandbox.netns, sandbox.ifname);
  for (const cidr of sandbox.addresses) netdev.addresses.add(cidr);
  netdev.up = true;
}

/** Takes our names off NICs' links: the endpoint had a function before, and gets a veth pair. */
export function freeNames(host: SimHost, names: readonly string[]): void {
  if (host.nics === null) return;
  for (const link of names.flatMap(name => strays(host, name, null))) {
    if (link.physical && link.netns === HOST) takeOff(host, link);
  }
}

/** Links that carry the mark of `name`, besides the one that may. */
function strays({ state, identity }: SimHost, name: string, but: SimLink | null): SimLink[] {
  const mark = altname(identity, name);
  return [...state.links.values()].filter(link => link !== but && link.altnames.has(mark));
}

function needFunction(
  { nics }: SimHost,
  ref: FunctionRef,
): { readonly representor: SimLink; readonly netdev: SimLink } {
  const vf = nics?.find(ref);
  const refuse = (why: string) => new Refusal(ERRNO.ENODEV, `${functionKey(ref)}: ${why}`);
  if (vf === undefined) throw refuse('there is no such function');
  if (vf.driver === null) throw refuse('it has no driver');
  if (vf.representor === null) throw refuse('it has no representor');
  if (vf.netdev === null) throw refuse(`its driver ${vf.driver} makes no netdev`);
  return { representor: vf.representor, netdev: vf.netdev };
}

/** Marks first and the name last: at no point is there a name of ours without a mark. */
export function dress(host: SimHost, link: SimLink, name: string): void {
  const { state, identity } = host;
  const { name: before } = link;
  const isNew = formerName(identity, link.altnames) === null;
  if (isNew) link.altnames.add(formerMark(identity, link.name));
  link.altnames.add(altname(identity, name));
  if (link.name === name) return;
  if (state.isTaken(HOST, name)) {
    takeOff(host, link);
    throw new Refusal(ERRNO.EEXIST, `link ${name} is not ours`);
  }
  state.move(link, HOST, name);
  // Inside a sandbox an engine may need that very name, so a function side goes without.
  if (isNew && linkRole(identity, name)?.role === 'endpoint-rep') link.altnames.add(before);
}

/** Hook and marks off, and the former name back. */
export function takeOff({ state, identity }: SimHost, link: SimLink): void {
  const former = formerName(identity, link.altnames);
  Object.assign(link, { hook: null, up: false });
  if (former !== null && former !== link.name) {
    link.altnames.delete(former);
    state.move(link, HOST, state.isTaken(HOST, former) ? `dev${link.ifindex}` : former);
  }
  for (const name of [...link.altnames]) if (isMark(identity, name)) link.altnames.delete(name);
}

const isMark = (identity: Identity, name: string): boolean =>
  name.startsWith(altnameMark(identity)) || name.startsWith(formerMark(identity, ''));

/** A function whose representor is not marked as this port's is left alone: it may be another's by now. */
export function releaseVfPort(host: SimHost, port: Port, ref: FunctionRef): void {
  const vf = host.nics?.find(ref);
  const isOurs = vf?.representor?.altnames.has(altname(host.identity, port.rep)) === true;
  freeNames(host, [port.rep, port.fn]);
  if (isOurs) release(host, vf);
}

export function giveBack(host: SimHost, ref: FunctionRef, before: FunctionSnapshot | null): void {
  const vf = host.nics?.find(ref);
  release(host, vf);
  if (vf === undefined || before === null) return;
  restore(host, vf.netdev, before.netdev);
  restore(host, vf.representor, before.representor);
}

export function release(host: SimHost, vf: SimVf | undefined): void {
  const { state, identity } = host;
  const netdev = vf?.netdev ?? null;
  if (netdev !== null && netdev.netns !== HOST) {
    // A namespace that ends cannot be entered any more; the kernel brings the link home when it has.
    if (!state.namespaces.has(netdev.netns))
      throw new Refusal(ERRNO.EBUSY, 'its netdev is in a namespace that cannot be found');
    netdev.up = false;
    state.move(netdev, HOST, `dev${netdev.ifindex}`);
  }
  for (const link of [vf?.representor ?? null, netdev]) {
    if (link !== null && [...link.altnames].some(name => isMark(identity, name))) takeOff(host, link);
  }
}

function restore({ state }: SimHost, link: SimLink | null, before: LinkSnapshot | null): void {
  if (link === null || before === null) return;
  if (link.name !== before.name && !state.isTaken(HOST, before.name)) state.move(link, HOST, before.name);
  Object.assign(link, { mac: before.mac, mtu: before.mtu, up: before.up });
}

/** The function whose representor `link` is, with its two sides; null for other links. */
export function functionOf({ nics }: SimHost, link: SimLink): SimVf | null {
  return nics?.representedBy(link.ifindex)?.vf ?? null;
}

/** Name of ours that a link goes by: of its mark where a NIC's link may have been renamed. */
export function ownName({ identity }: SimHost, link: SimLink): string {
  if (!link.physical) return link.name;
  const mark = altnameMark(identity);
  const marked = [...link.altnames].find(name => name.startsWith(mark))?.slice(mark.length);
  return marked !== undefined && linkRole(identity, marked) !== null ? marked : link.name;
}

/** Whether the port serves: both sides have driver, mark and name. The netdev may be in a sandbox. */
export function serves(host: SimHost, rep: SimLink, fn: string, vf: SimVf): boolean {
  if (rep.name !== ownName(host, rep) || vf.driver === null || vf.netdev === null) return false;
  const { identity } = host;
  const { netns, name, altnames } = vf.netdev;
  return netns !== HOST || (name === fn && altnames.has(altname(identity, fn)));
}
