/** The lint lane: every check of `npm run lint` counts as one test, then the repository's own rules. */
import { CHECKS } from '../checks.ts';
import { run } from '../process.ts';
import { type LaneContext, type LaneResult, sum } from './lane.ts';
import { runVitest } from './vitest-lane.ts';

export async function runLint(context: LaneContext): Promise<LaneResult> {
  const results: LaneResult[] = [];
  for (const check of CHECKS) {
    const { code, output } = await run(check.command, { env: context.env, timeoutMs: 120_000 });
    const failures = code === 0 ? [] : [`${check.name}\n${output.trimEnd()}`];
    results.push({ passed: code === 0 ? 1 : 0, failed: failures.length, failures, skips: [] });
  }
  results.push(await runVitest({ project: 'lint', timeoutMs: 180_000 }, context));
  return sum(results);
}
