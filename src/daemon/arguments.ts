/** The daemon's command line: one optional command, then `--flag value` or `--flag=value`. */
import { EswError } from '../lib/errors.ts';
import { nearestName } from '../lib/suggest.ts';

export const COMMANDS = ['run', 'purge', 'config'] as const;
export type Command = (typeof COMMANDS)[number];

export interface Arguments {
  readonly command: Command | 'help' | 'version';
  readonly configPath: string | null;
  /** Configuration flags as written, `--state-dir` → value. */
  readonly flags: ReadonlyMap<string, string>;
}

function commandOf(word: string): Command {
  const command = COMMANDS.find(known => known === word);
  if (command !== undefined) return command;
  const meant = nearestName(word, COMMANDS);
  const suggestion = meant === null ? `known: ${COMMANDS.join(', ')}` : `did you mean ${meant}?`;
  throw new EswError('ESW_ERR_CONFIG_KEY', `command line: unknown command ${word}; ${suggestion}`);
}

/** `argv` without node and script. Throws ESW_ERR_CONFIG_KEY or ESW_ERR_CONFIG_VALUE. */
export function parseArguments(argv: readonly string[]): Arguments {
  const flags = new Map<string, string>();
  let command: Arguments['command'] = 'run';
  let configPath: string | null = null;
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--help' || word === '-h') return { command: 'help', configPath, flags };
    if (word === '--version' || word === '-V') return { command: 'version', configPath, flags };
    if (word === '--purge') {
      command = 'purge';
      continue;
    }
    if (!word.startsWith('--')) {
      command = commandOf(word);
      continue;
    }
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    const value = equals < 0 ? rest.shift() : word.slice(equals + 1);
    if (value === undefined) {
      throw new EswError('ESW_ERR_CONFIG_VALUE', `command line: ${name} needs a value`);
    }
    if (name === '--config') configPath = value;
    else flags.set(name, value);
  }
  return { command, configPath, flags };
}
