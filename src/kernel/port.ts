/**
 * The kernel as the rest of eswitchd sees it. Two implementations, `native/` (the kernel) and `sim/`
 * (a model of it), pass the same contract suite in test/contract.
 */

import type { Op } from '../ir/op.ts';
import type { Key, Resource } from '../ir/resource.ts';
import type { Cidr, Ifindex, Mac, PortSlot } from '../lib/brand.ts';
import type { FunctionRef } from '../model/nic.ts';
import type { FunctionSnapshot } from '../model/vf-lease.ts';

export type Answer = 'yes' | 'no' | 'unknown';

/** Outcome of one capability probe; `reason` is the kernel's text when the answer is not yes. */
export interface Probe {
  readonly name: string;
  readonly answer: Answer;
  readonly reason: string;
}

export type { Op } from '../ir/op.ts';

export interface OpResult {
  /** 0 or a positive errno. */
  readonly errno: number;
  /** The kernel's own sentence (extack, verifier log, nft's error); "" if it gave none. */
  readonly extack: string;
}

/** What carries our mark in the kernel right now. */
export interface Snapshot {
  readonly resources: ReadonlyMap<Key, Resource>;
  /** Names we would use that belong to somebody else, with what was found there. */
  readonly foreign: readonly { readonly key: Key; readonly what: string }[];
  /** Names of function sides that are in the host namespace right now (not in a sandbox). */
  readonly homeFunctions: ReadonlySet<string>;
  /** Map id of the live forwarding-table generation, 0 if there is none. */
  readonly generation: number;
  /** How the port program is attached: tcx, clsact; 'none' when no hook was seen. */
  readonly hookMode: 'tcx' | 'clsact' | 'none';
}

export interface PortCounters {
  readonly rxPackets: bigint;
  readonly rxBytes: bigint;
  readonly txPackets: bigint;
  readonly txBytes: bigint;
}

/** Drops of one port for one reason (names in src/ir/drop-reason.ts). `slot` -1: port unknown. */
export interface DropCounter {
  readonly slot: number;
  readonly reason: string;
  readonly packets: bigint;
  readonly bytes: bigint;
}

export interface Counters {
  readonly ports: ReadonlyMap<PortSlot, PortCounters>;
  readonly drops: readonly DropCounter[];
}

/** What one port sent to another, seen by the software eswitch: hardware's share is not in it. */
export interface PairCounter {
  readonly src: PortSlot;
  readonly dst: PortSlot;
  readonly family: 4 | 6;
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** Something outside changed; `link` null = events were lost, look at everything. */
export interface KernelEvent {
  readonly kind: 'link' | 'address' | 'lost';
  readonly link: string | null;
  /** The link left the host namespace or was deleted (RTM_DELLINK); absent = appeared or changed. */
  readonly gone?: boolean;
}

export interface Announcement {
  readonly netns: string;
  readonly ifname: string;
  readonly mac: Mac;
  readonly addresses: readonly Cidr[];
}

export interface KernelPort {
  readonly name: 'native' | 'sim';
  probe(): Promise<readonly Probe[]>;
  /**
   * Everything of this instance. Throws EswError when the kernel cannot be read. `sandboxes`: namespaces
   * that a direct port may be in, asked for after the host's links have been read, so that one that left
   * the host meanwhile is not missed.
   */
  dump(sandboxes?: () => Iterable<string>): Promise<Snapshot>;
  /**
   * Runs all operations in order; results have the same length and order. Never throws for a refusal.
   * Deleting a port takes everything on its links with it: hook, addresses, sysctls.
   * A link that lacks our mark is as good as absent: nothing is attached to it, no entry points at it.
   */
  apply(ops: readonly Op[]): Promise<readonly OpResult[]>;
  counters(): Promise<Counters>;
  /**
   * Traffic between ports, for sources that are functions of a NIC (`PortEntry.countPairs`). At most
   * 8,192 pairs are kept: the longest silent gives way. Counts since its entry was made.
   */
  pairCounters(): Promise<readonly PairCounter[]>;
  /** Zeroes the counters of slots that are handed to a new port. */
  resetCounters(slots: readonly PortSlot[]): Promise<void>;
  /** Name of the function side inside a sandbox, null when it is not (or no longer) there. */
  sandboxIfname(netns: string, rep: string): Promise<string | null>;
  /**
   * Tells the stations of a link in a sandbox that the addresses are at `mac` from now on. Those that had
   * them elsewhere would go on sending there. False: the link is down or gone.
   */
  announce(what: Announcement): Promise<boolean>;
  /**
   * Gives a NIC's function back after its port was deleted (and whatever a crash left of one): out of
   * any namespace, without our marks, and with names, MACs, MTUs and up states of `before` (null: not
   * known, then names only). A function or side that is not there any more is given back already.
   * EBUSY: its netdev is in a namespace that cannot be found (yet).
   */
  giveBack(ref: FunctionRef, before: FunctionSnapshot | null): Promise<OpResult>;
  /** Addresses of links in the host's namespace, link-local ones left out: who has one is in use. */
  hostAddresses(): Promise<ReadonlyMap<Ifindex, readonly Cidr[]>>;
  watch(onEvent: (event: KernelEvent) => void): () => void;
  /** Releases handles; kernel state stays. */
  close(): Promise<void>;
}
