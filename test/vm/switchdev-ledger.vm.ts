/** The ledger of NIC functions on a real kernel: a killed daemon, drivers bound again, many endpoints. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scope } from '../lab/scope.ts';
import type { Guest } from './guest.ts';
import { bootWithSimnic } from './simnic-lab.ts';

const script = join(import.meta.dirname, 'guest/vf-life.ts');
/** A minute on a quiet machine; emulated beside other lanes, each start of the daemon takes half of one. */
const LIFE_TIMEOUT_MS = 480_000;
const STEPS = [
  'two reach each other',
  'a killed daemon costs no packet and changes no row',
  'a function whose driver was bound again is back in its sandbox',
  'namespaces that end give their functions back',
  '200 endpoints come and go while the daemon is killed',
  'all links are as they were, but for names that a driver gave anew',
];

describe('functions of a SmartNIC, handed out by the daemon', () => {
  const scope = new Scope('vmsdl');
  let guest: Guest;
  let outcome: Readonly<Record<string, string>> = {};

  beforeAll(async () => {
    ({ guest } = await bootWithSimnic(scope, { memoryMib: 2048 }));
  });
  afterAll(() => scope.dispose());

  it(
    'runs through',
    async () => {
      const text = await guest.must(`${process.execPath} ${script}`, LIFE_TIMEOUT_MS);
      outcome = JSON.parse(text) as typeof outcome;
    },
    LIFE_TIMEOUT_MS + 10_000,
  );

  it.each(STEPS)('%s', step => expect(outcome[step]).toBe(''));

  it('finds nothing to complain about in the kernel log', async () => {
    expect(await guest.complaints()).toEqual([]);
  });
});
