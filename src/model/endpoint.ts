import type { Cidr, EndpointId, Ip, Mac, NetworkId, PortSlot } from '../lib/brand.ts';
import type { FunctionRef } from './nic.ts';

export type L4Proto = 'tcp' | 'udp' | 'sctp';

/** One published port, after a host port has been chosen (ranges are expanded to single ports). */
export interface PortBinding {
  readonly proto: L4Proto;
  readonly containerPort: number;
  /** Host address it answers on; null = every local address of that family. */
  readonly hostIp: Ip | null;
  readonly hostPort: number;
}

/** Where Docker put the function side. */
export interface Sandbox {
  /** Path of the network namespace (Docker's SandboxKey). */
  readonly key: string;
  /** Name inside the sandbox once it was seen there, for repairs; null before. */
  readonly ifname: string | null;
}

/** A container's port on the eswitch, as Docker asked for it. */
export interface Endpoint {
  readonly id: EndpointId;
  readonly networkId: NetworkId;
  readonly slot: PortSlot;
  /** The NIC's function that is its function side; null = a veth pair. Chosen once, when it is made. */
  readonly vf: FunctionRef | null;
  /** Why it has a veth pair though its network would take hardware; null where that is no question. */
  readonly fallback: string | null;
  readonly mac: Mac;
  /** Interface addresses with the pool's prefix length; null when the family is absent. */
  readonly ip4: Cidr | null;
  readonly ip6: Cidr | null;
  readonly bindings: readonly PortBinding[];
  /** Docker chose this endpoint as its container's gateway: `bindings` are in force. */
  readonly published: boolean;
  readonly sandbox: Sandbox | null;
  /** Prefix (`eth`) or whole name wanted inside the sandbox. */
  readonly ifnamePrefix: string;
  readonly options: Readonly<Record<string, string>>;
}
