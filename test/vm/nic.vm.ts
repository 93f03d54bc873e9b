/** NicPort on a real kernel: QEMU's igb (real SR-IOV, no devlink) and the virtual SmartNIC of test/simnic. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NicOp } from '../../src/kernel/nic-port.ts';
import type { OpResult } from '../../src/kernel/port.ts';
import type { Mac } from '../../src/lib/brand.ts';
import type { DeviceName, DevlinkHandle, Inventory } from '../../src/model/nic.ts';
import { NIC_LAWS } from '../contract/nic-port.contract.ts';
import { Scope } from '../lab/scope.ts';
import { bootGuest, type Guest } from './guest.ts';
import { buildModule } from './module.ts';

const script = (name: string): string => join(import.meta.dirname, 'guest', name);
const simnic = join(import.meta.dirname, '../simnic');
const LAWS_TIMEOUT_MS = 280_000;

async function ask<T>(guest: Guest, ...words: readonly string[]): Promise<T> {
  const quoted = words.map(word => `'${word}'`).join(' ');
  return JSON.parse(await guest.must(`${process.execPath} ${script('nics.ts')} ${quoted}`)) as T;
}

const apply = (guest: Guest, ...ops: readonly NicOp[]): Promise<readonly OpResult[]> =>
  ask(guest, 'apply', JSON.stringify(ops));

describe('a NIC with SR-IOV and without devlink (igb)', () => {
  const scope = new Scope('vmnicigb');
  const nic = 'pci/0000:01:00.0' as DevlinkHandle;
  let guest: Guest;

  beforeAll(async () => {
    guest = await bootGuest(scope, { nics: [{ kind: 'igb' }] });
  });
  afterAll(() => scope.dispose());

  it('is one in legacy mode, with VFs that have attributes', async () => {
    const ref = { nic, controller: 0, pf: 0, kind: 'vf', index: 1 } as const;
    const config = { mac: '02:00:00:00:00:55' as Mac, vlan: 5, vlanQos: 2, trust: true, spoofchk: false };
    const results = await apply(
      guest,
      { verb: 'num-vfs', nic, count: 2 },
      { verb: 'vf-config', ref, config },
      { verb: 'num-vfs', nic, count: 3 },
      { verb: 'eswitch-mode', nic, mode: 'switchdev' },
      { verb: 'vf-config', ref: { ...ref, index: 6 }, config },
    );
    expect(results).toEqual([
      { errno: 0, extack: '' },
      { errno: 0, extack: '' },
      { errno: 16, extack: '2 VFs are enabled already: they must be disabled first' },
      { errno: 19, extack: `no devlink instance ${nic}` },
      { errno: 19, extack: `no function ${nic}/c0pf0vf6` },
    ]);
    const [seen] = (await ask<Inventory>(guest, 'inventory')).nics;
    expect(seen).toMatchObject({
      ...{ handle: nic, devlink: false, driver: 'igb', eswitch: null, switchId: null },
      pci: { vendor: '8086', device: '10c9' },
      uplinks: [{ name: 'eth0', mac: guest.macs[0] }],
      ...{ vfsTotal: 7, vfsEnabled: 2, problems: [] },
    });
    expect(seen?.functions.map(each => [each.device, each.driver, each.netdev !== null])).toEqual([
      ['pci/0000:01:10.0', 'igbvf', true],
      ['pci/0000:01:10.2', 'igbvf', true],
    ]);
    expect(seen?.functions[1]).toMatchObject({ ref, vf: config, representor: null });
  });

  it('loses and finds the netdev of a VF whose driver changes or whose namespace ends', async () => {
    const device = 'pci/0000:01:10.0' as DeviceName;
    const bind = { verb: 'bind-driver', device, override: false } as const;
    expect(await apply(guest, { ...bind, driver: null })).toEqual([{ errno: 0, extack: '' }]);
    const without = (await ask<Inventory>(guest, 'inventory')).nics[0]?.functions[0];
    expect([without?.driver, without?.netdev]).toEqual([null, null]);
    expect((await apply(guest, { ...bind, driver: 'igbvf' }))[0]?.errno).toBe(0);
    const again = (await ask<Inventory>(guest, 'inventory')).nics[0]?.functions[0]?.netdev?.name;
    // As a container would have it: under a name that its host has too.
    await guest.must(`ip netns add box; ip link set ${again} netns box name eth0`);
    expect(await ask(guest, 'in', '/run/netns/box', device)).toBe('eth0');
    expect((await ask<Inventory>(guest, 'inventory')).nics[0]?.functions[0]?.netdev).toBeNull();
    await guest.must('ip netns del box; sleep 1');
    const home = (await ask<Inventory>(guest, 'inventory')).nics[0]?.functions[0]?.netdev;
    expect(home?.name).toMatch(/^dev\d+$/);
  });

  it('finds nothing to complain about in the kernel log', async () => {
    expect(await guest.complaints()).toEqual([]);
  });
});

describe.runIf(existsSync(simnic))('the NicPort contract on Debian kernel 6.12 with two SmartNICs', () => {
  const scope = new Scope('vmnic');
  let guest: Guest;
  let outcome: Readonly<Record<string, string>> = {};

  beforeAll(async () => {
    const module = await buildModule(simnic, 'simnic');
    guest = await bootGuest(scope, { modules: [] });
    const modules = 'cls_flower sch_ingress act_mirred act_gact act_tunnel_key act_vlan act_pedit act_csum';
    await guest.must(`modprobe -a vxlan ${modules} act_police && insmod ${module}`);
    const text = await guest.must(`${process.execPath} ${script('nic-laws.ts')}`, LAWS_TIMEOUT_MS);
    outcome = JSON.parse(text) as typeof outcome;
  });
  afterAll(() => scope.dispose());

  it.each(NIC_LAWS)('$name', ({ name }) => expect(outcome[name]).toBe(''));

  it('finds nothing to complain about in the kernel log', async () => {
    expect(await guest.complaints()).toEqual([]);
  });
});
