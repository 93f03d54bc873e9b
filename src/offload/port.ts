/** What the API, the CLI and the metrics may ask of the offload. Types only. */
import type { PairVariant } from '../compile/pair.ts';
import type { FlowRule } from '../ir/flow.ts';
import type { EndpointId, NetworkId } from '../lib/brand.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { DevlinkHandle } from '../model/nic.ts';
import type { FlowReason, FlowState } from '../place/flow-state.ts';
import type { HardwareTotals } from './totals.ts';

/** Where one rule is, and why. */
export interface FlowPlace {
  readonly nic: DevlinkHandle | null;
  readonly state: FlowState;
  readonly reason: FlowReason;
  /** The reason in words, with what is special about this rule. */
  readonly text: string;
  /** The kernel's own sentence, "" when it gave none. */
  readonly extack: string;
  /** Unix time, milliseconds; null for what was never otherwise. */
  readonly sinceMs: number | null;
}

/** A rule that the offload keeps account of. */
export interface FlowRow extends FlowPlace {
  readonly nic: DevlinkHandle;
  readonly network: NetworkId;
  readonly src: EndpointId;
  readonly dst: EndpointId;
  readonly variant: PairVariant;
  /** Made anew at each call. */
  rule(): FlowRule;
  /** What hardware counted since the rule was put. */
  readonly packets: number;
  readonly bytes: number;
}

/** The cache of one NIC. */
export interface FlowTableBody {
  readonly nic: DevlinkHandle;
  /** Why nothing is put at the moment; null = things are put. */
  readonly paused: string | null;
  /** Rules that the table holds as far as is known, and how many may be ours. */
  readonly size: number;
  readonly budget: number;
  /** Rules after which the NIC said that it is full; null = it never did. */
  readonly learned: number | null;
  /** Ours in the NIC now. */
  readonly used: number;
  /** All possible pairs are in, traffic or not. */
  readonly takesAll: boolean;
  readonly states: Readonly<Record<FlowState, number>>;
}

/** One rule as the kernel shows it now. */
export interface SeenRule {
  readonly rule: FlowRule;
  readonly inHw: boolean;
  readonly packets: number;
  readonly bytes: number;
}

export interface Offload {
  tables(): readonly FlowTableBody[];
  /** Rules that are kept account of, by NIC, sender's slot and receiver's. */
  rows(): readonly FlowRow[];
  totals(endpoint: EndpointId): HardwareTotals;
  /** Of any pair of endpoints of this host, whether account is kept or not. */
  placeOf(src: Endpoint, dst: Endpoint, variant: PairVariant): FlowPlace;
  /** The rule for a pair as it is or would be put, null where there can be none. */
  ruleOf(src: Endpoint, dst: Endpoint, variant: PairVariant): FlowRule | null;
  /** Asks the kernel for that rule; null when it is not there. Throws when the kernel cannot be asked. */
  seen(rule: FlowRule): Promise<SeenRule | null>;
  /** Refusals by NIC and reason since the start. */
  errors(): readonly { readonly nic: string; readonly reason: string; readonly count: number }[];
}
