/**
 * A private, real Docker engine: Debian's dockerd inside a lab host. It looks for plugins in
 * /run/docker/plugins of its mount namespace, which is the host's own.
 */
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DockerClient } from './docker-client.ts';
import { type ExecResult, exec, tryExec, waitUntil } from './exec.ts';
import { type Host, type HostProcess, startInHost } from './host.ts';
import type { Scope } from './scope.ts';

export interface DockerdOptions {
  /** Containers keep running while dockerd is away. Default false. */
  readonly liveRestore?: boolean;
  /** More arguments for dockerd, e.g. `--bip=172.31.0.1/16`. */
  readonly args?: readonly string[];
}

/** Loading its state and the first contact with containerd may take this long on a busy machine. */
const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;

export class Dockerd {
  readonly host: Host;
  readonly socket: string;
  readonly logFile: string;
  readonly client: DockerClient;
  readonly #options: DockerdOptions;
  #process: HostProcess | null = null;

  constructor(host: Host, options: DockerdOptions) {
    this.host = host;
    this.socket = join(host.dir, 'docker.sock');
    this.logFile = join(host.dir, 'dockerd.log');
    this.client = new DockerClient(this.socket);
    this.#options = options;
  }

  /** Pid as seen from outside; throws when it does not run. */
  get pid(): number {
    if (!this.#process?.running) throw new Error('dockerd does not run');
    return this.#process.pid;
  }

  /** Starts dockerd and waits until its API answers. */
  async start(): Promise<void> {
    const log = openSync(this.logFile, 'a');
    try {
      this.#process = await startInHost(this.host, ['dockerd', ...this.#arguments()], log);
    } finally {
      closeSync(log);
    }
    const { client } = this;
    await waitUntil(
      'dockerd',
      () => {
        if (!this.#process?.running) throw new Error(`dockerd ended at start:\n${this.log(40)}`);
        return client.ping();
      },
      { timeoutMs: READY_TIMEOUT_MS },
    );
  }

  #arguments(): readonly string[] {
    const { cgroup, dir } = this.host;
    return [
      ...['--host', `unix://${this.socket}`, '--data-root', join(dir, 'data')],
      ...['--pidfile', join(dir, 'dockerd.pid'), '--cgroup-parent', cgroup],
      // systemd's driver would tell systemd pids of our pid namespace, which mean others outside.
      ...['--exec-opt', 'native.cgroupdriver=cgroupfs'],
      // A leftover of the packaged configuration must not change what is tested.
      ...['--config-file', join(dir, 'daemon.json')],
      ...(this.#options.liveRestore ? ['--live-restore'] : []),
      ...(this.#options.args ?? []),
    ];
  }

  /** SIGTERM, as a package upgrade does; containers stop unless live-restore is on. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** SIGKILL: no shutdown work at all. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const current = this.#process;
    if (!current) return;
    current.signal(signal);
    await waitUntil('dockerd to end', () => !current.running, { timeoutMs: STOP_TIMEOUT_MS });
    this.#process = null;
  }

  /** The `docker` command against this engine; any exit code. */
  tryCli(args: readonly string[], timeoutMs = 60_000): Promise<ExecResult> {
    return tryExec(['docker', '--host', `unix://${this.socket}`, ...args], { timeoutMs });
  }

  /** The `docker` command against this engine; its standard output, trimmed. Rejects on failure. */
  async cli(...args: readonly string[]): Promise<string> {
    const result = await exec(['docker', '--host', `unix://${this.socket}`, ...args], { timeoutMs: 60_000 });
    return result.stdout.trim();
  }

  /** Last lines of dockerd's log. */
  log(lines = 200): string {
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }
}

/** Starts an engine in `host`; it ends with the host. */
export async function startDockerd(scope: Scope, host: Host, options: DockerdOptions = {}): Promise<Dockerd> {
  const data = join(host.dir, 'data');
  mkdirSync(data, { recursive: true });
  // In memory: quick, gone with the host, and overlay2 works whatever the machine's own disk is.
  await host.exec(['mount', '-t', 'tmpfs', '-o', 'mode=0711', 'tmpfs', data]);
  await host.exec(['sh', '-c', `echo '{}' > "$1"`, 'sh', join(host.dir, 'daemon.json')]);
  const dockerd = new Dockerd(host, options);
  scope.defer(() => dockerd.kill());
  await dockerd.start();
  return dockerd;
}
