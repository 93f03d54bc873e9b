import { describe, expect, it } from 'vitest';
import { interleave, ratios, rotation, samplesOf } from '../../bench/lib/rounds.ts';

const schedule = { rounds: 3, tasks: ['udp', 'tcp'], contenders: ['ours', 'bridge', 'veth'] };

describe('rotation', () => {
  it('starts one later in each round and leaves nobody out', () => {
    expect([0, 1, 2, 3].map(round => rotation(3, round))).toEqual([
      [0, 1, 2],
      [1, 2, 0],
      [2, 0, 1],
      [0, 1, 2],
    ]);
  });
});

describe('interleave', () => {
  it('runs the contenders of a task back to back, in rotating order', async () => {
    const seen: string[] = [];
    await interleave(schedule, async (task, contender, round) => {
      seen.push(`${round} ${task} ${contender}`);
      return 1;
    });
    expect(seen.slice(0, 7)).toEqual([
      '0 udp ours',
      '0 udp bridge',
      '0 udp veth',
      '0 tcp ours',
      '0 tcp bridge',
      '0 tcp veth',
      '1 udp bridge',
    ]);
    expect(seen).toHaveLength(18);
  });

  it('keeps the samples of a contender in the order of the rounds', async () => {
    const samples = await interleave(
      schedule,
      async (_task, contender, round) => contender.length * 10 + round,
    );
    expect(samplesOf(samples, 'udp', 'bridge')).toEqual([60, 61, 62]);
    expect(() => samplesOf(samples, 'udp', 'nobody')).toThrow('nothing was measured');
  });

  it('fails with the contender and the reason when one cannot run', async () => {
    const failing = interleave(schedule, async (_task, contender) => {
      if (contender === 'veth') throw new Error('no such device');
      return 1;
    });
    await expect(failing).rejects.toThrow('udp, contender veth, round 1: no such device');
  });

  it('does not take nothing for a measurement', async () => {
    await expect(interleave(schedule, async () => 0)).rejects.toThrow('not a positive number');
    await expect(interleave(schedule, async () => Number.NaN)).rejects.toThrow('not a positive number');
  });
});

describe('ratios', () => {
  it('divides round by round', () => {
    expect(ratios([3, 4], [2, 8])).toEqual([1.5, 0.5]);
    expect(() => ratios([1], [1, 2])).toThrow('different number of rounds');
  });
});
