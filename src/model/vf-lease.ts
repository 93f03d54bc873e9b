/** The ledger of NIC functions that are ports of endpoints, or were and have not been given back yet. */
import type { EndpointId, Mac } from '../lib/brand.ts';
import type { FunctionRef, NicFunction, NicLink, VfConfig } from './nic.ts';

/** A link as it was before it became a side of a port. */
export interface LinkSnapshot {
  readonly name: string;
  readonly altnames: readonly string[];
  readonly mac: Mac;
  /** Bytes. */
  readonly mtu: number;
  readonly up: boolean;
}

/** A function as it was before it became a port: what is restored when it is given back. */
export interface FunctionSnapshot {
  readonly netdev: LinkSnapshot | null;
  readonly representor: LinkSnapshot | null;
  /** devlink port function hw_addr; null where the driver has none. */
  readonly hwAddr: Mac | null;
  /** Legacy attributes (VLAN, rates, trust, …); null where the PF shows none. */
  readonly vf: VfConfig | null;
}

/**
 * `used`: the port of `endpoint`. `cooling`: its endpoint is gone; it is being restored and reset.
 * `broken`: that failed again and again (`fault`); not handed out.
 */
export type LeaseState = 'used' | 'cooling' | 'broken';

export interface VfLease {
  readonly ref: FunctionRef;
  /** null unless `used`. */
  readonly endpoint: EndpointId | null;
  readonly state: LeaseState;
  /** When it got into this state, milliseconds since 1970. */
  readonly sinceMs: number;
  readonly snapshot: FunctionSnapshot;
  /** What went wrong last, in the kernel's words; null = nothing. */
  readonly fault: string | null;
}

const linkSnapshot = ({ name, altnames, mac, mtu, up }: NicLink): LinkSnapshot => {
  return { name, altnames, mac, mtu, up };
};

export function snapshotOf({ netdev, representor, hwAddr, vf }: NicFunction): FunctionSnapshot {
  return {
    netdev: netdev && linkSnapshot(netdev),
    representor: representor && linkSnapshot(representor),
    hwAddr,
    vf,
  };
}
