/**
 * Which hook the ports are on. The daemon attaches through clsact at once and moves ports to tcx, oldest
 * first, when nothing has changed for some seconds; traffic is measured after that.
 */
import { sleep } from '../../test/lab/exec.ts';
import type { Netns } from '../../test/lab/netns.ts';

const SETTLED_WITHIN_MS = 30_000;
const POLL_MS = 200;

/**
 * Waits until at least `ports` tcx links are pinned in `directory` of the daemon's namespace; `clsact`
 * when that does not happen, as on a kernel without tcx.
 */
export async function settledHookMode(
  namespace: Netns,
  directory: string,
  ports: number,
): Promise<'tcx' | 'clsact'> {
  const deadlineMs = performance.now() + SETTLED_WITHIN_MS;
  while (performance.now() < deadlineMs) {
    const { stdout } = await namespace.tryExec(['ls', directory]);
    if (stdout.split('\n').filter(name => name !== '').length >= ports) return 'tcx';
    await sleep(POLL_MS);
  }
  return 'clsact';
}
