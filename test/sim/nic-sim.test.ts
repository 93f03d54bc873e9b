import { describe, expect, it } from 'vitest';
import { SimNics } from '../../src/kernel/sim/nics.ts';
import type { DeviceName, DevlinkHandle } from '../../src/model/nic.ts';
import { NIC_LAWS } from '../contract/nic-port.contract.ts';
import { simNicLab } from './nic-lab.ts';

describe('NicPort contract: model', () => {
  it.each(NIC_LAWS)('$name', ({ run }) => run(simNicLab()));
});

describe('the model of NICs', () => {
  const handle = 'pci/0000:3b:00.0' as DevlinkHandle;

  it('gives late representors their names when udev gets to it', async () => {
    const quirks = { lateRepresentors: true };
    const sim = new SimNics([{ handle, uplink: 'up0', mode: 'switchdev', vfs: 2, quirks }]);
    const names = async () => (await sim.inventory()).nics[0]?.functions.map(each => each.representor?.name);
    expect((await names())?.every(name => name?.startsWith('eth'))).toBe(true);
    sim.settle();
    expect(await names()).toEqual(['up0r0', 'up0r1']);
  });

  it('loses and finds a NIC, in its defaults', async () => {
    const sim = new SimNics([{ handle, mode: 'switchdev', vfs: 2 }]);
    const events: (string | null)[] = [];
    sim.watch(event => events.push(event.nic));
    sim.vanish(handle);
    expect((await sim.inventory()).nics).toEqual([]);
    sim.comeBack(handle);
    const [nic] = (await sim.inventory()).nics;
    expect([nic?.eswitch?.mode, nic?.vfsEnabled]).toEqual(['legacy', 0]);
    expect(events).toEqual([handle, handle]);
  });

  it('refuses switchdev where the driver has none, and has no eswitch without devlink', async () => {
    const sim = new SimNics([
      { handle, quirks: { noSwitchdev: true } },
      { handle: 'pci/0000:01:00.0', devlink: false, driver: 'igb', vfDriver: 'igbvf', vfs: 2 },
    ]);
    const [result] = await sim.apply([{ verb: 'eswitch-mode', nic: handle, mode: 'switchdev' }]);
    expect(result?.errno).toBe(95);
    const igb = (await sim.inventory()).nics[1];
    expect([igb?.devlink, igb?.eswitch, igb?.functions[1]?.device]).toEqual([
      false,
      null,
      'pci/0000:01:00.3',
    ]);
  });

  it('hands a function to a driver of another kind and back', async () => {
    const sim = new SimNics([{ handle, vfs: 1 }]);
    const device = 'pci/0000:3b:00.2' as DeviceName;
    const vfio = { verb: 'bind-driver', device, driver: 'vfio-pci' } as const;
    expect((await sim.apply([{ ...vfio, override: false }]))[0]?.errno).toBe(19);
    expect((await sim.apply([{ ...vfio, override: true }]))[0]?.errno).toBe(0);
    const seen = (await sim.inventory()).nics[0]?.functions[0];
    expect([seen?.driver, seen?.netdev]).toEqual(['vfio-pci', null]);
    expect(sim.nic(handle).vfs[0]?.driverOverride).toBe('vfio-pci');
  });

  it('fails what a test says', async () => {
    const sim = new SimNics([{ handle }]);
    sim.failNext('num-vfs', 16, 'in use');
    const op = { verb: 'num-vfs', nic: handle, count: 1 } as const;
    expect(await sim.apply([op, op])).toEqual([
      { errno: 16, extack: 'in use' },
      { errno: 0, extack: '' },
    ]);
    expect(sim.log).toHaveLength(2);
  });
});
