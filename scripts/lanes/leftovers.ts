/**
 * What a test run must not leave behind: namespaces, links, mounts, nftables tables, cgroups, pins,
 * temporary folders, processes and changed sysctls. A snapshot before and one after are compared; the
 * difference is left over.
 */
import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run as runCommand } from '../process.ts';

/** Every process of a run inherits this, however far it detaches itself. (The daemon owns `ESWITCHD_*`.) */
export const RUN_ID = 'ESW_TEST_RUN';

/** Names that tests give (`t<what>-<pid>`), and those of the daemon's default identity. */
const TEST_NAME = /^(t[a-z0-9]*-\d+|ew[rfgh][0-9a-f]{10}|eswitchd)/;
/** Settings of the machine's own network that the product changes in the namespace it runs in. */
const SYSCTLS = ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding'];
const CGROUP_ROOT = '/sys/fs/cgroup';

export interface Run {
  readonly id: string;
  readonly tempDir: string;
}

export type Snapshot = ReadonlySet<string>;

/** `tempDir`: where the tests of this run make their temporary folders. */
export async function snapshot(tempDir: string): Promise<Snapshot> {
  const found = new Set<string>();
  const add = (kind: string, names: readonly string[]): void => {
    for (const name of names) found.add(`${kind} ${name}`);
  };
  add('namespace', entries('/run/netns').filter(isTestName));
  add('link', (await lines(['ip', '-o', 'link', 'show'])).map(linkName).filter(isTestName));
  add(
    'nft',
    (await lines(['nft', 'list', 'tables'])).filter(line => isTestName(line.split(' ')[2] ?? '')),
  );
  add('pin', entries('/sys/fs/bpf').filter(isTestName));
  add(
    'sysctl',
    SYSCTLS.map(path => `${path}=${setting(path)}`),
  );
  add('mount', mounts());
  add(
    'folder',
    entries(tempDir)
      .filter(isTestName)
      .map(name => join(tempDir, name)),
  );
  add('cgroup', cgroups());
  return found;
}

/** Killed processes, and what goes with them, may take this long to vanish, milliseconds. */
const SETTLE_MS = 5000;

/** What is there now and was not before, plus processes of this run that still live. */
export async function leftovers(
  before: Snapshot,
  run: Run,
  settleMs = SETTLE_MS,
): Promise<readonly string[]> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    const left = await look(before, run);
    if (left.length === 0 || performance.now() > deadline) return left;
    await new Promise(resume => setTimeout(resume, 250));
  }
}

async function look(before: Snapshot, run: Run): Promise<readonly string[]> {
  const after = [...(await snapshot(run.tempDir))].filter(item => !before.has(item) && !hasLiveOwner(item));
  return [...after, ...processesOf(run.id)].sort();
}

const isTestName = (name: string): boolean => TEST_NAME.test(name);

/** Another run on the same machine: the pid in the name belongs to a process that still runs. */
function hasLiveOwner(item: string): boolean {
  return [...item.matchAll(/\bt[a-z0-9]*-(\d{2,7})/g)].some(match => alive(Number(match[1])));
}

/** A sysctl's value, "" where the kernel has none (IPv6 turned off). */
function setting(path: string): string {
  try {
    return readFileSync(join('/proc/sys', path), 'utf8').trim();
  } catch {
    return '';
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

async function lines(command: readonly [string, ...string[]]): Promise<string[]> {
  const { code, output } = await runCommand(command, { timeoutMs: 20_000 });
  return code === 0 ? output.split('\n').filter(line => line !== '') : [];
}

const linkName = (line: string): string => (line.split(': ')[1] ?? '').split('@')[0] ?? '';

function mounts(): string[] {
  const points = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  return points.map(line => line.split(' ')[4] ?? '').filter(point => point.split('/').some(isTestName));
}

function cgroups(): string[] {
  const found: string[] = [];
  for (const controller of ['', ...entries(CGROUP_ROOT)]) {
    const folder = join(CGROUP_ROOT, controller);
    const names = folders(folder).filter(isTestName);
    found.push(...names.map(name => join(folder, name)));
  }
  return found;
}

function folders(folder: string): string[] {
  try {
    const all: Dirent[] = readdirSync(folder, { withFileTypes: true });
    return all.filter(entry => entry.isDirectory()).map(entry => entry.name);
  } catch {
    return [];
  }
}

function processesOf(runId: string): string[] {
  const mark = `${RUN_ID}=${runId}`;
  const found: string[] = [];
  for (const pid of entries('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      if (!environment.includes(mark)) continue;
      found.push(
        `process ${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()}`,
      );
    } catch {
      // The process ended while we looked.
    }
  }
  return found;
}
