/** How well and how soon the placer keeps the hottest pairs in a table that holds a tenth of them. */

import { median } from '../../lib/stats.ts';
import type { Measured, Suite, SuiteOptions } from '../../lib/suite.ts';
import { PlacementSimulation, settlePolls, TALK } from './simulation.ts';

const TOLERANCE = 0.05;
const MOST_POLLS = 400;
/** Polls after settling in which churn and share are measured: a minute. */
const CALM_POLLS = 240;

export const placementSuite: Suite = {
  name: 'placement',
  summary: 'hottest pairs in a full hardware table: share of bytes, time after a change (simulated NIC)',
  run: measure,
};

interface Run {
  readonly startSeconds: number;
  readonly changeSeconds: number;
  readonly shareOfBest: number;
  readonly best: number;
  readonly churnPerSecond: number;
  readonly pollMs: number;
}

function runOnce(seed: number): Run {
  const simulation = new PlacementSimulation({ ...TALK, seed });
  const seconds = (polls: number | null) => (polls ?? MOST_POLLS) * TALK.pollSeconds;
  const start = settlePolls(simulation, TOLERANCE, MOST_POLLS);
  const calm = Array.from({ length: CALM_POLLS }, () => simulation.poll());
  simulation.changeHotSet();
  const change = settlePolls(simulation, TOLERANCE, MOST_POLLS);
  const startedMs = performance.now();
  const timed = 40;
  for (let i = 0; i < timed; i++) simulation.poll();
  return {
    startSeconds: seconds(start.polls),
    changeSeconds: seconds(change.polls),
    shareOfBest: median(calm.map(({ share }) => share / simulation.best)),
    best: simulation.best,
    churnPerSecond:
      calm.reduce((sum, { operations }) => sum + operations, 0) / (CALM_POLLS * TALK.pollSeconds),
    pollMs: (performance.now() - startedMs) / timed,
  };
}

async function measure(options: SuiteOptions): Promise<Measured> {
  const runs: Run[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    const run = runOnce(round);
    runs.push(run);
    options.progress(
      `seed ${round}: ${(run.shareOfBest * 100).toFixed(2)} % of the best choice, ${run.changeSeconds} s after a change`,
    );
  }
  const of = (pick: (run: Run) => number) => median(runs.map(pick));
  return {
    ratios: {},
    figures: {
      'placement.pairs': TALK.pairs,
      'placement.table_entries': TALK.tableSize,
      'placement.best_static_share': of(run => run.best),
      'placement.share_of_best': of(run => run.shareOfBest),
      'placement.settle_from_empty_s': of(run => run.startSeconds),
      'placement.settle_after_change_s': of(run => run.changeSeconds),
      'placement.settle_after_change_max_s': Math.max(...runs.map(run => run.changeSeconds)),
      'placement.churn_calm_per_s': of(run => run.churnPerSecond),
      'placement.poll_with_traffic_model_ms': of(run => run.pollMs),
    },
    environment: {
      simulated: 'the NIC and the traffic; rule table and placer are the real ones',
      traffic: `Zipf(${TALK.exponent}), ${TALK.packetsPerSecond} packets/s with Poisson noise`,
      poll: `${TALK.pollSeconds} s`,
      criterion: `within ${TOLERANCE * 100} % of the best static choice, for 8 polls`,
    },
  };
}
