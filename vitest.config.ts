/**
 * One vitest project per test lane. `npm test` runs them through scripts/test.ts; by hand:
 * `node_modules/.bin/vitest run --project unit`, or with a file name instead of a project.
 */
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';

interface Lane {
  readonly include: string[];
  readonly exclude?: string[];
  /** Longest a single test may take, milliseconds. */
  readonly testTimeoutMs: number;
  /** Longest a set-up or tear-down may take, milliseconds. */
  readonly hookTimeoutMs: number;
  /** Files of this lane may run beside each other. */
  readonly parallel: boolean;
}

const LINT_TESTS = 'test/unit/repo-lint*.test.ts';

const LANES: Readonly<Record<string, Lane>> = {
  lint: { include: [LINT_TESTS], testTimeoutMs: 60_000, hookTimeoutMs: 60_000, parallel: true },
  unit: {
    include: ['test/unit/**/*.test.ts'],
    exclude: [LINT_TESTS],
    testTimeoutMs: 20_000,
    hookTimeoutMs: 20_000,
    parallel: true,
  },
  contract: {
    include: ['test/contract/**/*.test.ts'],
    testTimeoutMs: 20_000,
    hookTimeoutMs: 20_000,
    parallel: true,
  },
  sim: { include: ['test/sim/**/*.test.ts'], testTimeoutMs: 60_000, hookTimeoutMs: 20_000, parallel: true },
  // The lanes below share the kernel: one file at a time.
  netns: { include: ['test/**/*.netns.ts'], testTimeoutMs: 60_000, hookTimeoutMs: 60_000, parallel: false },
  docker: {
    include: ['test/**/*.docker.ts'],
    testTimeoutMs: 120_000,
    hookTimeoutMs: 120_000,
    parallel: false,
  },
  // Emulated: a step has its own limit (test/vm/guest.ts), which grows with the machine's load. A guest
  // has one CPU and a kernel of its own, so two files run at once.
  vm: { include: ['test/**/*.vm.ts'], testTimeoutMs: 900_000, hookTimeoutMs: 900_000, parallel: true },
  // Run by tests of the vm lane, inside a guest.
  guest: {
    include: ['test/**/*.guest.ts'],
    testTimeoutMs: 60_000,
    hookTimeoutMs: 60_000,
    parallel: false,
  },
};

function project([name, lane]: [string, Lane]): TestProjectConfiguration {
  return {
    test: {
      name,
      include: lane.include,
      exclude: ['**/node_modules/**', '**/dist/**', ...(lane.exclude ?? [])],
      environment: 'node',
      pool: 'forks',
      fileParallelism: lane.parallel,
      testTimeout: lane.testTimeoutMs,
      hookTimeout: lane.hookTimeoutMs,
    },
  };
}

export default defineConfig({
  test: { projects: Object.entries(LANES).map(project), maxWorkers: 2, passWithNoTests: false },
});
