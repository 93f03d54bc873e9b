/** Flow rules to records and back, without a kernel: a record that was asked for, as a dump would show it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flowFingerprint } from '../../src/ir/flow-fingerprint.ts';
import { normalFlow } from '../../src/ir/flow-normal.ts';
import { FLOW_FLAG, FLOW_IDLE_UNKNOWN } from '../../src/kernel/flow-port.ts';
import { flowDumpOf, readFlows } from '../../src/kernel/native/flower-decode.ts';
import { cookieOwner, encodePut, encodeRef } from '../../src/kernel/native/flower-encode.ts';
import {
  FLOWER_FULL,
  FLOWER_OP,
  FLOWER_OP_FLAG,
  FLOWER_REC,
  FLOWER_REF,
  REC_FLAG,
} from '../../src/kernel/native/flower-records.ts';
import { macRule, wideRule } from '../contract/flow-rules.ts';
import { flowRules } from './flow-arbitrary.ts';

const owner = cookieOwner('eswitchd');

/** The record that a kernel which took `op` as it is would be dumped as. */
function shown(op: Buffer): Buffer {
  const { name, fields, cookie, key, mask, action_count, actions, ...asked } = FLOWER_OP.decode(op, 0);
  const flags =
    ((asked.flags & FLOWER_OP_FLAG.skipSw) !== 0 ? REC_FLAG.skipSw : 0) |
    ((asked.flags & FLOWER_OP_FLAG.skipHw) !== 0 ? REC_FLAG.skipHw : 0);
  const { chain, handle, prio, protocol } = asked;
  const rec = Buffer.alloc(FLOWER_REC.size);
  const fingerprint = Buffer.from(cookie).readBigUInt64BE(8);
  FLOWER_REC.encode(rec, 0, { chain, handle, prio, protocol, fingerprint, flags: flags | REC_FLAG.ours });
  const full = Buffer.alloc(FLOWER_FULL.size);
  FLOWER_FULL.encode(full, 0, { rec, name, cookie, fields, key, mask, action_count, actions });
  return full;
}

describe('a flow rule as records', () => {
  it('comes back as it was put, in normal form', () => {
    fc.assert(
      fc.property(flowRules, rule => {
        const op = Buffer.alloc(FLOWER_OP.size);
        encodePut(op, 0, rule, owner, FLOWER_OP_FLAG.echo);
        const [back] = readFlows(shown(op), 1);
        expect(back).toEqual({ ...normalFlow(rule), inHw: false, ours: true });
      }),
      { numRuns: 500 },
    );
  });

  it('carries the owner and the fingerprint in its cookie', () => {
    const rule = wideRule('a', 'b', 1);
    const op = Buffer.alloc(FLOWER_OP.size);
    encodePut(op, 0, rule, owner, 0);
    const { cookie } = FLOWER_OP.decode(op, 0);
    expect(Buffer.from(cookie.subarray(0, 8))).toEqual(owner);
    expect(Buffer.from(cookie).readBigUInt64BE(8)).toBe(flowFingerprint(rule));
    expect(cookieOwner('other')).not.toEqual(owner);
    expect(owner.toString('hex')).toMatch(/^e5570101/);
  });

  it('is deleted by its identity', () => {
    const ref = Buffer.alloc(FLOWER_REF.size);
    encodeRef(ref, 0, { link: 'a', chain: 1, prio: 2, protocol: 3, handle: 4 });
    expect(FLOWER_REF.decode(ref, 0)).toEqual({
      ...{ name: 'a', chain: 1, prio: 2, protocol: 3, handle: 4, pad: 0 },
    });
  });

  it('is dumped as columns', () => {
    const records = Buffer.alloc(3 * FLOWER_REC.size);
    const rows = [1, 2, 3].map(n => ({
      ...{ ifindex: n, chain: 10 + n, prio: 20 + n, protocol: 0xfff0 + n, handle: 0xffff_fff0 + n },
      fingerprint: 0xffff_ffff_0000_0000n + BigInt(n),
      ...{ hw_packets: 2n ** 63n, hw_bytes: 5n, sw_packets: 6n, sw_bytes: 7n },
      flags: REC_FLAG.ours | REC_FLAG.inHw | REC_FLAG.dangling,
      idle_ms: n === 2 ? FLOW_IDLE_UNKNOWN : n,
    }));
    rows.forEach((row, i) => {
      FLOWER_REC.encode(records, i * FLOWER_REC.size, row);
    });
    const dump = flowDumpOf(records, 3);
    expect(dump.count).toBe(3);
    rows.forEach((row, i) => {
      expect(dump.ifindex[i]).toBe(row.ifindex);
      expect(dump.chain[i]).toBe(row.chain);
      expect(dump.prio[i]).toBe(row.prio);
      expect(dump.protocol[i]).toBe(row.protocol);
      expect(dump.handle[i]).toBe(row.handle);
      expect(dump.fingerprint[i]).toBe(row.fingerprint);
      expect(dump.hwPackets[i]).toBe(row.hw_packets);
      expect([dump.hwBytes[i], dump.swPackets[i], dump.swBytes[i]]).toEqual([5n, 6n, 7n]);
      expect(dump.idleMs[i]).toBe(row.idle_ms);
      expect(dump.flags[i]).toBe(FLOW_FLAG.ours | FLOW_FLAG.inHw);
    });
  });

  it('is one of a shape that the commonest rules have', () => {
    const op = Buffer.alloc(FLOWER_OP.size);
    encodePut(op, 0, macRule('a', 'b', 0x2a), owner, 0);
    expect(FLOWER_OP.decode(op, 0)).toMatchObject({ fields: 1, action_count: 1, handle: 0x2a });
  });
});
