/** The simulated kernel's own memory: what outlives the daemon. Links and namespaces first of all. */
import type { FibEntry, NetEntry, PortEntry, SubnetEntry } from '../../ir/resource.ts';
import type { Cidr, Mac, NetSlot, PortSlot } from '../../lib/brand.ts';
import type { KernelEvent, PairCounter, PortCounters } from '../port.ts';

/** Name of the host's namespace; sandboxes go by their path. */
export const HOST = '';

export interface SimLink {
  readonly ifindex: number;
  name: string;
  /** Namespace it is in: HOST or a sandbox path. */
  netns: string;
  readonly altnames: Set<string>;
  /** A NIC's: comes home when its namespace ends, and cannot be deleted. */
  readonly physical: boolean;
  mac: Mac;
  mtu: number;
  up: boolean;
  readonly peer: number | null;
  /** Ifindex of the link it stands on, for sub-interfaces and macvlan children. */
  readonly lower?: number;
  /** VLAN of a sub-interface. */
  readonly vlan?: number;
  readonly addresses: Set<Cidr>;
  readonly sysctls: Map<string, string>;
  /** Generation of the program set attached to its ingress hook, null without one. */
  hook: number | null;
}

/** The pinned maps. Entries keep the ifindex they were written with, as the kernel's do. */
export interface SimMaps {
  readonly ports: Map<number, PortEntry>;
  readonly nets: Map<NetSlot, { readonly ifindex: number; readonly entry: NetEntry }>;
  readonly subnets: Map<string, SubnetEntry>;
  fib: Map<string, { readonly ifindex: number; readonly entry: FibEntry }>;
  readonly counters: Map<PortSlot, PortCounters>;
  pairs: readonly PairCounter[];
}

export interface SimTable {
  readonly digest: string;
  readonly sets: Map<string, Map<string, string | null>>;
}

export const NFT_SETS = ['gateways', 'internal', 'routed', 'masq4', 'masq6'] as const;
export const NFT_MAPS = ['pub4', 'pub6', 'pub4any', 'pub6any'] as const;

const LINK_SYSCTLS = ['rp_filter', 'route_localnet'];

export class SimState {
  readonly links = new Map<number, SimLink>();
  /** Names of the host namespace only; sandboxes hold few links and are searched. */
  readonly hostNames = new Map<string, number>();
  readonly namespaces = new Set<string>([HOST]);
  readonly sysctls = new Map([
    ['net/ipv4/ip_forward', '0'],
    ['net/ipv6/conf/all/forwarding', '0'],
  ]);
  programs: { readonly digest: string; readonly generation: number } | null = null;
  maps: SimMaps | null = null;
  fibGeneration = 0;
  table: SimTable | null = null;
  readonly forwardAccept = new Map<'ip' | 'ip6', string>();
  readonly listeners = new Set<(event: KernelEvent) => void>();
  #nextIfindex = 1;
  #nextId = 1;

  /** Numbers of programs and map generations; never used twice. */
  nextId(): number {
    return this.#nextId++;
  }

  /** Interface indexes are never used twice either: reuse would hide stale references in tests. */
  nextIfindex(): number {
    return this.#nextIfindex++;
  }

  find(netns: string, name: string): SimLink | undefined {
    if (netns === HOST) return this.links.get(this.hostNames.get(name) ?? 0);
    for (const link of this.links.values()) if (link.netns === netns && link.name === name) return link;
    return undefined;
  }

  /** Adds a link; the caller has checked that the name is free. */
  add(fields: Pick<SimLink, 'ifindex' | 'name' | 'mac' | 'mtu' | 'up' | 'peer'> & Partial<SimLink>): SimLink {
    const sysctls = new Map(LINK_SYSCTLS.map(name => [name, '0']));
    const link: SimLink = {
      ...{ altnames: new Set<string>(), physical: false, ...fields },
      ...{ netns: HOST, addresses: new Set<Cidr>(), sysctls, hook: null },
    };
    this.links.set(link.ifindex, link);
    this.hostNames.set(link.name, link.ifindex);
    this.emit({ kind: 'link', link: link.name });
    return link;
  }

  /** Removes a link, its peer and what stands on it, with the addresses, sysctls and hooks they carry. */
  remove(link: SimLink): void {
    const peer = link.peer === null ? undefined : this.links.get(link.peer);
    for (const upper of [...this.links.values()]) if (upper.lower === link.ifindex) this.remove(upper);
    for (const end of peer === undefined ? [link] : [link, peer]) {
      this.links.delete(end.ifindex);
      if (end.netns !== HOST) continue;
      this.hostNames.delete(end.name);
      this.emit({ kind: 'link', link: end.name, gone: true });
    }
  }

  /** Moves and renames in one step. Addresses are lost on a move, as in the kernel. */
  move(link: SimLink, netns: string, name: string): void {
    if (link.netns === HOST) {
      this.hostNames.delete(link.name);
      this.emit({ kind: 'link', link: link.name, gone: true });
    }
    if (link.netns !== netns) link.addresses.clear();
    link.netns = netns;
    link.name = name;
    if (netns === HOST) {
      this.hostNames.set(name, link.ifindex);
      this.emit({ kind: 'link', link: name });
    }
  }

  /** Whether `name` names a link there, by its name or an altname: no other may have it then. */
  isTaken(netns: string, name: string): boolean {
    if (netns === HOST && this.hostNames.has(name)) return true;
    for (const link of this.links.values()) {
      if (link.netns === netns && (link.name === name || link.altnames.has(name))) return true;
    }
    return false;
  }

  /**
   * Destroys a namespace. Virtual links in it die, and their peers with them. Those of NICs come home,
   * down, under another name if theirs is taken, and without altnames that are.
   */
  destroyNamespace(path: string): void {
    this.namespaces.delete(path);
    for (const link of [...this.links.values()]) {
      if (link.netns !== path) continue;
      if (!link.physical) {
        this.remove(link);
        continue;
      }
      link.up = false;
      for (const name of [...link.altnames]) if (this.isTaken(HOST, name)) link.altnames.delete(name);
      this.move(link, HOST, this.isTaken(HOST, link.name) ? `dev${link.ifindex}` : link.name);
    }
  }

  /** Listeners run later, as netlink messages arrive after the call that caused them. */
  emit(event: KernelEvent): void {
    for (const listener of this.listeners) {
      queueMicrotask(() => {
        if (this.listeners.has(listener)) listener(event);
      });
    }
  }
}

export function emptyMaps(): SimMaps {
  return {
    ports: new Map(),
    nets: new Map(),
    subnets: new Map(),
    fib: new Map(),
    counters: new Map(),
    pairs: [],
  };
}
