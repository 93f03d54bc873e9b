/**
 * Runs in the guest: measures every task of the suite for every contender, in rounds. Prints one line of
 * JSON per measurement: `{task, contender, seconds}`, or `{figure, value}`.
 *
 *   node --expose-gc in-guest.ts RULES ROUNDS
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlowRule } from '../../../src/ir/flow.ts';
import { createNativeFlows } from '../../../src/kernel/native/flower.ts';
import { NativeLibrary } from '../../../src/kernel/native/library.ts';
import { restartOf, tableOf } from './restart.ts';
import { encapRules, LINK, pairRules, redirectRules, TARGET, tcLine } from './rules.ts';

const [count = 20_000, rounds = 3] = process.argv.slice(2).map(Number);
const build = join(import.meta.dirname, '../../../native/build');
const library = new NativeLibrary(join(build, 'libeswitch.so'));
const flows = createNativeFlows({ library, instance: 'bench', dir: '' });
const nowhere = openSync('/dev/null', 'w');

const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const run = (program: string, ...args: readonly string[]): void => {
  execFileSync(program, args, { stdio: ['ignore', nowhere, 'inherit'] });
};

async function measure(task: string, contender: string, work: () => unknown): Promise<void> {
  const startedMs = performance.now();
  await work();
  print({ task, contender, seconds: (performance.now() - startedMs) / 1000 });
}

function freshLinks(): void {
  for (const name of [LINK, TARGET]) {
    spawnSync('ip', ['link', 'delete', name]);
    run('ip', 'link', 'add', name, 'type', 'dummy');
  }
  run('tc', 'qdisc', 'add', 'dev', LINK, 'clsact');
}

type Results = Promise<readonly { readonly errno: number; readonly extack: string }[]>;
async function succeed(work: Results): Promise<void> {
  const failed = (await work).find(({ errno }) => errno !== 0);
  if (failed !== undefined) throw new Error(`errno ${failed.errno}: ${failed.extack}`);
}

/** Seconds that the kernel alone takes for a dump that nobody looks at: the least of three. */
function bareDump(how: 'terse' | 'full'): number {
  const text = execFileSync(join(build, 'esw_filters'), [LINK, how, '3'], { encoding: 'utf8' });
  return Math.min(...text.trim().split('\n').map(Number)) / 1e6;
}

async function dumps(): Promise<void> {
  await measure('dump', 'eswitchd', async () => {
    const { count: found } = await flows.dump([LINK]);
    if (found !== count) throw new Error(`${found} rules of ${count}`);
  });
  await measure('dump_idle', 'eswitchd', () => flows.dump([LINK], { idle: true }));
  await measure('dump', 'tc_json', () => run('tc', '-s', '-j', 'filter', 'show', 'dev', LINK, 'ingress'));
  print({ task: 'dump', contender: 'bare_terse', seconds: bareDump('terse') });
  print({ task: 'dump', contender: 'bare_full', seconds: bareDump('full') });
}

const KINDS = { redirect: redirectRules(count), encap: encapRules(count) } as const;
type Kind = keyof typeof KINDS;

async function ours(kind: Kind): Promise<void> {
  freshLinks();
  await measure(`insert_${kind}`, 'eswitchd', () => succeed(flows.put(KINDS[kind])));
  if (kind === 'redirect') await dumps();
  await measure(`delete_${kind}`, 'eswitchd', () => succeed(flows.delete(KINDS[kind])));
}

async function theirs(kind: Kind): Promise<void> {
  freshLinks();
  await measure(`insert_${kind}`, 'tc_batch', () => run('tc', '-batch', `/tmp/${kind}-add`));
  await measure(`delete_${kind}`, 'tc_batch', () => run('tc', '-batch', `/tmp/${kind}-delete`));
}

/** The rules of 20,000 pairs in place, and a table that wants them: what a look costs. */
async function restart(rules: readonly FlowRule[]): Promise<void> {
  freshLinks();
  await succeed(flows.put(rules));
  const { table, bytesPerRule } = tableOf(rules);
  print({ figure: 'rules.daemon_bytes_per_rule', value: bytesPerRule });
  const looks: number[] = [];
  for (let i = 0; i < 7; i++) {
    const { seconds, operations } = await restartOf(flows, table);
    looks.push(seconds);
    print({ figure: 'rules.restart_ops', value: operations });
  }
  print({ figure: 'rules.restart_vs_bare_dump', value: Math.min(...looks.slice(2)) / bareDump('terse') });
}

for (const [kind, rules] of Object.entries(KINDS)) {
  for (const verb of ['add', 'delete'] as const)
    writeFileSync(`/tmp/${kind}-${verb}`, `${rules.map(rule => tcLine(verb, rule)).join('\n')}\n`);
}
// A daemon is warm: what is measured is not the compiler's first look at the code, nor a module's loading.
freshLinks();
for (let i = 0; i < 4; i++) {
  await flows.put(KINDS.encap.slice(0, 4000));
  await flows.dump([LINK]);
  await flows.delete(KINDS.encap.slice(0, 4000));
}
for (let round = 0; round < rounds; round++) {
  for (const kind of ['redirect', 'encap'] as const) {
    const turns = [() => ours(kind), () => theirs(kind)];
    if (round % 2 === 1) turns.reverse();
    for (const turn of turns) await turn();
  }
}
await restart(pairRules(count));
