/** What a test lane is, and what it answers. */

/** Where a lane keeps what it prints, and what its commands run with. */
export interface LaneContext {
  /** Folder of this run's logs. */
  readonly logDir: string;
  readonly env: NodeJS.ProcessEnv;
  /** With CI=true no skip is allowed. */
  readonly strict: boolean;
  /** Only files whose name contains one of these run; empty = all. */
  readonly filters: readonly string[];
}

export interface LaneResult {
  readonly passed: number;
  readonly failed: number;
  /** One block of text per failure: what failed, then why. */
  readonly failures: readonly string[];
  /** Skips the lane allows on this machine, with the feature that is missing. */
  readonly skips: readonly string[];
}

export interface Lane {
  readonly name: string;
  /** Lanes of one track run one after the other; tracks of one stage run side by side. */
  readonly stage: number;
  readonly track: number;
  readonly run: (context: LaneContext) => Promise<LaneResult>;
}

/** Joins the answers of a lane's parts. */
export function sum(results: readonly LaneResult[]): LaneResult {
  return {
    passed: results.reduce((total, result) => total + result.passed, 0),
    failed: results.reduce((total, result) => total + result.failed, 0),
    failures: results.flatMap(result => result.failures),
    skips: results.flatMap(result => result.skips),
  };
}

export const failure = (text: string): LaneResult => ({ passed: 0, failed: 1, failures: [text], skips: [] });
