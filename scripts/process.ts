/** Runs a command in a process group of its own, so that a timeout or a signal ends all of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Everything the command prints goes here. */
  readonly logFile?: string;
  readonly timeoutMs?: number;
}

export interface RunResult {
  /** Exit code; 128 + signal number when a signal ended it; 124 after a timeout. */
  readonly code: number;
  readonly output: string;
  readonly durationMs: number;
}

/** How long a group may take to end after SIGTERM before it is killed, milliseconds. */
const GRACE_MS = 15_000;
const running = new Set<ChildProcess>();

export function run(command: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
  const [file, ...args] = command;
  const startedAt = performance.now();
  return new Promise(resolve => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    running.add(child);
    const log = options.logFile === undefined ? null : createWriteStream(options.logFile);
    const chunks: Buffer[] = [];
    const take = (chunk: Buffer): void => {
      chunks.push(chunk);
      log?.write(chunk);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    let timedOut = false;
    const timer =
      options.timeoutMs === undefined
        ? null
        : setTimeout(() => {
            timedOut = true;
            take(Buffer.from(`\nended after ${options.timeoutMs} ms\n`));
            endGroup(child);
          }, options.timeoutMs);
    const finish = (code: number): void => {
      if (timer) clearTimeout(timer);
      running.delete(child);
      log?.end();
      const output = Buffer.concat(chunks).toString('utf8');
      resolve({ code: timedOut ? 124 : code, output, durationMs: performance.now() - startedAt });
    };
    child.on('error', error => {
      take(Buffer.from(`${error.message}\n`));
      finish(127);
    });
    child.on('close', (code, signal) => finish(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  });
}

/** Ends every command still running; resolves when all are gone. */
export async function endAll(): Promise<void> {
  for (const child of running) endGroup(child);
  while (running.size > 0) await new Promise(resume => setTimeout(resume, 50));
}

function endGroup(child: ChildProcess): void {
  signalGroup(child, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS);
  child.once('close', () => clearTimeout(timer));
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}
