/**
 * A host of the lab: network, mount and pid namespaces of its own, as much of a separate machine as one
 * kernel gives. /run/docker, /sys/fs/bpf and the plugin folder are private; when the host ends, every
 * process in it, every mount and every eBPF pin ends with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { ended, start, waitUntil } from './exec.ts';
import { Netns, onlyChildOf } from './netns.ts';
import type { Scope } from './scope.ts';

export interface HostOptions {
  /** Mount a bpffs on /sys/fs/bpf, as systemd does. Default true. */
  readonly bpffs?: boolean;
}

export interface Host extends Netns {
  /** Folder for sockets, logs and state, visible inside and outside. */
  readonly dir: string;
  /** cgroup path (below each controller) for what runs in the host. */
  readonly cgroup: string;
}

const CGROUP_ROOT = '/sys/fs/cgroup';

/**
 * The first process of the host. sysfs is mounted anew because its /sys/class/net belongs to the network
 * namespace it was mounted in; the cgroup mounts below it are carried over, dockerd needs them. The loop
 * reaps orphans (a container's shims are adopted by process 1).
 */
const INIT = `
set -e
cgroups=$1/cgroup; mkdir -p "$cgroups"
mount --rbind ${CGROUP_ROOT} "$cgroups"
mount -t sysfs sysfs /sys
mount --rbind "$cgroups" ${CGROUP_ROOT}
umount -l "$cgroups"
[ "$2" = bpffs ] && mount -t bpf bpf /sys/fs/bpf
mkdir -p /run/docker /run/eswitchd
mount -t tmpfs tmpfs /run/docker
mount -t tmpfs tmpfs /run/eswitchd
mkdir -p /run/docker/plugins
ip link set lo up
: > "$1/ready"
trap : TERM INT HUP
while :; do sleep 3600 & wait $! || :; done
`;

export async function makeHost(scope: Scope, name: string, options: HostOptions = {}): Promise<Host> {
  const dir = scope.tempDir(name);
  const cgroup = `/${scope.prefix}-${name}`;
  const stderr: Buffer[] = [];
  const unshare = start(
    [
      ...(['unshare', '--net', '--mount', '--propagation', 'private', '--pid', '--mount-proc'] as const),
      ...['--fork', '--kill-child=KILL', '--', 'sh', '-c', INIT, 'sh', dir],
      options.bpffs === false ? 'none' : 'bpffs',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  unshare.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  scope.defer(() => endHost(unshare, cgroup));
  const pid = await onlyChildOf(unshare, `host ${name}`);
  await waitUntil(`host ${name}`, () => {
    if (unshare.exitCode !== null) throw new Error(`host ${name}: ${Buffer.concat(stderr).toString('utf8')}`);
    return readdirSync(dir).includes('ready');
  });
  const netns = new Netns(`${scope.prefix}-${name}`, pid, ['net', 'mount', 'pid']);
  return Object.assign(netns, { dir, cgroup });
}

/** Kills process 1 of the host, which takes all others along, then removes what outlives processes. */
async function endHost(unshare: ChildProcess, cgroup: string): Promise<void> {
  unshare.kill('SIGKILL');
  await ended(unshare);
  await waitUntil(`cgroup ${cgroup} to be empty`, () => removeCgroups(cgroup), { everyMs: 20 });
}

/** True when no controller has the cgroup any more. */
function removeCgroups(cgroup: string): boolean {
  const roots = [CGROUP_ROOT, ...subfolders(CGROUP_ROOT)];
  return roots.map(root => removeTree(join(root, cgroup))).every(Boolean);
}

function removeTree(folder: string): boolean {
  for (const child of subfolders(folder)) removeTree(child);
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function subfolders(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter(entry => entry.isDirectory()).map(entry => join(folder, entry.name));
  } catch {
    return [];
  }
}

/** A process started inside a host, with its pid as seen from outside. */
export class HostProcess {
  readonly #outer: ChildProcess;
  readonly pid: number;

  constructor(outer: ChildProcess, pid: number) {
    this.#outer = outer;
    this.pid = pid;
  }

  get running(): boolean {
    return this.#outer.exitCode === null && this.#outer.signalCode === null;
  }

  /** Exit code once it has ended, null before and after a signal. */
  get exitCode(): number | null {
    return this.#outer.exitCode;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) process.kill(this.pid, signal);
  }

  ended(): Promise<void> {
    return ended(this.#outer);
  }
}

/** Starts `command` in `host`; both outputs are appended to the file descriptor `log`. */
export async function startInHost(
  host: Host,
  command: readonly [string, ...string[]],
  log: number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<HostProcess> {
  mkdirSync(host.dir, { recursive: true });
  const [file, ...args] = host.enter(command);
  const outer = spawn(file, args, { stdio: ['ignore', log, log], env, cwd: '/' });
  await new Promise<void>((resolve, reject) => outer.once('spawn', resolve).once('error', reject));
  return new HostProcess(outer, await onlyChildOf(outer, command[0]));
}
