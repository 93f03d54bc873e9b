import type { Cidr, Ip, Mac, NetSlot, NetworkId, PortSlot } from '../lib/brand.ts';
import type { VfConfig } from './nic.ts';

/** How packets of a network are forwarded; `auto` takes the best this host has. */
export type Datapath = 'auto' | 'switchdev' | 'sriov' | 'software';

/**
 * How the network reaches other places. `bridge`: a subnet of this host, NAT to the outside. `vlan`: a
 * VLAN of the physical network; containers are stations of it like any other.
 */
export type NetworkType = 'bridge' | 'vlan';

/** What type `vlan` adds. The VF attributes hold for containers that get a VF. */
export interface VlanSettings
  extends Pick<VfConfig, 'vlan' | 'trust' | 'spoofchk' | 'linkState' | 'maxTxRate'> {
  /** Name of the link that leads to the physical network: a NIC's uplink, a bond. */
  readonly parent: string;
}

/** One address pool of a network, of either family. */
export interface Subnet {
  /** Network address and prefix length, host bits zero. */
  readonly pool: Cidr;
  /**
   * Address the host's gateway port holds in this pool, with type `vlan` that of the physical network's
   * router; null when the user asked for none.
   */
  readonly gateway: Ip | null;
}

/** A network as its creator wants it. Allocated fields (slots, MACs) are fixed at the first commit. */
export interface Network {
  readonly id: NetworkId;
  readonly type: NetworkType;
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
  /** At most one pool per family; order as Docker gave them. */
  readonly subnets: readonly Subnet[];
  /** Present exactly with type `vlan`. Such a network has no gateway port: its slots and MACs lie idle. */
  readonly vlan?: VlanSettings;
  /** The NIC whose functions its endpoints get, as `-o nic=` gives it; absent: any. */
  readonly nic?: string;
  /** The `-o` options as given, for display. */
  readonly options: Readonly<Record<string, string>>;
}
