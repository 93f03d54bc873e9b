/** The native lane: the C library's own tests, run by ctest in the build folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../checks.ts';
import { run } from '../process.ts';
import { failure, type LaneContext, type LaneResult } from './lane.ts';

export async function runNative(context: LaneContext): Promise<LaneResult> {
  const junit = join(context.logDir, 'native.xml');
  const { code, output } = await run(
    [
      'ctest',
      ...['--test-dir', join(root, 'native/build'), '--output-on-failure', '--no-tests=error'],
      ...['--output-junit', junit, '--timeout', '120'],
    ],
    { env: context.env, logFile: join(context.logDir, 'native.log'), timeoutMs: 300_000 },
  );
  const counts = readCounts(junit);
  if (!counts) return failure(`native: ctest ended with ${code}\n${output.trimEnd()}`);
  // A disabled or skipped C test is a failure: nothing this lane needs can be missing.
  const failed = counts.tests - counts.passed;
  if (code === 0 && failed === 0) return { passed: counts.passed, failed: 0, failures: [], skips: [] };
  return { passed: counts.passed, failed: Math.max(1, failed), failures: [output.trimEnd()], skips: [] };
}

/** ctest's <testsuite> head carries tests, failures, disabled and skipped. */
function readCounts(file: string): { tests: number; passed: number } | null {
  let head: string;
  try {
    head = /<testsuite\b[^>]*>/.exec(readFileSync(file, 'utf8'))?.[0] ?? '';
  } catch {
    return null;
  }
  const attribute = (name: string): number =>
    Number(new RegExp(`${name}="(\\d+)"`).exec(head)?.[1] ?? Number.NaN);
  const tests = attribute('tests');
  const passed = tests - attribute('failures') - attribute('disabled') - attribute('skipped');
  return Number.isNaN(passed) || tests === 0 ? null : { tests, passed };
}
