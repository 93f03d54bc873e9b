/** The commands of eswitchd. Exit codes: 0 stopped or done, 1 failed, 2 wrong configuration or command line. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { asEswError, EswError } from '../lib/errors.ts';
import type { Identity } from '../model/intent.ts';
import { COMMANDS, parseArguments } from './arguments.ts';
import { type Config, flagName, readConfig } from './config.ts';
import { CONFIG_KEYS, ConfigSchema } from './config-schema.ts';

const DEFAULT_CONFIG = '/etc/eswitchd/config.json';
/** Longest clean shutdown; systemd's own default is 90 s. */
const STOP_DEADLINE_MS = 10_000;

/** The same from src/daemon and dist/daemon. */
const repoRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

function version(): string {
  const text = readFileSync(`${repoRoot}/package.json`, 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function help(): string {
  const keys = CONFIG_KEYS.map(key => {
    const schema = ConfigSchema.properties[key];
    return `  ${flagName(key).padEnd(18)} ${'description' in schema ? String(schema.description) : ''}`;
  });
  return [
    `Usage: eswitchd [${COMMANDS.join('|')}] [--config FILE] [flags]`,
    '',
    '  run     serve Docker and eswitchctl until SIGTERM (the default)',
    '  purge   remove everything of this instance from the kernel; the store stays',
    '  config  print the configuration as it is in force',
    '',
    `Flags (also in ${DEFAULT_CONFIG} and the environment, see docs/operations.md):`,
    ...keys,
    '  --config           A JSON file instead of the one above.',
    '  --version, --help',
    '',
  ].join('\n');
}

function readFile(path: string): { readonly path: string; readonly document: unknown } {
  try {
    return { path, document: JSON.parse(readFileSync(path, 'utf8')) };
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new EswError('ESW_ERR_CONFIG_VALUE', `${path} cannot be read: ${words}`, { cause });
  }
}

function configOf(configPath: string | null, flags: ReadonlyMap<string, string>): Config {
  const path = configPath ?? process.env['ESWITCHD_CONFIG'] ?? null;
  const file =
    path === null ? (existsSync(DEFAULT_CONFIG) ? readFile(DEFAULT_CONFIG) : null) : readFile(path);
  return readConfig({ repoRoot, file, env: process.env, flags });
}

function fail(error: unknown): void {
  const problem = asEswError(error);
  process.stderr.write(`eswitchd: ${problem.message} (${problem.code})\n  hint: ${problem.hint}\n`);
  process.exitCode = problem.code.startsWith('ESW_ERR_CONFIG_') ? 2 : 1;
}

async function runPurge(config: Config, identity: Identity): Promise<void> {
  const [{ purge }, { createLogger }] = await Promise.all([import('./purge.ts'), import('./logger.ts')]);
  const { deleted, failed } = await purge(config, identity, createLogger(config));
  process.stdout.write(`removed ${deleted} kernel objects of instance ${identity.instance}\n`);
  for (const line of failed) process.stderr.write(`eswitchd: not removed: ${line}\n`);
  if (failed.length > 0) process.exitCode = 1;
}

async function runDaemon(config: Config, identity: Identity): Promise<void> {
  const startedAtMs = Date.now() - Math.round(process.uptime() * 1000);
  const [{ Daemon }, { createLogger }] = await Promise.all([import('./daemon.ts'), import('./logger.ts')]);
  const log = createLogger(config);
  log.info({ version: version(), pid: process.pid, node: process.version }, 'starting');
  const daemon = new Daemon({ config, identity, version: version(), startedAtMs, log });
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) return;
    isStopping = true;
    log.info({ signal }, 'stopping');
    const deadline = setTimeout(() => {
      log.error({ deadlineMs: STOP_DEADLINE_MS }, 'not stopped in time: ending anyway');
      process.exit(1);
    }, STOP_DEADLINE_MS);
    daemon.stop().then(
      () => {
        clearTimeout(deadline);
        log.info('stopped');
        process.exit(0);
      },
      error => {
        log.error({ err: asEswError(error) }, 'stopped with an error');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // A defect in one request must not take the others' networks down; it is logged to be found.
  process.on('unhandledRejection', reason => log.error({ err: asEswError(reason) }, 'unhandled rejection'));
  try {
    await daemon.start();
  } catch (error) {
    await daemon.stop().catch(() => {});
    throw error;
  }
}

async function dispatch(argv: readonly string[]): Promise<void> {
  const { command, configPath, flags } = parseArguments(argv);
  if (command === 'help') return void process.stdout.write(help());
  if (command === 'version') return void process.stdout.write(`${version()}\n`);
  const config = configOf(configPath, flags);
  if (command === 'config') return void process.stdout.write(`${JSON.stringify(config, null, 2)}\n`);
  const identity: Identity = { instance: config.instance, linkPrefix: config.linkPrefix };
  await (command === 'purge' ? runPurge(config, identity) : runDaemon(config, identity));
}

/** Runs one command line; failures end as text on stderr and an exit code. */
export async function runCommand(argv: readonly string[]): Promise<void> {
  await dispatch(argv).catch(fail);
}
