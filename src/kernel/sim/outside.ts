/** What others do to the simulated kernel behind the daemon's back: Docker, administrators, accidents. */
import type { Cidr, Mac } from '../../lib/brand.ts';
import { stableMac } from '../../lib/mac.ts';
import { linkSysctl } from './links.ts';
import { HOST, type SimLink, type SimState } from './state.ts';
import { unloadPrograms } from './tables.ts';

export class Outside {
  readonly #state: SimState;

  constructor(state: SimState) {
    this.#state = state;
  }

  deleteLink(name: string): void {
    const link = this.#state.find(HOST, name);
    if (link !== undefined) this.#state.remove(link);
  }

  /** What a container that may administer its network can do. */
  deleteIn(path: string, ifname: string): void {
    const link = this.#state.find(path, ifname);
    if (link !== undefined) this.#state.remove(link);
  }

  setLink(name: string, change: { mtu?: number; mac?: Mac; up?: boolean }): void {
    Object.assign(this.#need(name), change);
    this.#state.emit({ kind: 'link', link: name });
  }

  /** A link of somebody else, without our mark. */
  addForeignLink(name: string): SimLink {
    const state = this.#state;
    const ifindex = state.nextIfindex();
    return state.add({ name, ifindex, peer: null, mac: stableMac(name), mtu: 1500, up: true });
  }

  /** An element in our table that we did not put there. */
  addElement(set: string, element: string): void {
    this.#state.table?.sets.get(set)?.set(element, null);
  }

  makeSandbox(path: string): void {
    this.#state.namespaces.add(path);
  }

  destroySandbox(path: string): void {
    this.#state.destroyNamespace(path);
  }

  /** What Docker does after Join: move, rename, configure, raise. */
  moveToSandbox(fn: string, path: string, ifname: string): void {
    const link = this.#need(fn);
    this.#state.move(link, path, ifname);
    link.up = true;
  }

  /** What Docker does at Leave: rename back and return. */
  returnFromSandbox(path: string, ifname: string, fn: string): void {
    const link = this.#state.find(path, ifname);
    if (link !== undefined) this.#state.move(link, HOST, fn);
  }

  deleteTable(): void {
    this.#state.table = null;
  }

  flushElements(set: string): void {
    this.#state.table?.sets.get(set)?.clear();
  }

  /** Pins removed: programs and maps go, and with them the attachments that the pins held. */
  removePins(): void {
    unloadPrograms(this.#state);
  }

  detachHook(link: string): void {
    this.#need(link).hook = null;
  }

  clearMap(map: 'ports' | 'nets' | 'subnets' | 'fib'): void {
    this.#state.maps?.[map].clear();
  }

  setSysctl(path: string, value: string): void {
    const perLink = linkSysctl(path);
    if (perLink === null) this.#state.sysctls.set(path, value);
    else this.#need(perLink.link).sysctls.set(perLink.name, value);
  }

  removeAddress(link: string, cidr: Cidr): void {
    this.#need(link).addresses.delete(cidr);
    this.#state.emit({ kind: 'address', link });
  }

  removeForwardRules(): void {
    this.#state.forwardAccept.clear();
  }

  /** The event stream overflowed. */
  loseEvents(): void {
    this.#state.emit({ kind: 'lost', link: null });
  }

  /** Power cycle: nothing of the kernel's memory is left. */
  reboot(): void {
    const state = this.#state;
    unloadPrograms(state);
    state.links.clear();
    state.hostNames.clear();
    state.namespaces.clear();
    state.namespaces.add(HOST);
    state.table = null;
    state.forwardAccept.clear();
    for (const path of state.sysctls.keys()) state.sysctls.set(path, '0');
  }

  #need(name: string): SimLink {
    const link = this.#state.find(HOST, name);
    if (link === undefined) throw new RangeError(`no link ${name}`);
    return link;
  }
}
