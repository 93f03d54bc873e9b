/**
 * Runs inside a guest that has the module of test/simnic: every law of NIC functions as ports on that
 * kernel, each with a NIC plugged anew. Prints a JSON object, law → "" or what went wrong.
 */
import { readFileSync } from 'node:fs';
import { VF_PORT_LAWS } from '../../contract/vf-port.contract.ts';
import { guestVfLab } from './vf-lab.ts';

if (!readFileSync('/proc/cmdline', 'utf8').includes('guest_init='))
  throw new Error('this runs in a guest only');

const outcome: Record<string, string> = {};
for (const { name, run } of VF_PORT_LAWS) {
  const { lab, cleanUp } = await guestVfLab();
  try {
    await run(lab);
    outcome[name] = '';
  } catch (error) {
    outcome[name] = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  await cleanUp();
}
console.log(JSON.stringify(outcome));
process.exit(0);
