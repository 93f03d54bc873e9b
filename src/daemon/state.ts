/** How the daemon is, as one word and a reason. */
import { errnoName } from '../lib/errno.ts';
import { EswError } from '../lib/errors.ts';
import type { DaemonFacts } from '../observe/sources.ts';
import type { Failure } from '../reconcile/port.ts';

/** What every port needs: while one of these is refused, no endpoint can work. */
const SHARED: ReadonlySet<string> = new Set(['programs', 'nft-table']);

export interface StateInputs {
  /** Why the store or the kernel part is not there; null when both are. */
  readonly problem: EswError | null;
  /** The first attempt to bring the kernel part up has not ended. */
  readonly isStarting: boolean;
  readonly failures: readonly Failure[];
}

export function daemonState({
  problem,
  isStarting,
  failures,
}: StateInputs): ReturnType<DaemonFacts['state']> {
  if (isStarting) return { state: 'starting', problem: null };
  if (problem !== null) return { state: 'degraded', problem };
  const shared = failures.find(failure => SHARED.has(failure.key));
  if (shared === undefined) return { state: 'ready', problem: null };
  const words = shared.extack === '' ? errnoName(shared.errno) : shared.extack;
  return {
    state: 'degraded',
    problem: new EswError('ESW_ERR_KERNEL_REFUSED', `the kernel refused ${shared.key}: ${words}`),
  };
}
