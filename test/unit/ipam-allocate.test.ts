import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dynamicRange, nextFree, nextPool, usableRange } from '../../src/ipam/allocate.ts';
import { parseDefaultPools, uniqueLocalBlock } from '../../src/ipam/default-pools.ts';
import { IntervalSet } from '../../src/ipam/interval-set.ts';
import type { Cidr } from '../../src/lib/brand.ts';
import { EswError } from '../../src/lib/errors.ts';
import { cidrRange, ipFromBigint } from '../../src/lib/ip.ts';

const cidr = (text: string) => text as Cidr;

describe('IntervalSet', () => {
  it('is a set, whatever the order of changes', () => {
    const step = fc.record({
      verb: fc.constantFrom('add', 'range', 'delete'),
      at: fc.nat(60),
      length: fc.nat(8),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(70), fc.nat(10), (steps, from, length) => {
        const set = new IntervalSet();
        const model = new Set<number>();
        for (const { verb, at, length: size } of steps) {
          const last = verb === 'range' ? at + size : at;
          if (verb === 'delete') set.delete(BigInt(at));
          else set.add(BigInt(at), BigInt(last));
          for (let value = at; value <= last; value++)
            verb === 'delete' ? model.delete(value) : model.add(value);
        }
        for (let value = 0; value <= 80; value++) expect(set.has(BigInt(value))).toBe(model.has(value));
        let free = from;
        while (model.has(free)) free++;
        expect(set.firstFreeFrom(BigInt(from))).toBe(BigInt(free));
        const isMet = [...model].some(value => value >= from && value <= from + length);
        expect(set.meets(BigInt(from), BigInt(from + length)) !== null).toBe(isMet);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('ranges', () => {
  const shown = (pool: string, subPool: string | null = null) => {
    const { first, last } = dynamicRange(cidr(pool), subPool === null ? null : cidr(subPool));
    const family = pool.includes(':') ? 6 : 4;
    return `${ipFromBigint(family, first)}-${ipFromBigint(family, last)}`;
  };

  it.each([
    ['10.1.0.0/24', null, '10.1.0.1-10.1.0.254'],
    ['10.1.0.0/30', null, '10.1.0.1-10.1.0.2'],
    ['10.1.0.0/31', null, '10.1.0.0-10.1.0.1'],
    ['10.1.0.7/32', null, '10.1.0.7-10.1.0.7'],
    ['fd00::/64', null, 'fd00::1-fd00::ffff:ffff:ffff:ffff'],
    ['fd00::/127', null, 'fd00::-fd00::1'],
    ['fd00::5/128', null, 'fd00::5-fd00::5'],
    ['10.1.0.0/16', '10.1.4.0/24', '10.1.4.0-10.1.4.255'],
    ['10.1.0.0/24', '10.1.0.0/25', '10.1.0.1-10.1.0.127'],
    ['10.1.0.0/24', '10.1.0.128/25', '10.1.0.128-10.1.0.254'],
  ])('%s with sub-pool %s: %s', (pool, subPool, expected) => {
    expect(shown(pool, subPool)).toBe(expected);
  });
});

describe('nextFree', () => {
  it('goes on after the cursor, round, and ends exactly when the range is full', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 40 }),
        fc.array(fc.nat(90)),
        fc.option(fc.nat(90)),
        (first, length, taken, cursor) => {
          const set = new IntervalSet();
          for (const value of taken) set.add(BigInt(value));
          const range = { first: BigInt(first), last: BigInt(first + length) };
          const found = nextFree(range, set, cursor === null ? null : BigInt(cursor));
          const order: number[] = [];
          const start = cursor !== null && cursor >= first && cursor < first + length ? cursor + 1 : first;
          for (let i = 0; i <= length; i++) order.push(first + ((start - first + i) % (length + 1)));
          const expected = order.find(value => !taken.includes(value));
          expect(found).toBe(expected === undefined ? null : BigInt(expected));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('finds an address of a /8 and of a ::/32 at once, nearly empty or nearly full', () => {
    for (const pool of ['10.0.0.0/8', 'fd00::/32']) {
      const range = usableRange(cidr(pool));
      const set = new IntervalSet();
      set.add(range.first, range.last - 1n);
      const started = performance.now();
      expect(nextFree(range, set, range.first + 5n)).toBe(range.last);
      set.add(range.last);
      expect(nextFree(range, set, range.last)).toBeNull();
      expect(performance.now() - started).toBeLessThan(50);
    }
  });
});

describe('nextPool', () => {
  const block = { base: cidr('10.200.0.0/16'), length: 24 };
  const blocked = (...pools: string[]) => {
    const set = new IntervalSet();
    for (const pool of pools) {
      const { first, last } = cidrRange(cidr(pool));
      set.add(first, last);
    }
    return set;
  };

  it.each([
    [[], '10.200.0.0/24'],
    [['10.200.0.0/24'], '10.200.1.0/24'],
    [['10.200.0.128/32'], '10.200.1.0/24'],
    [['10.200.0.0/23', '10.200.3.0/24'], '10.200.2.0/24'],
    [['10.0.0.0/8'], null],
    [['10.200.0.0/17', '10.200.200.0/24'], '10.200.128.0/24'],
  ])('beside %j is %s', (taken, expected) => {
    expect(nextPool(block, blocked(...taken))).toBe(expected);
  });

  it('is the last one when all others are taken', () => {
    const set = new IntervalSet();
    const { first } = cidrRange(block.base);
    set.add(first, first + 255n * 256n - 1n);
    expect(nextPool(block, set)).toBe('10.200.255.0/24');
  });
});

describe('default pools', () => {
  it('are built in for what is not configured', () => {
    const none = parseDefaultPools([], 'host');
    expect(none[4]).toEqual([{ base: '10.200.0.0/13', length: 20 }]);
    expect(none[6]).toEqual([uniqueLocalBlock('host')]);
    expect(none[6][0]?.base).toMatch(/^fd[0-9a-f]{2}:.*::\/48$/);
    expect(uniqueLocalBlock('other')).not.toEqual(uniqueLocalBlock('host'));
    const given = parseDefaultPools(['10.9.0.0/16/24', '10.8.0.0/24'], 'host');
    expect(given[4]).toEqual([
      { base: '10.9.0.0/16', length: 24 },
      { base: '10.8.0.0/24', length: 24 },
    ]);
    expect(given[6]).toEqual(none[6]);
  });

  it.each(['10.0.0.0', '10.0.0.1/8', '10.0.0.0/16/8', '10.0.0.0/16/33', 'x/8', '10.0.0.0/8/x'])(
    '"%s" is refused with its text',
    entry => {
      expect(() => parseDefaultPools([entry], 'host')).toThrow(EswError);
      expect(() => parseDefaultPools([entry], 'host')).toThrow(entry);
    },
  );
});
