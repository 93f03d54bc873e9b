/** Lanes that are vitest projects; counts come from vitest's JSON reporter. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../checks.ts';
import { run } from '../process.ts';
import { failure, type LaneContext, type LaneResult } from './lane.ts';

export interface VitestLane {
  readonly project: string;
  readonly timeoutMs: number;
  /** Features that a machine may lack: a skipped test must say `[needs <feature>]` in its name. */
  readonly maySkip?: readonly string[];
  /** Command that vitest is run by, e.g. one that makes namespaces. */
  readonly within?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The project may be empty (its tests are made by a generator or arrive later). */
  readonly mayBeEmpty?: boolean;
}

interface Assertion {
  readonly fullName: string;
  readonly status: string;
  readonly failureMessages?: readonly string[];
}

export interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly Assertion[];
  }[];
}

export async function runVitest(lane: VitestLane, context: LaneContext): Promise<LaneResult> {
  const json = join(context.logDir, `${lane.project}.json`);
  rmSync(json, { force: true });
  const [file = process.execPath, ...before] = [...(lane.within ?? []), process.execPath];
  const { code, output } = await run(
    [
      file,
      ...before,
      join(root, 'node_modules/vitest/vitest.mjs'),
      ...['run', '--project', lane.project, '--reporter=verbose', '--reporter=json'],
      ...[`--outputFile.json=${json}`, ...context.filters],
    ],
    {
      cwd: root,
      env: { ...context.env, ...lane.env, NO_COLOR: '1' },
      logFile: join(context.logDir, `${lane.project}.log`),
      timeoutMs: lane.timeoutMs,
    },
  );
  const report = read(json);
  if (!report) return failure(`${lane.project}: vitest ended with ${code} and no report\n${tail(output)}`);
  const result = judge(report, lane, context, output);
  if (result.passed + result.failed + result.skips.length === 0) {
    if (lane.mayBeEmpty || context.filters.length > 0) return result;
    return failure(`${lane.project}: no test was found`);
  }
  // vitest also fails for errors outside any test (an unhandled rejection, a teardown that hangs).
  if (code !== 0 && result.failed === 0) return { ...result, ...crashed(lane, code, output) };
  return result;
}

function crashed(lane: VitestLane, code: number, output: string): Pick<LaneResult, 'failed' | 'failures'> {
  return { failed: 1, failures: [`${lane.project}: vitest ended with ${code}\n${tail(output)}`] };
}

function read(file: string): Report | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return null;
  }
}

/** Counts a report; `output` is what vitest printed. */
export function judge(
  report: Report,
  lane: VitestLane,
  context: Pick<LaneContext, 'strict'>,
  output: string,
): LaneResult {
  let passed = 0;
  let failed = 0;
  const failures: string[] = [];
  const skips: string[] = [];
  for (const file of report.testResults) {
    const broken = file.status === 'failed' && !file.assertionResults.some(test => test.status === 'failed');
    const notRun: string[] = [];
    for (const test of file.assertionResults) {
      if (test.status === 'passed') passed += 1;
      else if (test.status === 'failed') failures.push(describe(file.name, test));
      else if (!broken && allowed(test, lane, context)) skips.push(test.fullName);
      else notRun.push(test.fullName);
    }
    failed += file.assertionResults.filter(test => test.status === 'failed').length + notRun.length;
    if (broken) {
      failed += 1;
      failures.push(`${file.name}\n${file.message || suiteErrors(output, file.name)}`);
    }
    if (notRun.length > 0) failures.push(`${file.name}: did not run\n  ${notRun.join('\n  ')}`);
  }
  return { passed, failed, failures, skips };
}

/** What vitest printed about a file whose set-up failed; its JSON says nothing of that. */
function suiteErrors(output: string, file: string): string {
  const blocks = output.split(/\n(?= FAIL )/).filter(block => block.startsWith(' FAIL '));
  const own = blocks.filter(block =>
    file.endsWith(
      block
        .split('\n')[0]
        ?.split(' ')
        .find(word => word.endsWith('.ts')) ?? file,
    ),
  );
  return (
    own.map(block => block.split('\n⎯⎯')[0]?.trimEnd() ?? '').join('\n') ||
    'the file failed outside its tests'
  );
}

/** Stack frames of vitest itself tell nothing about the failure. */
const RUNNER_FRAME = /^\s+at .*(node_modules\/vitest\/|node:internal\/)|^\s+at new Promise \(<anonymous>\)/;

function describe(file: string, test: Assertion): string {
  const messages = (test.failureMessages ?? [])
    .join('\n')
    .split('\n')
    .filter(line => !RUNNER_FRAME.test(line));
  return `${file}\n  ${test.fullName}\n${messages.join('\n')}`;
}

function allowed(test: Assertion, lane: VitestLane, context: Pick<LaneContext, 'strict'>): boolean {
  if (context.strict) return false;
  return (lane.maySkip ?? []).some(feature => test.fullName.includes(`[needs ${feature}]`));
}

const tail = (output: string): string => output.trimEnd().split('\n').slice(-60).join('\n');
