/**
 * The IR: typed resources, each of a fixed layer. `compile` emits them, `KernelPort.dump` observes
 * them, `plan` orders their delta. Two resources with the same key are the same object; they are
 * equal when `fingerprint` says so. A resource names others by link name, never by ifindex.
 */
import type { Cidr, Ip, Mac, NetSlot, PortSlot } from '../lib/brand.ts';
import type { FunctionRef, VfConfig } from '../model/nic.ts';

/** The eBPF program set of this host: loaded, pinned. One per instance. */
export interface Programs {
  readonly kind: 'programs';
  readonly key: 'programs';
  /** SHA-256 (hex) of the object file; another digest means: load the new one, keep the maps. */
  readonly digest: string;
}

/**
 * A port: representor side on the host, function side in a sandbox (or host, for gateways). A veth pair,
 * or a function of a NIC with its representor: then both are renamed to ours, and given back at the end.
 */
export interface Port {
  readonly kind: 'port';
  /** `port/<rep>` */
  readonly key: string;
  /** Representor side, always in the host namespace. */
  readonly rep: string;
  /** Function side as created; Docker renames it inside the sandbox. */
  readonly fn: string;
  readonly repMac: Mac;
  readonly fnMac: Mac;
  readonly mtu: number;
  readonly role: 'endpoint' | 'gateway';
  /** The NIC's function; null = a veth pair. */
  readonly vf: FunctionRef | null;
  /** Where the function side must be put when the pair has to be made again; null = host namespace. */
  readonly sandbox: SandboxPlacement | null;
  /**
   * Observed only: a host-side end (the representor, or a gateway's function side) is administratively
   * down, or the NIC's function has lost its driver. Never set in a desired port, so that such a port differs from it and is raised by an update.
   */
  readonly down?: true;
}

/** What Docker configured inside the sandbox, so that a lost pair can be rebuilt without it. */
export interface SandboxPlacement {
  readonly netns: string;
  readonly ifname: string;
  readonly addresses: readonly Cidr[];
  readonly gateways: readonly Ip[];
}

/** An 802.1Q sub-interface of a link that leads to the physical network; direct ports stand on it. */
export interface VlanLink {
  readonly kind: 'vlan-link';
  /** `vlan-link/<link>` */
  readonly key: string;
  readonly link: string;
  /** Observed as `#<ifindex>` when the parent cannot be named. */
  readonly parent: string;
  /** 1 to 4094. */
  readonly vlan: number;
  readonly mtu: number;
  /** Observed only, as a port's. */
  readonly down?: true;
}

/** A container's port without a host side: what it sends is on the physical network at once. */
export interface DirectPort {
  readonly kind: 'direct-port';
  /** `direct-port/<fn>` */
  readonly key: string;
  /** The link as made; Docker renames it inside the sandbox. */
  readonly fn: string;
  readonly mac: Mac;
  readonly mtu: number;
  readonly via: DirectVia;
  /** As a port's. */
  readonly sandbox: SandboxPlacement | null;
}

export type DirectVia =
  /** A VF of a NIC in legacy mode; the PF holds it to these attributes and puts the tag on and off. */
  | ({
      readonly kind: 'vf';
      readonly ref: FunctionRef;
    } & Pick<VfConfig, 'vlan' | 'spoofchk' | 'trust' | 'linkState' | 'maxTxRate'>)
  /** A macvlan child (mode bridge) of `parent`: an uplink, or a vlan-link. */
  | { readonly kind: 'macvlan'; readonly parent: string };

/** An address of the gateway port's function side. */
export interface Address {
  readonly kind: 'address';
  /** `address/<link>/<cidr>` */
  readonly key: string;
  readonly link: string;
  readonly cidr: Cidr;
}

/** A per-link or global network sysctl, e.g. path `net/ipv4/conf/<link>/route_localnet`. */
export interface Sysctl {
  readonly kind: 'sysctl';
  /** `sysctl/<path>` */
  readonly key: string;
  readonly path: string;
  readonly value: string;
}

/** The port program on a representor's ingress hook. */
export interface Hook {
  readonly kind: 'hook';
  /** `hook/<link>/ingress` */
  readonly key: string;
  readonly link: string;
  readonly program: 'esw_port';
}

