/** The terminal around eswitchctl. Exit codes: 0 ok, 1 refused by the daemon, 2 usage, 3 daemon unreachable, 4 differences found. */
import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { CliError, EXIT } from './client.ts';
import { createProgram, type Io } from './program.ts';

/** The same from src/cli and dist/cli. */
function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

const { env, stdout, stderr } = process;
const io: Io = {
  out: text => stdout.write(text),
  err: text => stderr.write(text),
  width: stdout.isTTY ? stdout.columns : 80,
  colour: stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
  socket: env['ESWITCHD_API_SOCKET'] ?? '/run/eswitchd/api.sock',
  version: version(),
  now: () => Date.now(),
};

function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (!(error instanceof CliError)) throw error;
  const { code, message, hint, cause } = error.detail;
  if (process.argv.includes('--json')) io.out(`${JSON.stringify({ error: error.detail }, null, 2)}\n`);
  io.err(`eswitchctl: ${message} (${code})\n`);
  if (cause !== undefined) io.err(`  cause: ${cause}\n`);
  io.err(`  hint: ${hint}\n`);
  return error.exitCode;
}

/** Runs one command line (a whole argv) and sets the exit code. */
export async function runCommand(argv: readonly string[]): Promise<void> {
  // `eswitchctl rules | head` closes our output early: that is no failure.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
  });
  try {
    process.exitCode = await createProgram(io).run(argv);
  } catch (error) {
    process.exitCode = explain(error);
  }
}
