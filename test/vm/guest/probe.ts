/**
 * Runs inside a guest: asks the NIC of a handle what it takes, as one that no profile knows.
 *
 *   node test/vm/guest/probe.ts <handle> [<vxlan device>]
 *
 * Prints {answers: {question: [answer, text]}, left: rules left behind, pair: refusal of a pair rule}.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createNativeFlows } from '../../../src/kernel/native/flower.ts';
import { NativeLibrary } from '../../../src/kernel/native/library.ts';
import { NativeNics } from '../../../src/kernel/native/native-nics.ts';
import { NicKnowledge } from '../../../src/profile/knowledge.ts';
import { loadProfiles } from '../../../src/profile/load.ts';
import type { ProbeAnswers } from '../../../src/profile/probe-run.ts';
import { NicProber } from '../../../src/profile/prober.ts';
import { PROFILE_RULES } from '../../unit/profile-rules.ts';

// It puts rules for real: never on the machine that runs the tests.
if (!readFileSync('/proc/cmdline', 'utf8').includes('guest_init='))
  throw new Error('this runs in a guest only');

const repo = join(import.meta.dirname, '../../..');
const [handle = '', vxlan] = process.argv.slice(2);
const library = new NativeLibrary(join(repo, 'native/build/libeswitch.so'));
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const nics = new NativeNics(library, quiet);
const flows = createNativeFlows({ library, instance: 'probe', dir: '' });

const { nics: all } = await nics.inventory();
const found = all.find(nic => nic.handle === handle);
if (found === undefined) throw new Error(`no NIC ${handle}`);
const nic = { ...found, driver: 'a driver that no profile knows' };

const knowledge = new NicKnowledge(loadProfiles(join(repo, 'firmware-profiles')));
let answers: ProbeAnswers = new Map();
const prober = new NicProber({
  flows,
  knowledge,
  tunnel: () => vxlan ?? null,
  onProbed: (_, told) => {
    answers = told;
  },
  onError: (_, error) => {
    throw error;
  },
});
await prober.probe({ nics: [nic] });

const links = [...nic.uplinks, ...nic.functions.flatMap(({ representor }) => representor ?? [])];
const { count } = await flows.dump([
  ...links.map(({ name }) => name),
  ...(vxlan === undefined ? [] : [vxlan]),
]);
const pair = PROFILE_RULES['pair ip4'];
console.log(
  JSON.stringify({
    answers: Object.fromEntries(
      [...answers].map(([question, { answer, text }]) => [question, [answer, text]]),
    ),
    left: count,
    pair: pair === undefined ? 'no such rule' : knowledge.refusal(nic, pair),
  }),
);
