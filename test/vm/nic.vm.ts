/** NicPort on a real kernel: QEMU's igb (real SR-IOV, no devlink) and the virtual SmartNIC on both its buses. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NIC_LAWS } from '../contract/nic-port.contract.ts';
import { Scope } from '../lab/scope.ts';
import { IGB_SCENES } from './guest/igb-scenes.ts';
import { NIC_SCENES } from './guest/nic-scenes.ts';
import { bootGuest, type Guest } from './guest.ts';
import { bootWithSimnic } from './simnic-lab.ts';

const script = join(import.meta.dirname, 'guest/nic-laws.ts');
const igb = { kind: 'igb' } as const;
const namesOf = (cases: readonly { readonly name: string }[]): string[] => cases.map(({ name }) => name);

describe.each([
  { what: 'igb', names: namesOf(IGB_SCENES) },
  { what: 'simnic', names: namesOf([...NIC_LAWS, ...NIC_SCENES]) },
  { what: 'pci', names: namesOf([...NIC_LAWS, ...NIC_SCENES]) },
] as const)('NICs of kind $what', ({ what, names }) => {
  const scope = new Scope(`vmnic${what}`);
  let guest: Guest;
  let outcome: Readonly<Record<string, string>> = {};

  beforeAll(async () => {
    if (what === 'igb') guest = await bootGuest(scope, { nics: [igb] });
    else if (what === 'simnic') ({ guest } = await bootWithSimnic(scope));
    else ({ guest } = await bootWithSimnic(scope, { nics: [igb, igb] }, 'pci=1'));
    // All in one process: under emulation its start takes longer than everything that it does.
    const text = await guest.must(`${process.execPath} ${script} ${what}`, 280_000);
    outcome = JSON.parse(text) as typeof outcome;
  });
  afterAll(() => scope.dispose());

  it.each(names)('%s', name => expect(outcome[name]).toBe(''));

  it('leave nothing to complain about in the kernel log', async () => {
    expect(await guest.complaints()).toEqual([]);
  });
});
