/** Every number of the offload, in one place. */
import type { PairVariant } from '../compile/pair.ts';
import { CACHE_DEFAULTS, type CacheLimits } from '../place/cache.ts';
import type { FlowReason } from '../place/flow-state.ts';

/** What speaks against all rules of a variant. */
export interface VariantRefusal {
  readonly reason: Extract<FlowReason, 'DRIVER_REJECT' | 'NO_FIELD' | 'NO_ACTION'>;
  readonly text: string;
}

export interface CacheTuning {
  readonly cache: Omit<CacheLimits, 'budget' | 'poll'>;
  /** While all possible pairs fit in this part of the budget, all are put at once. */
  readonly takeAllPart: number;
  /** Polls after which a rule that the NIC kept dropping is tried again. */
  readonly longBlockPolls: number;
  /** Polls between two sweeps of silent pairs, and rows below which none are swept. */
  readonly sweepPolls: number;
  readonly keepRows: number;
}

export const TUNING: CacheTuning = {
  cache: CACHE_DEFAULTS,
  takeAllPart: 1 / 4,
  longBlockPolls: 240,
  sweepPolls: 64,
  keepRows: 32_768,
};

/** Troubles that pass by themselves, and polls until a rule with one is tried again. */
export const SHORT_BLOCK: { readonly polls: number; readonly reasons: ReadonlySet<FlowReason> } = {
  polls: 4,
  reasons: new Set<FlowReason>(['RETRY', 'LINK_MISSING', 'TABLE_FULL']),
};

/** What a NIC or somebody else would have to change. */
export const LONG_BLOCK: ReadonlySet<FlowReason> = new Set(['EVICTED', 'STUCK', 'CONFLICT']);

/** Refusals of a shape that the NIC once took, after which it is taken to be refused altogether. */
export const REFUSALS_IN_A_ROW = 8;

/** Looks after which a rule that misses its packets, or is dropped again, gives cause. */
export const STUCK_LOOKS = 3;
/**
 * Packets that may miss a rule that counts none without cause for worry: they were on their way. ICMPv6
 * stays in software and counts with its pair, so IPv6 needs more to be suspicious.
 */
export const STUCK_PACKETS: Readonly<Record<PairVariant, number>> = {
  ip4: 16,
  'ip6-tcp': 128,
  'ip6-udp': 128,
};
/** All idle rules of a NIC are doubted at most this often. */
export const SUSPECT_EVERY_MS = 10_000;
export const STRIKES = 3;

export interface LoopTuning {
  /** Poll while there is traffic; doubles up to `idleMs` without. */
  readonly activeMs: number;
  readonly idleMs: number;
  /** Longest time between two polls, whatever a look at the table costs. */
  readonly mostMs: number;
  /** A look may take one part in this many of the time: a large table is looked at more rarely. */
  readonly lookPart: number;
  /** Rules in one call of the kernel: nobody who retires a port waits for more. */
  readonly batch: number;
  /** Milliseconds between two audits, each of one representor's rules. */
  readonly auditMs: number;
}

export const LOOP: LoopTuning = {
  activeMs: 250,
  idleMs: 2000,
  mostMs: 10_000,
  lookPart: 10,
  batch: 128,
  auditMs: 10_000,
};
