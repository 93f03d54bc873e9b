/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util';
import { BenchError } from './bench-error.ts';

/** A suite to run. */
export interface RunArguments {
  readonly command: 'run';
  readonly suite: string;
  /** File for the JSON, null = none. */
  readonly json: string | null;
  readonly rounds: number;
  readonly seconds: number;
  readonly quick: boolean;
}

export type Arguments =
  | { readonly command: 'help' }
  | { readonly command: 'list' }
  | { readonly command: 'write-docs'; readonly files: readonly string[] }
  | RunArguments;

export const ARGUMENTS_HELP = `usage: npm run bench -- SUITE [--json FILE] [--rounds N] [--seconds S] [--quick]
       npm run bench -- --list
       npm run bench -- --write-docs FILE...

  --json FILE    write the result as JSON
  --rounds N     interleaved rounds (default 7; with --quick 2)
  --seconds S    length of one traffic measurement (default 1; with --quick 0.5)
  --quick        a short run, to see that everything works
  --list         the suites there are
  --write-docs   put the results in FILE... into docs/benchmarks.md`;

const ROUNDS = { full: 7, quick: 2 };
const SECONDS = { full: 1, quick: 0.5 };
const ROUNDS_MAX = 1000;
const SECONDS_MAX = 60;

/** Throws BenchError on anything that is not understood. */
export function parseArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parsed(argv);
  if (values.help) return { command: 'help' };
  if (values.list) return { command: 'list' };
  if (values['write-docs']) {
    if (positionals.length === 0) throw new BenchError('--write-docs needs at least one JSON file');
    return { command: 'write-docs', files: positionals };
  }
  const [suite, ...rest] = positionals;
  if (suite === undefined) throw new BenchError(`name a suite.\n${ARGUMENTS_HELP}`);
  if (rest.length > 0) throw new BenchError(`one suite at a time; not understood: ${rest.join(' ')}`);
  const length = values.quick ? 'quick' : 'full';
  return {
    command: 'run',
    suite,
    json: values.json ?? null,
    rounds: rangeOf('--rounds', values.rounds, ROUNDS[length], 1, ROUNDS_MAX, true),
    seconds: rangeOf('--seconds', values.seconds, SECONDS[length], 0.1, SECONDS_MAX, false),
    quick: values.quick,
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        quick: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        'write-docs': { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new BenchError(`${error instanceof Error ? error.message : error}\n${ARGUMENTS_HELP}`);
  }
}

function rangeOf(
  name: string,
  text: string | undefined,
  otherwise: number,
  least: number,
  most: number,
  whole: boolean,
): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  const fits = text.trim() !== '' && value >= least && value <= most && (!whole || Number.isInteger(value));
  if (!fits)
    throw new BenchError(`${name} takes ${whole ? 'a whole number' : 'a number'} from ${least} to ${most}`);
  return value;
}