/** Entry of map "ports". */
export interface PortEntry {
  readonly kind: 'port-entry';
  /** `port-entry/<rep>`; `port-entry/#<ifindex>` when observed for a link that is gone. */
  readonly key: string;
  readonly rep: string;
  readonly slot: PortSlot;
  readonly net: NetSlot;
  readonly mac: Mac;
  readonly ip4: Ip | null;
  readonly ip6: Ip | null;
  readonly trusted: boolean;
  /** What it sends is counted by destination port as well: what hardware placement ranks by. */
  readonly countPairs: boolean;
}

/** Entry of map "nets". */
export interface NetEntry {
  readonly kind: 'net-entry';
  /** `net-entry/<net>` */
  readonly key: string;
  readonly net: NetSlot;
  readonly internal: boolean;
  /** Gateway function side; observed as `#<ifindex>` when that link is gone. */
  readonly gateway: string;
  readonly gatewaySlot: PortSlot;
  readonly switchMac: Mac;
  readonly gatewayMac: Mac;
}

/** Entry of map "subnets". */
export interface SubnetEntry {
  readonly kind: 'subnet-entry';
  /** `subnet-entry/<net>/<pool>` */
  readonly key: string;
  readonly net: NetSlot;
  readonly pool: Cidr;
}

/**
 * What happens to a packet at its destination link: `peer` hands it to the veth's other end, `transmit`
 * sends it out of a NIC's representor (the NIC gives it to the function), `host` lets the host receive
 * it on that link.
 */
export type Delivery = 'peer' | 'transmit' | 'host';

/** Entry of the forwarding table. */
export interface FibEntry {
  readonly kind: 'fib-entry';
  /** `fib-entry/<net>/<addr>` */
  readonly key: string;
  readonly net: NetSlot;
  readonly addr: Ip;
  /** Representor (local endpoint), or the gateway's function side with delivery `host`; `#<ifindex>` when gone. */
  readonly link: string;
  readonly slot: PortSlot;
  readonly mac: Mac;
  readonly delivery: Delivery;
}

/** Our nftables table with its chains, rules and empty sets and maps. */
export interface NftTable {
  readonly kind: 'nft-table';
  readonly key: 'nft-table';
  /** Version of the fixed rule text. */
  readonly digest: string;
}

/** One element of a set or map of our nftables table, in nft's own syntax. */
export interface NftElement {
  readonly kind: 'nft-element';
  /** `nft-element/<set>/<element>` */
  readonly key: string;
  readonly set: string;
  /** e.g. `10.1.0.0/16`, `"ewg0a1b2c3d4e"`, `10.0.0.1 . tcp . 8080` */
  readonly element: string;
  /** For maps: `10.1.0.2 . 80`; null for sets. */
  readonly value: string | null;
}

/** Accept rules for our links in a foreign firewall's forward chain (Docker's DOCKER-USER, or FORWARD). */
export interface ForwardAccept {
  readonly kind: 'forward-accept';
  /** `forward-accept/<family>` */
  readonly key: string;
  readonly family: 'ip' | 'ip6';
  /** Prefix of the gateway links, as iptables' `-i <prefix>+`. */
  readonly linkPrefix: string;
}

export type Resource =
  | Programs
  | Port
  | VlanLink
  | DirectPort
  | Address
  | Sysctl
  | Hook
  | PortEntry
  | NetEntry
  | SubnetEntry
  | FibEntry
  | NftTable
  | NftElement
  | ForwardAccept;

export type Kind = Resource['kind'];
export type Key = string;

/**
 * Order of creation (deletion is the reverse): DESIGN's layers, refined by kind.
 * 1 links · 2 links on links · 3 hooks · 4 shared objects · 5 rules and entries. Hooks come before entries: a port without an
 * entry drops everything, so a half-made port is closed, never open.
 */
export const KIND_ORDER: Readonly<Record<Kind, number>> = {
  programs: 10,
  port: 11,
  'vlan-link': 20,
  'direct-port': 21,
  'nft-table': 40,
  'forward-accept': 41,
  address: 42,
  sysctl: 43,
  'net-entry': 50,
  'subnet-entry': 51,
  'port-entry': 52,
  'fib-entry': 53,
  'nft-element': 54,
  hook: 30,
};
