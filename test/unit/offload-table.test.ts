import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pairHandle } from '../../src/compile/pair.ts';
import { PAIR_PRIO } from '../../src/ir/flow-prio.ts';
import { FLOW_FLAG, type FlowDump } from '../../src/kernel/flow-port.ts';
import { Budget } from '../../src/offload/budget.ts';
import { diffRules } from '../../src/offload/diff.ts';
import { PairIndex } from '../../src/offload/pair-index.ts';
import { REFUSAL_TTL_MS, Refusals } from '../../src/offload/refusals.ts';
import { keyDst, keySrc, keyVariant, pairKey, RuleTable } from '../../src/offload/rule-table.ts';
import { CACHE_DEFAULTS, CACHE_FLAG, type CacheLimits, moveRules, PLACE } from '../../src/place/cache.ts';

describe('the pair index', () => {
  it('does what a Map does', () => {
    const key = fc.integer({ min: 0, max: 60 }).map(n => n * 0x4000_0007);
    const step = fc.record({ key, row: fc.nat(1000), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), steps => {
        const index = new PairIndex();
        const model = new Map<number, number>();
        for (const each of steps) {
          if (each.remove) {
            index.delete(each.key);
            model.delete(each.key);
          } else {
            index.set(each.key, each.row);
            model.set(each.key, each.row);
          }
          expect(index.get(each.key)).toBe(model.get(each.key) ?? -1);
        }
        for (const [known, row] of model) expect(index.get(known)).toBe(row);
      }),
      { numRuns: 50 },
    );
  });

  it('grows', () => {
    const index = new PairIndex();
    for (let i = 0; i < 5000; i++) index.set(pairKey(i, 5000 - i, i % 3), i);
    for (let i = 0; i < 5000; i++) expect(index.get(pairKey(i, 5000 - i, i % 3))).toBe(i);
  });
});

describe('a pair key', () => {
  it('holds both slots and the variant', () => {
    const key = pairKey(65_535, 65_534, 2);
    expect([keySrc(key), keyDst(key), keyVariant(key)]).toEqual([65_535, 65_534, 'ip6-udp']);
  });
});

describe('the rule table', () => {
  it('takes less than 500 bytes for each of 20,000 rules', () => {
    const table = new RuleTable();
    for (let i = 0; i < 20_000; i++) table.ensure(pairKey(i % 200, Math.floor(i / 200) + 300, 0), 0);
    expect(table.size).toBe(20_000);
    expect(table.byteLength / 20_000).toBeLessThan(500);
  });

  it('gives rows out again and keeps no trace of their last pair', () => {
    const table = new RuleTable();
    const row = table.ensure(1, 5);
    table.set(row, PLACE.blocked, 'DRIVER_REJECT', 7, 'no such field');
    table.heat[row] = 9;
    expect([table.state(row), table.extack(row), table.changedMs[row]]).toEqual([
      'refused',
      'no such field',
      7,
    ]);
    table.remove(row);
    expect(table.find(1)).toBe(-1);
    expect(table.ensure(2, 8)).toBe(row);
    expect([table.reason(row), table.extack(row), table.heat[row]]).toEqual(['COLD', '', 0]);
  });

  it('adds up counters over a rule that was put anew', () => {
    const table = new RuleTable();
    const row = table.ensure(1, 0);
    expect(table.readHardware(row, 10, 1000)).toEqual({ packets: 10, bytes: 1000 });
    expect(table.readHardware(row, 15, 1500)).toEqual({ packets: 5, bytes: 500 });
    expect(table.readHardware(row, 3, 300)).toEqual({ packets: 3, bytes: 300 });
    expect(table.readSoftware(row, 100, 9000, true)).toBe(0);
    expect(table.readSoftware(row, 104, 9400, false)).toBe(4);
  });

  it('has a time constant, whatever the polls', () => {
    const table = new RuleTable();
    const [often, seldom] = [table.ensure(1, 0), table.ensure(2, 0)];
    for (let i = 0; i < 40; i++) {
      table.delta[often] = 250;
      if (i % 8 === 7) table.delta[seldom] = 2000;
      table.settle(0.25);
    }
    expect(table.heat[often]).toBeCloseTo(1000, -1);
    expect(table.heat[seldom]).toBeGreaterThan(500);
  });
});

