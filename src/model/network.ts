import type { Cidr, Ip, Mac, NetSlot, NetworkId, PortSlot } from '../lib/brand.ts';

/** How packets of a network are forwarded; `auto` takes the best this host has. */
export type Datapath = 'auto' | 'switchdev' | 'sriov' | 'software';

/** One address pool of a network, of either family. */
export interface Subnet {
  /** Network address and prefix length, host bits zero. */
  readonly pool: Cidr;
  /** Address the host's gateway port holds in this pool; null when the user asked for none. */
  readonly gateway: Ip | null;
}

/** A network as its creator wants it. Allocated fields (slots, MACs) are fixed at the first commit. */
export interface Network {
  readonly id: NetworkId;
  readonly type: 'bridge';
  readonly slot: NetSlot;
  /** Counter slot of the gateway port. */
  readonly gatewaySlot: PortSlot;
  /** The one MAC that every peer shows inside the network (MAC-NAT). */
  readonly switchMac: Mac;
  /** MAC of the gateway port's function side (the host's own end). */
  readonly gatewayMac: Mac;
  readonly datapath: Datapath;
  /** `hw` refuses to fall back to software. */
  readonly require: 'any' | 'hw';
  /** Nothing leaves the subnets: no NAT, no published ports, no default route. */
  readonly internal: boolean;
  /** Outbound source NAT for addresses of the pools (`-o nat=false` turns it off). */
  readonly nat: boolean;
  readonly mtu: number;
  /** Default host address of published ports ("" = all), `com.docker.network.bridge.host_binding_ipv4`. */
  readonly hostBinding: Ip | null;
  /** At most one pool per family for type `bridge`; order as Docker gave them. */
  readonly subnets: readonly Subnet[];
  /** The `-o` options as given, for display. */
  readonly options: Readonly<Record<string, string>>;
}
