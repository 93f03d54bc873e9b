/**
 * Network namespaces, held by a process each: when the process ends, for whatever reason, the kernel
 * takes the namespace and every link in it away. Nothing is written to /run/netns.
 */
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import {
  type Command,
  childrenOf,
  type ExecOptions,
  type ExecResult,
  ended,
  exec,
  output,
  start,
  tryExec,
  waitUntil,
} from './exec.ts';
import type { Scope } from './scope.ts';

/** A place to run commands in: at least a network namespace of its own. */
export class Netns {
  readonly name: string;
  /** Pid (in the caller's pid namespace) of a process inside. */
  readonly pid: number;
  readonly #enter: readonly string[];

  constructor(name: string, pid: number, kinds: readonly string[] = ['net']) {
    this.name = name;
    this.pid = pid;
    this.#enter = ['nsenter', `--target=${pid}`, ...kinds.map(kind => `--${kind}`), '--'];
  }

  /** Path of the network namespace, for `setns` and netlink. */
  get path(): string {
    return `/proc/${this.pid}/ns/net`;
  }

  /** The command as run from outside. */
  enter(command: Command): Command {
    return [...this.#enter, ...command] as unknown as Command;
  }

  exec(command: Command, options: ExecOptions = {}): Promise<ExecResult> {
    return exec(this.enter(command), options);
  }

  tryExec(command: Command, options: ExecOptions = {}): Promise<ExecResult> {
    return tryExec(this.enter(command), options);
  }

  output(command: Command, options: ExecOptions = {}): Promise<string> {
    return output(this.enter(command), options);
  }

  start(command: Command, options: SpawnOptions = {}): ChildProcess {
    return start(this.enter(command), options);
  }

  /** `ip …` inside. */
  async ip(...args: readonly string[]): Promise<string> {
    return this.output(['ip', ...args]);
  }

  /** `ip -json …` inside, parsed. */
  async ipJson<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse((await this.output(['ip', '-json', ...args])) || '[]') as T;
  }

  /** A sysctl by its path below /proc/sys, e.g. `net/ipv4/ip_forward`. */
  async sysctl(path: string, value: string | number): Promise<void> {
    await this.exec(['sh', '-c', 'printf %s "$1" > "/proc/sys/$2"', 'sh', String(value), path]);
  }
}

/** A new network namespace with `lo` up, gone with the scope. */
export async function makeNetns(scope: Scope, name: string): Promise<Netns> {
  const child = start(['unshare', '--net', '--', 'sleep', 'infinity']);
  scope.defer(async () => {
    child.kill('SIGKILL');
    await ended(child);
  });
  const pid = await heldBy(child, name);
  const ns = new Netns(`${scope.prefix}-${name}`, pid);
  await ns.ip('link', 'set', 'lo', 'up');
  return ns;
}

/** Waits until `child` has become `sleep` in a namespace other than ours. */
async function heldBy(child: ChildProcess, name: string): Promise<number> {
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name}: unshare did not start`);
  const { readlinkSync, readFileSync } = await import('node:fs');
  const own = readlinkSync('/proc/self/ns/net');
  await waitUntil(
    `namespace ${name}`,
    () => {
      if (child.exitCode !== null) throw new Error(`namespace ${name}: unshare ended with ${child.exitCode}`);
      return (
        readlinkSync(`/proc/${pid}/ns/net`) !== own && readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n'
      );
    },
    { everyMs: 5 },
  );
  return pid;
}

/** First process below `child`, as when `unshare --fork` or `nsenter --pid` stands in front. */
export async function onlyChildOf(child: ChildProcess, what: string): Promise<number> {
  return waitUntil(
    what,
    () => {
      if (child.exitCode !== null) throw new Error(`${what}: ended with ${child.exitCode}`);
      return child.pid === undefined ? null : (childrenOf(child.pid)[0] ?? null);
    },
    { everyMs: 10 },
  );
}

/** One end of a wire. */
export interface WireEnd {
  readonly ns: Netns;
  readonly link: string;
  /** Addresses with prefix length; IPv6 ones skip duplicate address detection. */
  readonly addresses?: readonly string[];
  readonly mtu?: number;
}

/** A veth pair between two namespaces, both ends up. */
export async function wire(a: WireEnd, b: WireEnd): Promise<void> {
  // Entered by network namespace only: the pid of the other side must mean the same as here.
  await exec([
    ...['nsenter', `--net=${a.ns.path}`, '--', 'ip', 'link', 'add', a.link, 'type', 'veth'],
    ...['peer', 'name', b.link, 'netns', String(b.ns.pid)],
  ] as unknown as Command);
  for (const end of [a, b]) {
    if (end.mtu !== undefined) await end.ns.ip('link', 'set', end.link, 'mtu', String(end.mtu));
    for (const address of end.addresses ?? []) {
      const nodad = address.includes(':') ? ['nodad'] : [];
      await end.ns.ip('address', 'add', address, 'dev', end.link, ...nodad);
    }
    await end.ns.ip('link', 'set', end.link, 'up');
  }
}
