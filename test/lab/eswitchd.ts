/** The daemon under test: started inside a lab host as an operator would, and handled as roughly as one. */
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { type ExecResult, tryExec, waitUntil } from './exec.ts';
import { type Host, type HostProcess, startInHost } from './host.ts';
import type { Scope } from './scope.ts';

const repo = join(import.meta.dirname, '../..');

export interface EswitchdOptions {
  /** Keys of the daemon's configuration file that differ from the lab's. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: NodeJS.ProcessEnv;
}

export interface ApiReply<T> {
  readonly status: number;
  readonly body: T;
}

const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 20_000;

export class Eswitchd {
  readonly host: Host;
  readonly apiSocket: string;
  readonly configFile: string;
  readonly stateDir: string;
  readonly logFile: string;
  readonly #env: NodeJS.ProcessEnv;
  #process: HostProcess | null = null;

  constructor(host: Host, options: EswitchdOptions) {
    this.host = host;
    this.apiSocket = join(host.dir, 'api.sock');
    this.configFile = join(host.dir, 'eswitchd.json');
    this.stateDir = join(host.dir, 'state');
    this.logFile = join(host.dir, 'eswitchd.log');
    this.#env = { ...cleanEnvironment(), ...options.env };
    mkdirSync(this.stateDir, { recursive: true });
    const config = {
      stateDir: this.stateDir,
      apiSocket: this.apiSocket,
      logLevel: 'debug',
      ...options.config,
    };
    writeFileSync(this.configFile, `${JSON.stringify(config, null, 2)}\n`);
  }

  /** Pid as seen from outside; throws when it does not run. */
  get pid(): number {
    if (!this.#process?.running) throw new Error('eswitchd does not run');
    return this.#process.pid;
  }

  get running(): boolean {
    return this.#process?.running ?? false;
  }

  /** Starts the daemon; with `wait` (default) until /healthz answers 200. */
  async start(options: { readonly wait?: boolean } = {}): Promise<void> {
    const log = openSync(this.logFile, 'a');
    const command = [
      process.execPath,
      join(repo, 'src/daemon/main.ts'),
      '--config',
      this.configFile,
    ] as const;
    try {
      this.#process = await startInHost(this.host, command, log, this.#env);
    } finally {
      closeSync(log);
    }
    if (options.wait === false) return;
    await waitUntil(
      'eswitchd',
      async () => {
        if (!this.running) throw new Error(`eswitchd ended at start:\n${this.log(40)}`);
        return (await this.api('GET', '/healthz').catch(() => null))?.status === 200;
      },
      { timeoutMs: READY_TIMEOUT_MS, everyMs: 20 },
    );
  }

  /** SIGTERM and wait for the end. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** SIGKILL: the daemon learns nothing of it. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const current = this.#process;
    if (!current) return;
    current.signal(signal);
    await waitUntil('eswitchd to end', () => !current.running, { timeoutMs: STOP_TIMEOUT_MS, everyMs: 10 });
    this.#process = null;
  }

  /** One request to the daemon's API; the body is parsed when it is JSON. */
  api<T = unknown>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<ApiReply<T>> {
    return unixJson<T>(this.apiSocket, method, path, body);
  }

  /** `eswitchctl …` against this daemon; any exit code. */
  ctl(...args: readonly string[]): Promise<ExecResult> {
    const command = [
      process.execPath,
      join(repo, 'src/cli/main.ts'),
      '--socket',
      this.apiSocket,
      ...args,
    ] as const;
    return tryExec(command, { env: this.#env });
  }

  /** Last lines of the daemon's log. */
  log(lines = 200): string {
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }
}

/** Starts the daemon in `host`; it ends with the scope. */
export async function startEswitchd(
  scope: Scope,
  host: Host,
  options: EswitchdOptions = {},
): Promise<Eswitchd> {
  const daemon = new Eswitchd(host, options);
  scope.defer(() => daemon.kill());
  await daemon.start();
  return daemon;
}

/** The test runner's own variables must not change the daemon. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(NODE_OPTIONS|VITEST|TEST$|DEV$|PROD$|MODE$|BASE_URL$|ESWITCHD_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

function unixJson<T>(socketPath: string, method: string, path: string, body: unknown): Promise<ApiReply<T>> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const headers = payload === undefined ? {} : { 'Content-Type': 'application/json' };
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path, headers, agent: false }, response => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const json = (response.headers['content-type'] ?? '').includes('json');
        resolve({ status: response.statusCode ?? 0, body: (json ? JSON.parse(text) : text) as T });
      });
    });
    call.on('error', reject);
    call.end(payload);
  });
}
