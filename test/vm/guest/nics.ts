/**
 * Runs inside a guest: NicPort on that kernel, one request per run.
 *
 *   node test/vm/guest/nics.ts inventory
 *   node test/vm/guest/nics.ts apply '<NicOp[] as JSON>'
 *   node test/vm/guest/nics.ts params <handle>
 *   node test/vm/guest/nics.ts in <netns path> <device>
 *
 * Prints one JSON value.
 */
import { readFileSync } from 'node:fs';
import type { NicOp } from '../../../src/kernel/nic-port.ts';
import type { DeviceName, DevlinkHandle } from '../../../src/model/nic.ts';
import { openNics } from './nic-lab.ts';

// It changes NICs for real: never those of the machine that runs the tests.
if (!readFileSync('/proc/cmdline', 'utf8').includes('guest_init='))
  throw new Error('this runs in a guest only');

const nics = openNics();

async function run(what = '', first = '', second = ''): Promise<unknown> {
  switch (what) {
    case 'inventory':
      return nics.inventory();
    case 'apply':
      return nics.apply(JSON.parse(first) as NicOp[]);
    case 'params':
      return nics.params(first as DevlinkHandle);
    case 'in':
      return nics.functionIn(first, second as DeviceName);
    default:
      throw new Error(`unknown request ${what}`);
  }
}

console.log(JSON.stringify(await run(...process.argv.slice(2))));