function filled(heats: readonly number[], residents: readonly number[]): RuleTable {
  const table = new RuleTable();
  for (const [i, heat] of heats.entries()) {
    const row = table.ensure(i, 0);
    table.heat[row] = heat;
    if (residents.includes(i)) table.set(row, PLACE.resident, 'HW_OK', 0);
  }
  return table;
}

const limits = (change: Partial<CacheLimits>): CacheLimits => ({
  ...CACHE_DEFAULTS,
  budget: 2,
  poll: 100,
  ...change,
});

describe('the placer', () => {
  it('fills room with the hottest first, and leaves what is cold', () => {
    expect(moveRules(filled([5, 50, 0, 20], []), limits({ budget: 3 })).admit).toEqual([1, 3, 0]);
    expect(moveRules(filled([0.1, 0], []), limits({})).admit).toEqual([]);
  });

  it('puts what its network requires before anything hotter, and takes what is always wanted cold', () => {
    const table = filled([500, 1, 0], []);
    table.flags[1] = CACHE_FLAG.required;
    table.flags[2] = CACHE_FLAG.always;
    expect(moveRules(table, limits({ budget: 3 })).admit).toEqual([1, 0, 2]);
  });

  it('replaces only what is colder by the margin, in the polls that follow each other', () => {
    const table = filled([100, 100, 115, 130], [0, 1]);
    expect(moveRules(table, limits({ poll: 10 }))).toEqual({ evict: [], admit: [] });
    expect(moveRules(table, limits({ poll: 12 }))).toEqual({ evict: [], admit: [] });
    expect(moveRules(table, limits({ poll: 13 }))).toEqual({ evict: [1], admit: [3] });
  });

  it('lets a new resident be for a while', () => {
    const table = filled([1, 1, 100], [0, 1]);
    table.since[0] = table.since[1] = 9;
    for (const poll of [10, 11, 12]) expect(moveRules(table, limits({ poll })).evict).toEqual([]);
    expect(moveRules(table, limits({ poll: 13 })).evict).toEqual([]);
    expect(moveRules(table, limits({ poll: 14 })).evict).toEqual([1]);
  });

  it('gives up the coldest when the table shrinks', () => {
    const table = filled([3, 1, 2, 100], [0, 1, 2]);
    expect(moveRules(table, limits({ budget: 1 }))).toEqual({ evict: [1, 2], admit: [] });
  });
});

function dumpOf(
  rows: readonly Partial<Record<keyof FlowDump, number>>[],
  prints: readonly bigint[],
): FlowDump {
  const column = (name: keyof FlowDump) => rows.map(row => row[name] ?? 0);
  const zero = new BigUint64Array(rows.length);
  return {
    count: rows.length,
    ifindex: Uint32Array.from(column('ifindex')),
    chain: Uint32Array.from(column('chain')),
    prio: Uint16Array.from(column('prio')),
    protocol: Uint16Array.from(column('protocol')),
    handle: Uint32Array.from(column('handle')),
    flags: Uint16Array.from(column('flags')),
    fingerprint: BigUint64Array.from(prints),
    hwPackets: zero,
    hwBytes: zero,
    swPackets: zero,
    swBytes: zero,
    idleMs: new Uint32Array(rows.length),
  };
}

