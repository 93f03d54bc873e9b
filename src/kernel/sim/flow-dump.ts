/** Rules of the model, laid out as `FlowDump` has them. */
import type { FlowRule } from '../../ir/flow.ts';
import { FLOW_FLAG, FLOW_IDLE_UNKNOWN, type FlowDump } from '../flow-port.ts';

export interface FlowEntry {
  readonly rule: FlowRule;
  readonly ifindex: number;
  readonly fingerprint: bigint;
  readonly ours: boolean;
  inHw: boolean;
  hwPackets: bigint;
  hwBytes: bigint;
  swPackets: bigint;
  swBytes: bigint;
  idleMs: number;
}

export const ZERO_COUNTERS = { hwPackets: 0n, hwBytes: 0n, swPackets: 0n, swBytes: 0n, idleMs: 0 } as const;

function flagsOf({ rule, inHw, ours }: FlowEntry): number {
  return (
    (inHw ? FLOW_FLAG.inHw : 0) |
    (rule.where === 'hw' ? FLOW_FLAG.skipSw : 0) |
    (rule.where === 'sw' ? FLOW_FLAG.skipHw : 0) |
    (ours ? FLOW_FLAG.ours : 0)
  );
}

export function flowDump(entries: readonly FlowEntry[], idle: boolean): FlowDump {
  return {
    count: entries.length,
    ifindex: Uint32Array.from(entries, ({ ifindex }) => ifindex),
    chain: Uint32Array.from(entries, ({ rule }) => rule.chain),
    prio: Uint16Array.from(entries, ({ rule }) => rule.prio),
    protocol: Uint16Array.from(entries, ({ rule }) => rule.protocol),
    handle: Uint32Array.from(entries, ({ rule }) => rule.handle),
    flags: Uint16Array.from(entries, flagsOf),
    fingerprint: BigUint64Array.from(entries, ({ fingerprint }) => fingerprint),
    hwPackets: BigUint64Array.from(entries, ({ hwPackets }) => hwPackets),
    hwBytes: BigUint64Array.from(entries, ({ hwBytes }) => hwBytes),
    swPackets: BigUint64Array.from(entries, ({ swPackets }) => swPackets),
    swBytes: BigUint64Array.from(entries, ({ swBytes }) => swBytes),
    idleMs: Uint32Array.from(entries, ({ idleMs }) => (idle ? idleMs : FLOW_IDLE_UNKNOWN)),
  };
}
