/**
 * Private network namespaces, each held by a process of ours: nothing is named in /run/netns, and the
 * kernel removes everything inside when the holder ends, even if the benchmark is killed.
 */
import { type Background, run, start } from './commands.ts';

const READY = 'namespace ready';

export interface Namespace {
  /** `/proc/<pid>/ns/net` of the holder: what Docker calls a SandboxKey. */
  readonly path: string;
  readonly pid: number;
  /** `argv` prefixed so that it runs inside. */
  inside(argv: readonly string[]): readonly string[];
  close(): Promise<void>;
}

/** A network namespace with loopback up, for a container's side. */
export async function openNamespace(): Promise<Namespace> {
  const holder = await hold(['--net'], 'ip link set lo up');
  return namespaceOf(holder, ['--net']);
}

/**
 * A network and mount namespace with a /sys of its own, for a daemon: its bpffs, and with it every
 * pin, is gone when the holder is.
 */
export async function openHostNamespace(): Promise<Namespace> {
  const setUp = 'mount -t sysfs sysfs /sys && ip link set lo up';
  const holder = await hold(['--net', '--mount', '--propagation', 'private'], setUp);
  return namespaceOf(holder, ['--net', '--mount']);
}

async function hold(unshare: readonly string[], setUp: string): Promise<Background> {
  const script = `${setUp} && echo '${READY}' && exec sleep infinity`;
  const holder = start(['setpriv', '--pdeathsig', 'KILL', 'unshare', ...unshare, 'sh', '-c', script]);
  await holder.until(READY, 10_000);
  return holder;
}

function namespaceOf(holder: Background, enter: readonly string[]): Namespace {
  return {
    path: `/proc/${holder.pid}/ns/net`,
    pid: holder.pid,
    inside: argv => ['nsenter', '--target', String(holder.pid), ...enter, ...argv],
    close: () => holder.stop('SIGKILL'),
  };
}

/** Runs a batch of `ip` commands inside a namespace with one process. */
export async function ipBatch(namespace: Namespace, commands: readonly string[]): Promise<void> {
  if (commands.length === 0) return;
  await run(namespace.inside(['ip', '-batch', '-']), { input: `${commands.join('\n')}\n` });
}
