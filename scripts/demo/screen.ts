/** What the demo prints: numbered steps with elapsed time, results under them, and failures that end it. */
import type { ExecResult } from '../../test/lab/exec.ts';

const startedAt = performance.now();
let steps = 0;

/** A step did not turn out as told; the demo ends non-zero after removing what it made. */
export class DemoFailure extends Error {
  override readonly name = 'DemoFailure';
}

const elapsed = (): string => `${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s`;

export function step(title: string): void {
  steps += 1;
  process.stdout.write(`\n[${elapsed()}] ${steps}. ${title}\n`);
}

export function say(text: string): void {
  process.stdout.write(`${text.replace(/^/gm, '    ')}\n`);
}

/** A command as a user would type it. */
export function command(text: string): void {
  process.stdout.write(`  $ ${text}\n`);
}

/** States that something is so; throws when it is not. */
export function check(holds: boolean, claim: string, otherwise = ''): void {
  if (!holds) throw new DemoFailure(otherwise === '' ? `not so: ${claim}` : `not so: ${claim}\n${otherwise}`);
  process.stdout.write(`    ok  ${claim}\n`);
}

/** The output of a command that had to succeed. */
export function mustSucceed(result: ExecResult, what: string): string {
  if (result.code !== 0) throw new DemoFailure(`${what} failed:\n${result.stdout}${result.stderr}`);
  return result.stdout.trimEnd();
}
