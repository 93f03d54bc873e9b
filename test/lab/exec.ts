/** Runs commands for the lab: argument lists (never a shell), a time limit, output captured exactly. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface ExecOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Written to the command's standard input, which is then closed. */
  readonly input?: string | Buffer;
  /** After this the command is killed and the call rejects. Default 30 s. */
  readonly timeoutMs?: number;
}

export interface ExecResult {
  readonly code: number;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

export class ExecError extends Error {
  override readonly name = 'ExecError';
  readonly command: readonly string[];
  readonly result: ExecResult;

  constructor(command: readonly string[], result: ExecResult, why: string) {
    super(`${command.join(' ')}: ${why}\n${result.stdout}${result.stderr}`.trimEnd());
    this.command = command;
    this.result = result;
  }
}

export type Command = readonly [string, ...string[]];

const DEFAULT_TIMEOUT_MS = 30_000;

/** Runs to the end whatever the exit code; rejects only on a timeout or when it cannot start. */
export function tryExec(command: Command, options: ExecOptions = {}): Promise<ExecResult> {
  const [file, ...args] = command;
  const startedAt = performance.now();
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: options.env ?? process.env,
      stdio: 'pipe',
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    const result = (code: number, signal: NodeJS.Signals | null): ExecResult => ({
      code,
      signal,
      stdout: Buffer.concat(out).toString('utf8'),
      stderr: Buffer.concat(err).toString('utf8'),
      durationMs: performance.now() - startedAt,
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new ExecError(command, result(-1, 'SIGKILL'), `no end after ${timeoutMs} ms`));
    }, timeoutMs);
    child.on('error', error => {
      clearTimeout(timer);
      reject(new ExecError(command, result(-1, null), error.message));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve(result(code ?? -1, signal));
    });
    // A command that ends without reading its input closes the pipe; that is its right.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input);
  });
}

/** Like `tryExec`, and rejects with ExecError unless the exit code is 0. */
export async function exec(command: Command, options: ExecOptions = {}): Promise<ExecResult> {
  const result = await tryExec(command, options);
  if (result.code !== 0) throw new ExecError(command, result, `exit code ${result.code}`);
  return result;
}

/** Standard output of a command that must succeed, without the final newline. */
export async function output(command: Command, options: ExecOptions = {}): Promise<string> {
  return (await exec(command, options)).stdout.trimEnd();
}

/**
 * Starts a process that runs beside the test. It is killed by the kernel when this process ends in any
 * way, so that a crash leaves nothing.
 */
export function start(command: Command, options: SpawnOptions = {}): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], { stdio: 'ignore', ...options });
}

export const hasEnded = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null;

/** Resolves when `child` has ended. */
export function ended(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return Promise.resolve();
  return new Promise(resolve => child.once('exit', () => resolve()));
}

/** Direct children of a process, as pids of the caller's pid namespace. */
export function childrenOf(pid: number): readonly number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(candidate => parentOf(candidate) === pid);
}

function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name stands in parentheses and may itself hold any character.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
  }
}

export function isAlive(pid: number): boolean {
  try {
    // A zombie still has its /proc entry; it is dead for our purposes.
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Polls until `probe` gives something other than null, false or undefined. */
export async function waitUntil<T>(
  what: string,
  probe: () => T | Promise<T>,
  options: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<Exclude<T, null | undefined | false>> {
  const timeoutMs = options.timeoutMs ?? 15_000;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== null && value !== undefined && value !== false) {
      return value as Exclude<T, null | undefined | false>;
    }
    if (performance.now() > deadline) throw new Error(`${what}: not so after ${timeoutMs} ms`);
    await new Promise(resume => setTimeout(resume, options.everyMs ?? 50));
  }
}

export const sleep = (ms: number): Promise<void> => new Promise(resume => setTimeout(resume, ms));
