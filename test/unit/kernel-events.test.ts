/** Event records from a byte stream, lanes, batches, probes and grouping. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nftElement, port, subnetEntry } from '../../src/ir/make.ts';
import { groupOps } from '../../src/kernel/native/apply.ts';
import { encodeBatch } from '../../src/kernel/native/batch.ts';
import { EventNamer } from '../../src/kernel/native/events.ts';
import { Lane } from '../../src/kernel/native/lanes.ts';
import { encodeAll } from '../../src/kernel/native/layout.ts';
import { parseProbes } from '../../src/kernel/native/probes.ts';
import { RecordDecoder } from '../../src/kernel/native/record-stream.ts';
import { ABI_VERSION, BATCH_HDR, EVENT, LINK_OP } from '../../src/kernel/native/records.ts';
import type { Op } from '../../src/kernel/port.ts';
import type { Cidr, Mac, NetSlot } from '../../src/lib/brand.ts';

const IDENTITY = { instance: 'eswitchd', linkPrefix: 'ew' };
const REP = 'ewr0123456789';
const [NEWLINK, DELLINK, NEWADDR] = [16, 17, 20] as const;
const event = (kind: number, ifindex: number, name = '') => ({
  kind,
  family: 0,
  ifindex,
  flags: 0,
  name,
  pad: 0,
});

describe('event stream', () => {
  it('comes out whole however it is cut', () => {
    const records = [event(NEWLINK, 3, 'eth0'), event(DELLINK, 9, REP), event(0, 0), event(NEWADDR, 3)];
    const bytes = encodeAll(EVENT, records);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), cuts => {
        const decoder = new RecordDecoder(EVENT);
        const seen = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = cuts[i % cuts.length] ?? 1;
          seen.push(...decoder.push(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(seen).toEqual(records);
      }),
    );
  });

  it('tells of our links only, by the name they were made with', () => {
    const namer = new EventNamer(IDENTITY);
    expect(namer.event(event(NEWLINK, 3, 'eth0'))).toBeNull();
    expect(namer.event(event(NEWLINK, 5, REP))).toEqual({ kind: 'link', link: REP });
    expect(namer.event(event(NEWLINK, 5, 'renamed'))).toEqual({ kind: 'link', link: REP });
    expect(namer.event(event(NEWADDR, 5))).toEqual({ kind: 'address', link: REP });
    expect(namer.event(event(NEWADDR, 3))).toBeNull();
    expect(namer.event(event(DELLINK, 5, 'renamed'))).toEqual({ kind: 'link', link: REP, gone: true });
    expect(namer.event(event(NEWADDR, 5))).toBeNull();
    expect(namer.event(event(0, 0))).toEqual({ kind: 'lost', link: null });
    expect(namer.event(event(24, 5))).toBeNull();
  });
});

describe('lane', () => {
  it('runs one at a time, in order, and goes on after a failure', async () => {
    const lane = new Lane('test');
    const log: string[] = [];
    const task =
      (name: string, fails = false) =>
      async () => {
        log.push(`+${name}`);
        await new Promise(resolve => setTimeout(resolve, 1));
        log.push(`-${name}`);
        if (fails) throw new Error(name);
        return name;
      };
    expect(lane.idle).toBe(true);
    const results = await Promise.allSettled([
      lane.run(task('a')),
      lane.run(task('b', true)),
      lane.run(task('c')),
    ]);
    expect(results.map(result => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(log).toEqual(['+a', '-a', '+b', '-b', '+c', '-c']);
    await lane.drain();
    expect(lane.idle).toBe(true);
  });

  it('refuses more than it may hold, and takes work again later', async () => {
    const lane = new Lane('test', 2);
    const slow = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 1));
    const running = [lane.run(slow), lane.run(slow)];
    await expect(lane.run(slow)).rejects.toMatchObject({ code: 'ESW_ERR_KERNEL_REFUSED' });
    await Promise.all(running);
    await lane.drain();
    await expect(lane.run(async () => 1)).resolves.toBe(1);
  });
});

describe('batch', () => {
  it('has a header that says what follows', () => {
    const batch = encodeBatch(LINK_OP, [{ name: 'a' }, { name: 'b' }]);
    expect(BATCH_HDR.decode(batch, 0)).toEqual({
      magic: 0x42575345,
      version: ABI_VERSION,
      record_size: LINK_OP.size,
      length: BATCH_HDR.size + 2 * LINK_OP.size,
      count: 2,
    });
    expect(batch.toString('latin1', 0, 4)).toBe('ESWB');
    expect(LINK_OP.decode(batch, BATCH_HDR.size + LINK_OP.size).name).toBe('b');
  });

  it('refuses a name that does not fit', () => {
    expect(() => encodeBatch(LINK_OP, [{ name: 'x'.repeat(16) }])).toThrow(RangeError);
  });
});

describe('probes', () => {
  it('have three answers and a reason unless yes', () => {
    expect(parseProbes('tcx yes\nflower unknown Operation not permitted\nsriov no\nnonsense\n')).toEqual([
      { name: 'tcx', answer: 'yes', reason: '' },
      { name: 'flower', answer: 'unknown', reason: 'Operation not permitted' },
      { name: 'sriov', answer: 'no', reason: 'the kernel gave no reason' },
    ]);
  });
});

describe('grouping', () => {
  const mac = '02:00:00:00:00:01' as Mac;
  const pair = (rep: string) =>
    port({ rep, fn: 'f', repMac: mac, fnMac: mac, mtu: 1500, role: 'endpoint', vf: null, sandbox: null });
  const subnet = subnetEntry(1 as NetSlot, '10.0.0.0/8' as Cidr);

  it('joins adjacent operations of one kind and keeps the order', () => {
    const ops: Op[] = [
      { verb: 'create', resource: pair('a') },
      { verb: 'update', resource: pair('b') },
      { verb: 'create', resource: subnet },
      { verb: 'delete', resource: subnet },
      { verb: 'swap-fib', key: 'swap-fib', entries: [] },
      { verb: 'create', resource: nftElement('gateways', '"x"') },
      { verb: 'delete', resource: nftElement('gateways', '"y"') },
      { verb: 'create', resource: pair('c') },
    ];
    const shape = groupOps(ops).map(group => [
      group.type,
      group.type === 'swap' ? 1 : group.type === 'elements' ? group.ops.length : group.resources.length,
    ]);
    expect(shape).toEqual([
      ['put', 2],
      ['put', 1],
      ['delete', 1],
      ['swap', 1],
      ['elements', 2],
      ['put', 1],
    ]);
  });
});
