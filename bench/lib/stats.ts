/** Order statistics of a run's samples. All functions leave their argument as it is. */

/** Summary of one ratio over the rounds of a run; > 1 means eswitchd is better. */
export interface RatioSummary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

/**
 * The `p`-th percentile, 0 ≤ p ≤ 100, linearly interpolated between the two nearest samples
 * (method 7 of Hyndman and Fan 1996, what spreadsheets do). Throws RangeError on no samples, on a
 * sample that is not finite and on a `p` outside the range.
 */
export function percentile(samples: readonly number[], p: number): number {
  if (samples.length === 0) throw new RangeError('no samples to take a percentile of');
  if (!(p >= 0 && p <= 100)) throw new RangeError(`percentile ${p} is outside 0..100`);
  if (!samples.every(Number.isFinite)) throw new RangeError('a sample is not a finite number');
  const sorted = [...samples].sort((a, b) => a - b);
  const position = ((sorted.length - 1) * p) / 100;
  const below = Math.floor(position);
  const low = sorted[below] ?? 0;
  const high = sorted[below + 1] ?? low;
  return low + (high - low) * (position - below);
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 50);
}

/** Median, least and greatest of one ratio's rounds. */
export function summarize(ratios: readonly number[]): RatioSummary {
  return {
    median: median(ratios),
    min: percentile(ratios, 0),
    max: percentile(ratios, 100),
    rounds: ratios.length,
  };
}
