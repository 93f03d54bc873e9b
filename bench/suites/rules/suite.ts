/** Flow rules put, deleted and dumped beside tc, in a guest: this machine's kernel may have no cls_flower. */
import { join } from 'node:path';
import { Scope } from '../../../test/lab/scope.ts';
import { bootGuest } from '../../../test/vm/guest.ts';
import { BenchError } from '../../lib/bench-error.ts';
import { ratios } from '../../lib/rounds.ts';
import { median } from '../../lib/stats.ts';
import type { Measured, Suite, SuiteOptions } from '../../lib/suite.ts';

const RULES = 20_000;
const RULES_QUICK = 2000;
const ROUNDS_MAX = 5;
const TIMEOUT_MS = 1_800_000;

export const rulesSuite: Suite = {
  name: 'rules',
  summary: 'flow rules put, deleted and dumped, beside tc; boots a guest',
  run: measure,
};

interface Line {
  readonly task?: string;
  readonly contender?: string;
  readonly seconds?: number;
  readonly figure?: string;
  readonly value?: number;
}

/** Seconds by task and contender, in order of the rounds; and values by figure. */
function collect(output: string): {
  readonly seconds: (task: string, contender: string) => readonly number[];
  readonly values: (figure: string) => readonly number[];
} {
  const lines = output
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as Line);
  const some = (what: string, found: readonly (number | undefined)[]): readonly number[] => {
    if (found.length === 0) throw new BenchError(`nothing was measured for ${what}`);
    return found.map(value => value ?? Number.NaN);
  };
  return {
    seconds: (task, contender) =>
      some(
        `${task} of ${contender}`,
        lines.filter(line => line.task === task && line.contender === contender).map(line => line.seconds),
      ),
    values: figure =>
      some(
        figure,
        lines.filter(line => line.figure === figure).map(line => line.value),
      ),
  };
}

async function measure(options: SuiteOptions): Promise<Measured> {
  await using scope = new Scope('bench-rules');
  const count = options.quick ? RULES_QUICK : RULES;
  const rounds = Math.min(options.rounds, ROUNDS_MAX);
  options.progress('booting a guest');
  const guest = await bootGuest(scope, '6.12');
  options.progress(`${count} rules, ${rounds} rounds; this takes minutes`);
  const script = join(import.meta.dirname, 'in-guest.ts');
  const output = await guest.must(`${process.execPath} --expose-gc ${script} ${count} ${rounds}`, TIMEOUT_MS);
  const { seconds, values } = collect(output);
  const against = (task: string, other: string) => ratios(seconds(task, other), seconds(task, 'eswitchd'));
  const rate = (task: string, contender: string) => count / median(seconds(task, contender));
  return {
    ratios: {
      'rules.insert.tc_batch': against('insert_redirect', 'tc_batch'),
      'rules.insert_encap.tc_batch': against('insert_encap', 'tc_batch'),
      'rules.delete.tc_batch': against('delete_redirect', 'tc_batch'),
      'rules.delete_encap.tc_batch': against('delete_encap', 'tc_batch'),
      'rules.dump.tc_json': against('dump', 'tc_json'),
    },
    figures: {
      'rules.restart_ops': Math.max(...values('rules.restart_ops')),
      'rules.restart_vs_bare_dump': median(values('rules.restart_vs_bare_dump')),
      'rules.daemon_bytes_per_rule': median(values('rules.daemon_bytes_per_rule')),
      'rules.insert.eswitchd_per_s': rate('insert_redirect', 'eswitchd'),
      'rules.insert.tc_batch_per_s': rate('insert_redirect', 'tc_batch'),
      'rules.insert_encap.eswitchd_per_s': rate('insert_encap', 'eswitchd'),
      'rules.insert_encap.tc_batch_per_s': rate('insert_encap', 'tc_batch'),
      'rules.delete.eswitchd_per_s': rate('delete_redirect', 'eswitchd'),
      'rules.delete.tc_batch_per_s': rate('delete_redirect', 'tc_batch'),
      'rules.dump.eswitchd_per_s': rate('dump', 'eswitchd'),
      'rules.dump.with_idle_per_s': rate('dump_idle', 'eswitchd'),
      'rules.dump.tc_json_per_s': rate('dump', 'tc_json'),
      'rules.dump.bare_terse_per_s': rate('dump', 'bare_terse'),
      'rules.dump.bare_full_per_s': rate('dump', 'bare_full'),
    },
    environment: {
      guest: `Debian ${guest.kernel.release}, QEMU ${guest.accelerator}, 2 CPUs: only ratios mean anything`,
      rules: `${count} on one link, skip_hw; eswitchd through its port, rule objects to kernel`,
      read_back: 'large batches are verified by a dump, not by echoes',
      tc: 'tc -batch and tc -s -j filter show, from start to end of the process, output to nowhere',
      restart: 'no NIC: that no rule is in hardware is not counted as a difference',
    },
  };
}
