/** What a benchmark suite is given and what it hands back. */
import type { RatioSummary } from './stats.ts';

export interface SuiteOptions {
  /** Interleaved rounds, at least 1. */
  readonly rounds: number;
  /** Length of one traffic measurement, seconds. */
  readonly secondsPerMeasurement: number;
  /** Fewer samples and shorter set-up; the figures are marked as quick. */
  readonly quick: boolean;
  /** Prints one progress line. */
  readonly progress: (line: string) => void;
}

export interface Measured {
  /** Per-round ratios by ID; > 1 means eswitchd is better. */
  readonly ratios: Readonly<Record<string, readonly number[]>>;
  /** Other measured values; the name's last word is the unit. */
  readonly figures: Readonly<Record<string, number>>;
  /** Facts about this run that a reader needs (hook mode, CPU placement, what was simulated). */
  readonly environment: Readonly<Record<string, string>>;
}

export interface Suite {
  readonly name: string;
  readonly summary: string;
  run(options: SuiteOptions): Promise<Measured>;
}

export type Environment = Readonly<Record<string, string | number | boolean>>;

/** The JSON that `--json FILE` writes. */
export interface SuiteReport {
  readonly suite: string;
  readonly environment: Environment;
  readonly ratios: Readonly<Record<string, RatioSummary>>;
  readonly figures: Readonly<Record<string, number>>;
}
