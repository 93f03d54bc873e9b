import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median, percentile, summarize } from '../../bench/lib/stats.ts';

const samples = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 50 });

describe('percentile', () => {
  it('interpolates between the two nearest samples', () => {
    expect(percentile([10, 20, 30, 40], 50)).toBe(25);
    expect(percentile([1, 2, 3, 4, 5], 25)).toBe(2);
    expect(percentile([7], 99)).toBe(7);
  });

  it('lies between the least and the greatest sample and grows with p', () => {
    fc.assert(
      fc.property(
        samples,
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 0, max: 100 }),
        (values, a, b) => {
          const [low, high] = [percentile(values, Math.min(a, b)), percentile(values, Math.max(a, b))];
          const slack = 1e-6;
          expect(low).toBeGreaterThanOrEqual(Math.min(...values) - slack);
          expect(high).toBeLessThanOrEqual(Math.max(...values) + slack);
          expect(low).toBeLessThanOrEqual(high + slack);
        },
      ),
    );
  });

  it('leaves its argument as it is', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('refuses what has no percentile', () => {
    expect(() => percentile([], 50)).toThrow('no samples');
    expect(() => percentile([1, Number.NaN], 50)).toThrow('not a finite number');
    expect(() => percentile([1], 101)).toThrow('outside 0..100');
  });
});

describe('summarize', () => {
  it('gives median, least, greatest and the number of rounds', () => {
    expect(summarize([1.5, 1.1, 1.3])).toEqual({ median: 1.3, min: 1.1, max: 1.5, rounds: 3 });
  });
});
