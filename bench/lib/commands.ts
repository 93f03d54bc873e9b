/** Child processes of a benchmark: run to the end, or kept and stopped by their own pid. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { BenchError } from './bench-error.ts';

const OUTPUT_MAX = 1 << 24;

export interface RunOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs `argv` and returns its standard output; a failure throws with its words. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const [command = '', ...rest] = argv;
  const child = spawn(command, rest, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
    timeout: options.timeoutMs ?? 60_000,
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const [code, signal] = await ended(child, argv);
  if (code === 0) return stdout();
  throw new BenchError(
    `\`${argv.join(' ')}\` ended with ${code ?? signal}: ${(stderr() || stdout()).trim().slice(-600)}`,
  );
}

async function ended(child: ChildProcess, argv: readonly string[]): Promise<readonly unknown[]> {
  try {
    return await once(child, 'close');
  } catch (error) {
    throw new BenchError(`cannot run \`${argv.join(' ')}\`: ${(error as Error).message}`, { cause: error });
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= OUTPUT_MAX) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

/** A process that stays up until it is stopped. */
export interface Background {
  readonly pid: number;
  /** Everything written so far, both streams. */
  output(): string;
  /** Resolves once `text` was written; throws if the process ends first or `timeoutMs` pass. */
  until(text: string, timeoutMs: number): Promise<void>;
  readonly exited: boolean;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts `argv` and leaves it running. */
export function start(
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Background {
  const [command = '', ...rest] = argv;
  const child = spawn(command, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  const chunks: string[] = [];
  const keep = (chunk: Buffer) => {
    chunks.push(chunk.toString('utf8'));
    if (chunks.length > 2000) chunks.shift();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let exited = false;
  const gone = new Promise<void>(resolve => {
    const end = () => {
      exited = true;
      resolve();
    };
    child.once('error', error => {
      chunks.push(error.message);
      end();
    });
    child.once('close', end);
  });
  const output = () => chunks.join('');
  return {
    pid: child.pid ?? -1,
    output,
    gone,
    get exited() {
      return exited;
    },
    async until(text, timeoutMs) {
      const seen = () => output().includes(text);
      await waitFor(() => exited || seen(), timeoutMs, `\`${argv.join(' ')}\` to write "${text}"`);
      if (!seen()) throw new BenchError(`\`${argv.join(' ')}\` ended early: ${output().trim().slice(-600)}`);
    },
    async stop(signal = 'SIGTERM') {
      if (exited) return;
      child.kill(signal);
      const killer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(killer);
    },
  };
}

/** Polls `condition` every few milliseconds; throws when `timeoutMs` have passed. */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  what: string,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new BenchError(`waited ${timeoutMs} ms in vain for ${what}`);
    await sleep(5);
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
