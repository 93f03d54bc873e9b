/**
 * `npm test`: runs the lanes, prints one line for each and the failures in full, checks that nothing was
 * left behind, and ends with `N passed, N failed`.
 *
 *   npm test                        all lanes
 *   npm test -- --lane unit,sim     these lanes
 *   npm test -- --lane netns port   only files of these lanes whose name contains "port"
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { failure, type Lane, type LaneContext, type LaneResult } from './lanes/lane.ts';
import { leftovers, RUN_ID, snapshot } from './lanes/leftovers.ts';
import { LANES } from './lanes/list.ts';
import { endAll } from './process.ts';

const HEARTBEAT_MS = 30_000;
const startedAt = performance.now();
const say = (text: string): void => {
  const elapsed = ((performance.now() - startedAt) / 1000).toFixed(0).padStart(5);
  console.log(`[${elapsed} s] ${text}`);
};

function chooseLanes(names: readonly string[]): readonly Lane[] {
  const unknown = names.filter(name => !LANES.some(lane => lane.name === name));
  if (unknown.length > 0) {
    console.error(
      `unknown lane ${unknown.join(', ')}; there are: ${LANES.map(lane => lane.name).join(', ')}`,
    );
    process.exit(2);
  }
  return names.length === 0 ? LANES : LANES.filter(lane => names.includes(lane.name));
}

async function runLane(lane: Lane, context: LaneContext): Promise<LaneResult> {
  const began = performance.now();
  const seconds = (): string => `${((performance.now() - began) / 1000).toFixed(1)} s`;
  say(`${lane.name}: started`);
  const heartbeat = setInterval(() => say(`${lane.name}: still running (${seconds()})`), HEARTBEAT_MS);
  const result = await lane
    .run(context)
    .catch((error: unknown) =>
      failure(`${lane.name}: ${error instanceof Error ? error.stack : String(error)}`),
    );
  clearInterval(heartbeat);
  const skips = result.skips.length === 0 ? '' : `, ${result.skips.length} skipped for a missing feature`;
  say(`${lane.name}: passed ${result.passed}, failed ${result.failed}${skips} (${seconds()})`);
  for (const skip of result.skips) console.log(`  skipped: ${skip}`);
  for (const text of result.failures) console.log(`\n--- ${lane.name} ---\n${text}\n`);
  return result;
}

/** Stages one after the other; the tracks of a stage side by side; the lanes of a track in order. */
async function runAll(lanes: readonly Lane[], context: LaneContext): Promise<LaneResult[]> {
  const results: LaneResult[] = [];
  for (const stage of [...new Set(lanes.map(lane => lane.stage))].sort()) {
    const here = lanes.filter(lane => lane.stage === stage);
    const tracks = [...new Set(here.map(lane => lane.track))];
    await Promise.all(
      tracks.map(async track => {
        for (const lane of here.filter(other => other.track === track)) {
          if (interrupted) return;
          results.push(await runLane(lane, context));
        }
      }),
    );
  }
  return results;
}

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted = true;
    say(`${signal}: ending the lanes`);
    void endAll();
  });
}

const { values, positionals } = parseArgs({
  options: { lane: { type: 'string', multiple: true } },
  allowPositionals: true,
});
const lanes = chooseLanes((values.lane ?? []).flatMap(names => names.split(',')));
const logDir = mkdtempSync(join(tmpdir(), 'npm-test-'));
// The tests' own temporary folder: short, because unix sockets live there, and empty at the end.
const run = { id: `${process.pid}-${Date.now()}`, tempDir: join(logDir, 't') };
mkdirSync(run.tempDir);
const context: LaneContext = {
  logDir,
  env: { ...process.env, [RUN_ID]: run.id, TMPDIR: run.tempDir, ESW_TEST_LOGS: logDir },
  strict: process.env['CI'] === 'true',
  filters: positionals,
};
say(`lanes: ${lanes.map(lane => lane.name).join(' ')}; logs in ${context.logDir}`);
const before = await snapshot(run.tempDir);
const results = await runAll(lanes, context);
// A run cut short cannot tidy its folder: what was mounted or bound there ended with its processes.
if (interrupted) rmSync(run.tempDir, { recursive: true, force: true });
const left = await leftovers(before, run);
if (left.length > 0) say(`left behind:\n  ${left.join('\n  ')}`);
const passed = results.reduce((total, result) => total + result.passed, 0);
const failed =
  results.reduce((total, result) => total + result.failed, 0) +
  (left.length > 0 ? 1 : 0) +
  (interrupted ? 1 : 0);
if (failed === 0) rmSync(context.logDir, { recursive: true, force: true });
else say(`logs kept in ${context.logDir}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
