/** What Docker asks, after decoding: field by field in docs/protocol.md. */
import type { Cidr, EndpointId, Ip, Mac, NetworkId } from '../lib/brand.ts';
import type { L4Proto } from '../model/endpoint.ts';
import type { Subnet } from '../model/network.ts';

export interface CreateNetworkRequest {
  readonly id: NetworkId;
  readonly internal: boolean;
  readonly subnets: readonly Subnet[];
  /** The user's `-o`. */
  readonly options: Readonly<Record<string, string>>;
}

/** Names an endpoint: DeleteEndpoint, Leave, EndpointOperInfo, RevokeExternalConnectivity. */
export interface EndpointRef {
  readonly networkId: NetworkId;
  readonly id: EndpointId;
}

export interface CreateEndpointRequest extends EndpointRef {
  readonly ip4: Cidr | null;
  readonly ip6: Cidr | null;
  /** From the interface or, failing that, from the MAC option. */
  readonly mac: Mac | null;
  /** The interface had no MAC: it must be in the answer. */
  readonly returnsMac: boolean;
  /** Whole name wanted inside the sandbox; null = Docker's `eth<n>`. */
  readonly ifname: string | null;
  readonly portMap: readonly PortRequest[];
  readonly options: Readonly<Record<string, string>>;
}

export interface JoinRequest extends EndpointRef {
  readonly sandboxKey: string;
}

export interface ProgramRequest extends EndpointRef {
  /** null: the request does not speak of ports, those of CreateEndpoint hold. */
  readonly portMap: readonly PortRequest[] | null;
}

/** One `-p`: any one host port of first..last; 0..0 = any free one. */
export interface PortRequest {
  readonly proto: L4Proto;
  readonly containerPort: number;
  /** null = the network's default. */
  readonly hostIp: Ip | null;
  readonly first: number;
  readonly last: number;
}

/** Keys of Docker's option maps (libnetwork/netlabel/labels.go). */
export const LABELS = {
  generic: 'com.docker.network.generic',
  internal: 'com.docker.network.internal',
  portMap: 'com.docker.network.portmap',
  mac: 'com.docker.network.endpoint.macaddress',
  ifname: 'com.docker.network.endpoint.ifname',
  gateway: 'com.docker.network.gateway',
} as const;
