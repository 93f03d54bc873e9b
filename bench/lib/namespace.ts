/** Namespaces of the benchmarks beyond the lab's: one for a daemon, and batches of ip(8) commands. */

import { waitUntil } from '../../test/lab/exec.ts';
import { Netns } from '../../test/lab/netns.ts';
import type { Scope } from '../../test/lab/scope.ts';
import { Background } from './background.ts';
import { BenchError } from './bench-error.ts';

const READY = 'namespace ready';

/**
 * A network and mount namespace with a /sys of its own, for a daemon: its bpffs, and with it every
 * pin, is gone when the holder is.
 */
export async function makeHostNetns(scope: Scope, name: string): Promise<Netns> {
  const script = `mount -t sysfs sysfs /sys && ip link set lo up && echo '${READY}' && exec sleep infinity`;
  const kinds = ['net', 'mount'];
  const unshare = [...kinds.map(kind => `--${kind}`), '--propagation=private'];
  const holder = new Background(['unshare', ...unshare, 'sh', '-c', script]);
  scope.defer(() => holder.stop('SIGKILL'));
  await waitUntil(`namespace ${name}`, () => holder.exited || holder.output.includes(READY), { everyMs: 5 });
  if (holder.exited) throw new BenchError(`namespace ${name}: ${holder.output}`);
  return new Netns(`${scope.prefix}-${name}`, holder.pid, kinds);
}

/** Runs a batch of `ip` commands inside a namespace with one process. */
export async function ipBatch(namespace: Netns, commands: readonly string[]): Promise<void> {
  if (commands.length === 0) return;
  await namespace.exec(['ip', '-batch', '-'], { input: `${commands.join('\n')}\n` });
}
