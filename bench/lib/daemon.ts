/** The real daemon (src/daemon/main.ts) as a process, inside a host namespace of its own. */
import { readFileSync, statfsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BenchError } from './bench-error.ts';
import { type Background, start, waitFor } from './commands.ts';
import type { Namespace } from './namespace.ts';
import { field, UnixHttp } from './unix-http.ts';

const MAIN = fileURLToPath(new URL('../../src/daemon/main.ts', import.meta.url));
/** The store's directory must be on a real disk: a commit costs an fsync, and /tmp may be memory. */
const STATE_PARENT = '/var/tmp';
const START_TIMEOUT_MS = 60_000;

export class BenchDaemon {
  readonly pluginSocket: string;
  readonly #directory: string;
  readonly #argv: readonly string[];
  readonly #api: UnixHttp;
  #process: Background | null = null;

  private constructor(namespace: Namespace, directory: string, instance: string) {
    this.#directory = directory;
    this.pluginSocket = join(directory, 'eswitch.sock');
    const apiSocket = join(directory, 'run', 'api.sock');
    this.#api = new UnixHttp(apiSocket);
    const flags = {
      '--instance': instance,
      '--link-prefix': 'eb',
      '--state-dir': join(directory, 'state'),
      '--run-dir': join(directory, 'run'),
      '--plugin-socket': this.pluginSocket,
      '--api-socket': apiSocket,
      '--log-level': 'warn',
    };
    const daemon = [process.execPath, MAIN, ...Object.entries(flags).flat()];
    this.#argv = namespace.inside(['setpriv', '--pdeathsig', 'KILL', ...daemon]);
  }

  /** Makes the directories; the daemon is not started yet. */
  static async prepare(namespace: Namespace, instance: string): Promise<BenchDaemon> {
    const directory = await mkdtemp(join(STATE_PARENT, 'esw-bench-'));
    await Promise.all(['state', 'run'].map(name => mkdir(join(directory, name))));
    return new BenchDaemon(namespace, directory, instance);
  }

  /** Starts it and waits for its first full round; returns how long that took, milliseconds. */
  async start(): Promise<number> {
    const startedMs = performance.now();
    const running = start(this.#argv);
    this.#process = running;
    try {
      await waitFor(() => running.exited || this.#ready(), START_TIMEOUT_MS, "the daemon's first round");
    } catch (error) {
      throw new BenchError(`${(error as Error).message}; it wrote: ${running.output().slice(-800)}`);
    }
    if (running.exited) throw new BenchError(`the daemon ended at start: ${running.output().slice(-800)}`);
    return performance.now() - startedMs;
  }

  async #ready(): Promise<boolean> {
    try {
      return field(await this.status(), 'reconcile', 'lastRound') !== null;
    } catch {
      return false;
    }
  }

  /** GET /v1/status. */
  async status(): Promise<unknown> {
    const reply = await this.#api.call('GET', '/v1/status');
    if (reply.status !== 200) throw new BenchError(`GET /v1/status: status ${reply.status}`);
    return reply.body;
  }

  /** Resident set, MiB (VmRSS of proc_pid_status(5)). */
  residentMib(): number {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'));
    return Number(line?.[1]) / 1024;
  }

  get pid(): number {
    if (this.#process === null) throw new BenchError('the daemon is not running');
    return this.#process.pid;
  }

  /** Ends the process; kernel state and the store stay. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    await this.#process?.stop(signal);
    this.#process = null;
  }

  /** Name of the file system that commits go to, for the environment. */
  get stateFileSystem(): string {
    const known: Record<number, string> = { 0xef53: 'ext4', 0x58465342: 'xfs', 0x9123683e: 'btrfs' };
    const type = statfsSync(this.#directory).type;
    return known[type] ?? `type 0x${type.toString(16)}`;
  }

  /** Stops it and removes its directory. */
  async close(): Promise<void> {
    await this.stop('SIGTERM');
    this.#api.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
