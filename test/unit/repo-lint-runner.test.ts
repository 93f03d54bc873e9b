import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leftovers, RUN_ID, snapshot } from '../../scripts/lanes/leftovers.ts';
import { judge, type Report } from '../../scripts/lanes/vitest-lane.ts';

const LANE = { project: 'netns', timeoutMs: 1000, maySkip: ['tcx'] };

function report(status: string, ...tests: readonly (readonly [name: string, status: string])[]): Report {
  const assertionResults = tests.map(([fullName, result]) => ({
    fullName,
    status: result,
    failureMessages: [],
  }));
  return { testResults: [{ name: '/x/a.test.ts', status, message: '', assertionResults }] };
}

describe('counting', () => {
  it('counts passed and failed tests', () => {
    const found = judge(report('failed', ['one', 'passed'], ['two', 'failed']), LANE, { strict: false }, '');
    expect(found).toMatchObject({ passed: 1, failed: 1, skips: [] });
  });

  it('lets a test be skipped only for a feature the lane names, and never in CI', () => {
    const both = report('passed', ['a [needs tcx]', 'pending'], ['b', 'pending']);
    expect(judge(both, LANE, { strict: false }, '')).toMatchObject({ failed: 1, skips: ['a [needs tcx]'] });
    expect(judge(both, LANE, { strict: true }, '')).toMatchObject({ failed: 2, skips: [] });
  });

  it('counts a file that cannot be set up, its tests, and says why', () => {
    const output = 'x\n FAIL  |netns| x/a.test.ts > group\nError: no engine\n\n⎯⎯⎯[1/1]⎯';
    const found = judge(report('failed', ['one', 'pending']), LANE, { strict: false }, output);
    expect(found).toMatchObject({ passed: 0, failed: 2 });
    expect(found.failures.join('\n')).toContain('Error: no engine');
    expect(found.failures.join('\n')).toContain('did not run\n  one');
  });
});

describe('leftovers', () => {
  it('finds a folder and a process of the run, and nothing else', async () => {
    const tempDir = mkdtempSync(join(tmpdir(), 'leftovers-'));
    const run = { id: `test-${process.pid}`, tempDir };
    const before = await snapshot(tempDir);
    // A pid that is certainly gone: one of a process that has ended.
    const gone = spawnSync('true').pid;
    mkdirSync(join(tempDir, `tsome-${gone}-x`));
    mkdirSync(join(tempDir, 'cache'));
    const child = spawn('sleep', ['60'], { env: { ...process.env, [RUN_ID]: run.id }, stdio: 'ignore' });
    const left = await leftovers(before, run, 0);
    child.kill('SIGKILL');
    rmSync(tempDir, { recursive: true });
    expect(left.filter(item => item.includes(tempDir))).toEqual([`folder ${tempDir}/tsome-${gone}-x`]);
    expect(left.filter(item => item.startsWith('process'))).toEqual([`process ${child.pid} sleep 60`]);
  });
});
