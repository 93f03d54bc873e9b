/** Progress lines of the set-up, with elapsed time, and the ways to run a command or to give up. */
import { spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** The clone's top folder. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

const startedAt = Date.now();
const elapsed = () => `${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s`;

/** One progress line on stderr, so that a target's stdout stays its own. */
export function say(text) {
  process.stderr.write(`[setup ${elapsed()}] ${text}\n`);
}

/** Ends the process with what is wrong and what to do. */
export function fail(message, hint) {
  process.stderr.write(`[setup ${elapsed()}] error: ${message}\n`);
  if (hint) process.stderr.write(`${hint}\n`);
  process.exit(1);
}

/** Runs one step; `work` gets a function for details and returns what the step yields. */
export async function step(name, work) {
  try {
    const result = await work(text => say(`${name}: ${text}`));
    say(`${name}: ready`);
    return result;
  } catch (error) {
    return fail(`${name}: ${error.message}`, error.hint);
  }
}

/** An error with the next thing to do. */
export function problem(message, hint) {
  return Object.assign(new Error(message), { hint });
}

/**
 * Runs a command and returns its exit code and its output. `quiet` keeps the output back (it is part
 * of the error when the caller wants it); otherwise it goes to stderr as it comes.
 */
export function run(command, args, { env = process.env, cwd = root, quiet = true } = {}) {
  return new Promise((done, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = chunk => {
      output += chunk;
      if (!quiet) process.stderr.write(chunk);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.on('error', reject);
    child.on('close', code => done({ code: code ?? 1, output }));
  });
}

/** The last lines of a command's output, for an error message. */
export function tail(output, lines = 30) {
  return output.trimEnd().split('\n').slice(-lines).join('\n');
}