describe('the difference of table and kernel', () => {
  const { prio } = PAIR_PRIO.ip4;
  const slotOf = (ifindex: number) => (ifindex >= 100 ? ifindex - 100 : -1);
  const both = FLOW_FLAG.ours | FLOW_FLAG.inHw;

  it('is nothing when everything is in place', () => {
    const table = new RuleTable();
    const row = table.ensure(pairKey(1, 2, 0), 0);
    table.set(row, PLACE.resident, 'HW_OK', 0);
    table.fingerprint[row] = 7n;
    const dump = dumpOf([{ ifindex: 101, prio, handle: pairHandle(2, 'ip4'), flags: both }], [7n]);
    const found = diffRules(table, dump, slotOf);
    expect([found.missing, found.changed, found.notInHw, found.leftOver]).toEqual([[], [], [], []]);
    expect([...found.rowOf]).toEqual([row]);
  });

  it('names what is missing, changed, evicted, left over and foreign', () => {
    const table = new RuleTable();
    const rows = [2, 3, 4, 5].map(dst => table.ensure(pairKey(1, dst, 0), 0));
    for (const row of rows.slice(0, 3)) table.set(row, PLACE.resident, 'HW_OK', 0);
    for (const row of rows) table.fingerprint[row] = 7n;
    const rule = (dst: number, flags: number) => ({
      ifindex: 101,
      prio,
      handle: pairHandle(dst, 'ip4'),
      flags,
    });
    const dump = dumpOf(
      [rule(2, both), rule(3, FLOW_FLAG.ours), rule(5, both), { ...rule(9, 0), prio: 1 }],
      [8n, 7n, 7n, 0n],
    );
    const found = diffRules(table, dump, slotOf);
    expect(found.changed).toEqual([rows[0]]);
    expect(found.notInHw).toEqual([rows[1]]);
    expect(found.missing).toEqual([rows[2]]);
    expect(found.leftOver).toEqual([2]);
    expect(found.foreign).toBe(1);
  });
});

describe('the budget', () => {
  it('keeps a little room, leaves others theirs, and learns from a full table', () => {
    const budget = new Budget();
    budget.setTable(1000);
    budget.setOthers(100);
    expect(budget.value).toBe(885);
    budget.full(600, 10);
    expect(budget.value).toBe(600);
    budget.tick(600, 100);
    expect(budget.value).toBe(600);
    budget.tick(600, 130);
    expect(budget.value).toBe(609);
    budget.full(605, 131);
    budget.tick(605, 131 + 239);
    expect(budget.value).toBe(605);
    budget.tick(605, 131 + 240);
    expect(budget.value).toBe(614);
    budget.forget();
    expect(budget.value).toBe(885);
  });

  it('does not grow while it is not used up', () => {
    const budget = new Budget();
    budget.setTable(1000);
    budget.full(500, 0);
    budget.tick(400, 1000);
    expect(budget.value).toBe(500);
  });
});

describe('refusals', () => {
  const refusal = { reason: 'DRIVER_REJECT', extack: 'no pedit', errno: 95 } as const;

  it('hold for every rule of the shape until one may ask again', () => {
    const refusals = new Refusals();
    refusals.setFirmware('1.0');
    refusals.learn('a', refusal, 0);
    expect(refusals.of('a')).toMatchObject({ extack: 'no pedit', sinceMs: 0 });
    expect(refusals.mayRetry('b', 0)).toBe(true);
    expect(refusals.mayRetry('a', REFUSAL_TTL_MS - 1)).toBe(false);
    expect(refusals.mayRetry('a', REFUSAL_TTL_MS)).toBe(true);
    expect(refusals.mayRetry('a', REFUSAL_TTL_MS + 1)).toBe(false);
    refusals.accepted('a');
    expect(refusals.of('a')).toBeNull();
  });

  it('end with the firmware', () => {
    const refusals = new Refusals();
    refusals.setFirmware('1.0');
    refusals.learn('a', refusal, 0);
    expect(refusals.setFirmware('1.0')).toBe(false);
    expect(refusals.setFirmware('1.1')).toBe(true);
    expect(refusals.of('a')).toBeNull();
  });
});
