/** NIC functions as ports on a real kernel: the contract, with the virtual SmartNIC of test/simnic. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VF_PORT_LAWS } from '../contract/vf-port.contract.ts';
import { Scope } from '../lab/scope.ts';
import type { Guest } from './guest.ts';
import { bootWithSimnic } from './simnic-lab.ts';

const script = join(import.meta.dirname, 'guest/vf-laws.ts');
const LAWS_TIMEOUT_MS = 280_000;

describe('functions of a SmartNIC as ports, on Debian kernel 6.12', () => {
  const scope = new Scope('vmvf');
  let guest: Guest;
  let outcome: Readonly<Record<string, string>> = {};

  beforeAll(async () => {
    ({ guest } = await bootWithSimnic(scope));
    outcome = JSON.parse(
      await guest.must(`${process.execPath} ${script}`, LAWS_TIMEOUT_MS),
    ) as typeof outcome;
  });
  afterAll(() => scope.dispose());

  it.each(VF_PORT_LAWS)('$name', ({ name }) => expect(outcome[name]).toBe(''));

  it('finds nothing to complain about in the kernel log', async () => {
    expect(await guest.complaints()).toEqual([]);
  });
});
