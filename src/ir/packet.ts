/** Packets as the software eswitch sees them, and what it does with one. */
import type { Ip, Mac } from '../lib/brand.ts';
import type { DropReason } from './drop-reason.ts';
import type { Delivery } from './resource.ts';

/** An IP datagram, an ARP request or IPv6 neighbour solicitation, or any other ethertype. */
export type Payload =
  | { readonly type: 'ip'; readonly src: Ip; readonly dst: Ip }
  | { readonly type: 'resolve'; readonly senderMac: Mac; readonly sender: Ip; readonly target: Ip }
  | { readonly type: 'other' };

export interface Packet {
  /** Representor (host side) on which it arrives from the function side. */
  readonly link: string;
  readonly srcMac: Mac;
  readonly dstMac: Mac;
  readonly tagged: boolean;
  readonly payload: Payload;
}

export type Verdict =
  /** Rewritten (source = switch MAC, destination = `mac`) and delivered at `link`. */
  | {
      readonly action: 'deliver';
      readonly link: string;
      readonly mac: Mac;
      readonly srcMac: Mac;
      readonly delivery: Delivery;
    }
  /** Answered in place with `mac`. */
  | { readonly action: 'answer'; readonly mac: Mac }
  | { readonly action: 'drop'; readonly reason: DropReason }
  /** No program on that hook: the software eswitch never sees the packet. */
  | { readonly action: 'unhooked' };
