/**
 * All lanes, in stages. Two cores: the guests of the vm lane, two at a time, run beside lint, native and the
 * pure lanes; the lanes that measure time or share the host's kernel run alone.
 */
import type { Lane, LaneContext } from './lane.ts';
import { runLint } from './lint-lane.ts';
import { runNative } from './native-lane.ts';
import { runVitest, type VitestLane } from './vitest-lane.ts';

const MINUTE_MS = 60_000;
const vitest = (lane: VitestLane) => (context: LaneContext) => runVitest(lane, context);

/** The native library acts on the namespaces of its process: the whole lane gets its own. */
const NETNS: VitestLane = {
  project: 'netns',
  timeoutMs: 10 * MINUTE_MS,
  within: ['unshare', '--net', '--mount', '--propagation', 'private', '--'],
  env: { ESW_NETNS: 'private' },
};

export const LANES: readonly Lane[] = [
  { name: 'lint', stage: 0, track: 0, run: runLint },
  { name: 'native', stage: 0, track: 0, run: runNative },
  { name: 'unit', stage: 0, track: 0, run: vitest({ project: 'unit', timeoutMs: 5 * MINUTE_MS }) },
  {
    name: 'contract',
    stage: 0,
    track: 0,
    run: vitest({ project: 'contract', timeoutMs: 5 * MINUTE_MS, mayBeEmpty: true }),
  },
  { name: 'sim', stage: 0, track: 0, run: vitest({ project: 'sim', timeoutMs: 5 * MINUTE_MS }) },
  { name: 'vm', stage: 0, track: 1, run: vitest({ project: 'vm', timeoutMs: 45 * MINUTE_MS }) },
  { name: 'netns', stage: 1, track: 0, run: vitest(NETNS) },
  { name: 'docker', stage: 2, track: 0, run: vitest({ project: 'docker', timeoutMs: 15 * MINUTE_MS }) },
];
