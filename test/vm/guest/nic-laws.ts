/**
 * Runs inside a guest: NicPort on that kernel. With the module of test/simnic loaded, every law of the
 * contract and every scene, each on NICs plugged anew; with an igb, its scenes. Prints a JSON object,
 * name → "" or what went wrong.
 *
 *   node test/vm/guest/nic-laws.ts simnic|pci|igb
 */
import { readFileSync } from 'node:fs';
import { NIC_LAWS } from '../../contract/nic-port.contract.ts';
import { IGB_SCENES } from './igb-scenes.ts';
import { type FrontEnd, guestNicLab, openFlows, openNics } from './nic-lab.ts';
import { NIC_SCENES } from './nic-scenes.ts';

if (!readFileSync('/proc/cmdline', 'utf8').includes('guest_init='))
  throw new Error('this runs in a guest only');

const what = process.argv[2] ?? 'simnic';
const [port, flows] = [openNics(), openFlows()];
const outcome: Record<string, string> = {};

async function attempt(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
    outcome[name] = '';
  } catch (error) {
    outcome[name] = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

if (what === 'igb') for (const { name, run } of IGB_SCENES) await attempt(name, () => run(port));
else {
  const lab = () => guestNicLab(port, what as FrontEnd);
  for (const { name, run } of NIC_LAWS) await attempt(name, async () => run(await lab()));
  for (const { name, run } of NIC_SCENES) await attempt(name, async () => run(await lab(), flows));
}
console.log(JSON.stringify(outcome));
process.exit(0);
