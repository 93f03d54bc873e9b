/**
 * Runs inside a guest that has the module of test/simnic: every law of the NicPort contract on that
 * kernel, each on NICs plugged anew. Prints a JSON object, law → "" or what went wrong.
 */
import { readFileSync } from 'node:fs';
import { NIC_LAWS } from '../../contract/nic-port.contract.ts';
import { guestNicLab, openNics } from './nic-lab.ts';

if (!readFileSync('/proc/cmdline', 'utf8').includes('guest_init='))
  throw new Error('this runs in a guest only');

const port = openNics();
const outcome: Record<string, string> = {};
for (const { name, run } of NIC_LAWS) {
  try {
    await run(await guestNicLab(port));
    outcome[name] = '';
  } catch (error) {
    outcome[name] = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}
console.log(JSON.stringify(outcome));
process.exit(0);
