/** Time limits of guests on a busy machine. */
import { availableParallelism, loadavg } from 'node:os';

const FACTOR_MAX = 5;

/**
 * By how much to stretch a time limit that was chosen for a machine with a core to spare: what waits for a
 * core is late, not wrong. 1 where the load is no more than one and a half per core.
 */
export function patience(): number {
  const [lastMinute = 0] = loadavg();
  return Math.min(FACTOR_MAX, Math.max(1, lastMinute / availableParallelism() / 1.5));
}
