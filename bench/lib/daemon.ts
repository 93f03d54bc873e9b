/** The real daemon (src/daemon/main.ts) as a process, inside a host namespace of its own. */
import { readFileSync, statfsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, waitUntil } from '../../test/lab/exec.ts';
import type { Netns } from '../../test/lab/netns.ts';
import type { Scope } from '../../test/lab/scope.ts';
import { Background } from './background.ts';
import { BenchError } from './bench-error.ts';
import { field, UnixHttp } from './unix-http.ts';

const DAEMON_MAIN = fileURLToPath(new URL('../../src/daemon/main.ts', import.meta.url));
/** The store's directory must be on a real disk: a commit costs an fsync, and /tmp may be memory. */
const STATE_PARENT = '/var/tmp';
const START_TIMEOUT_MS = 60_000;
const OUTPUT_SHOWN = 2000;

export class BenchDaemon {
  readonly pluginSocket: string;
  /** Where it pins its tcx links, in its own mount namespace. */
  readonly linkPins: string;
  readonly #directory: string;
  readonly #command: Command;
  readonly #api: UnixHttp;
  #process: Background | null = null;

  private constructor(namespace: Netns, directory: string, instance: string) {
    this.#directory = directory;
    this.pluginSocket = join(directory, 'eswitch.sock');
    this.linkPins = join(directory, 'run', 'bpf', instance, 'v1', 'links');
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
    this.#command = namespace.enter([process.execPath, DAEMON_MAIN, ...Object.entries(flags).flat()]);
  }

  /** Makes the directories; the daemon is not started yet. The scope stops it and removes them. */
  static async prepare(scope: Scope, namespace: Netns, instance: string): Promise<BenchDaemon> {
    const directory = await mkdtemp(join(STATE_PARENT, 'esw-bench-'));
    await Promise.all(['state', 'run'].map(name => mkdir(join(directory, name))));
    const daemon = new BenchDaemon(namespace, directory, instance);
    scope.defer(() => daemon.#close());
    return daemon;
  }

  /** Starts it and waits for its first full round; returns how long that took, milliseconds. */
  async start(): Promise<number> {
    const startedMs = performance.now();
    const running = new Background(this.#command);
    this.#process = running;
    try {
      await waitUntil("the daemon's first round", () => running.exited || this.#ready(), {
        timeoutMs: START_TIMEOUT_MS,
        everyMs: 5,
      });
    } catch (error) {
      throw new BenchError(`${(error as Error).message}; it wrote: ${running.output.slice(-OUTPUT_SHOWN)}`);
    }
    if (running.exited)
      throw new BenchError(`the daemon ended at start: ${running.output.slice(-OUTPUT_SHOWN)}`);
    return performance.now() - startedMs;
  }

  /** Asks what costs the daemon least: a full status would slow down the start that is measured. */
  async #ready(): Promise<boolean> {
    const reply = await this.#api.call('GET', '/healthz').catch(() => null);
    return field(reply?.body, 'status') === 'ready';
  }

  /** Runs `body`; when it fails, what the daemon last wrote is added to the reason. */
  async explain<T>(body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      const wrote = this.#process?.output.slice(-OUTPUT_SHOWN) || 'nothing';
      throw new BenchError(`${(error as Error).message}\nThe daemon wrote: ${wrote}`, { cause: error });
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

  async #close(): Promise<void> {
    await this.stop('SIGTERM');
    await rm(this.#directory, { recursive: true, force: true });
  }
}
