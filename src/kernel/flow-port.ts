/** tc-flower rules as the rest of eswitchd sees them. */
import type { FlowRef, FlowRule } from '../ir/flow.ts';
import type { OpResult } from './port.ts';

export interface FlowResult extends OpResult {
  /** The kernel says that hardware has it (TCA_CLS_FLAGS_IN_HW in the echo). */
  readonly inHw: boolean;
}

/** Bits of `FlowDump.flags`. */
export const FLOW_FLAG = { inHw: 1, skipSw: 2, skipHw: 4, ours: 8 } as const;

/**
 * Rules in the kernel, one array per column; row i is one rule. `fingerprint` is the low half of our
 * action cookie (0 for rules of others): the same as `flowFingerprint` of the rule that was put.
 */
export interface FlowDump {
  readonly count: number;
  readonly ifindex: Uint32Array;
  readonly chain: Uint32Array;
  readonly prio: Uint16Array;
  readonly protocol: Uint16Array;
  readonly handle: Uint32Array;
  readonly flags: Uint16Array;
  readonly fingerprint: BigUint64Array;
  /** Forwarded by hardware and by the kernel's own flower, apart. */
  readonly hwPackets: BigUint64Array;
  readonly hwBytes: BigUint64Array;
  readonly swPackets: BigUint64Array;
  readonly swBytes: BigUint64Array;
  /** Milliseconds since a packet last matched; FLOW_IDLE_UNKNOWN unless it was asked for. */
  readonly idleMs: Uint32Array;
}

export const FLOW_IDLE_UNKNOWN = 0xffff_ffff;

export interface FlowDumpOptions {
  /** Have `idleMs`, too. The kernel then shows whole rules, which costs about twice the time. */
  readonly idle?: boolean;
}

export interface FlowPort {
  /**
   * Creates each rule, or replaces the one of the same identity in place. Makes the clsact qdisc of a
   * link that has none. Results in order; a refusal (EOPNOTSUPP, ENOSPC, with extack) is a result.
   * Several sockets work in parallel.
   */
  put(rules: readonly FlowRule[]): Promise<readonly FlowResult[]>;
  /** Deleting what is absent is success. Rules without our cookie are refused with EEXIST. */
  delete(refs: readonly FlowRef[]): Promise<readonly OpResult[]>;
  /** Every rule on the ingress of these links. Links that are gone have none. */
  dump(links: readonly string[], options?: FlowDumpOptions): Promise<FlowDump>;
  /** The same with keys and actions decoded; for audits and for `explain`, slow. */
  read(
    links: readonly string[],
  ): Promise<readonly (FlowRule & { readonly inHw: boolean; readonly ours: boolean })[]>;
}
