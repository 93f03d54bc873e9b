/** How devlink, links and sysfs are joined; the guests of the vm lane have it from a real kernel. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bindDriver, resetFunction, setVfs, writeAttribute } from '../../src/kernel/native/nic-drivers.ts';
import type { LinkFacts, NicDumps, PortRecord } from '../../src/kernel/native/nic-dumps.ts';
import { joinNic, type NicParts } from '../../src/kernel/native/nic-inventory.ts';
import { paramsOf } from '../../src/kernel/native/nic-params.ts';
import {
  DEVLINK_PARAM,
  DEVLINK_PORT,
  DEVLINK_REC,
  NIC_LINK,
  PORT_FLAVOUR,
} from '../../src/kernel/native/nic-records.ts';
import { readDevice } from '../../src/kernel/native/nic-sysfs.ts';
import { type DeviceName, type DevlinkHandle, functionKey } from '../../src/model/nic.ts';

const PF0 = 'pci/0000:3b:00.0' as DevlinkHandle;
const PF1 = 'pci/0000:3b:00.1' as DevlinkHandle;

/** A record with the fields given and zeros elsewhere, as C would write it. */
function filled<T>(
  layout: { size: number; encode(b: Buffer, at: number, v: never): void; decode(b: Buffer, at: number): T },
  values: object,
): T {
  const buffer = Buffer.alloc(layout.size);
  layout.encode(buffer, 0, values as never);
  return layout.decode(buffer, 0);
}

const dev = (handle: string) => ({ bus: handle.split('/')[0], dev: handle.slice(handle.indexOf('/') + 1) });
const port = (handle: string, values: object): PortRecord =>
  filled(DEVLINK_PORT, { ...dev(handle), ...values }) as PortRecord;
const link = (parent: string, ifindex: number, name: string): LinkFacts =>
  filled(NIC_LINK, { ifindex, name, parent_bus: dev(parent).bus, parent_dev: dev(parent).dev }) as LinkFacts;
const HAS_VF = 7;

function dumps(change: Partial<NicDumps> = {}): NicDumps {
  const switchdev = (handle: string) => filled(DEVLINK_REC, { ...dev(handle), has: 5, mode: 1, encap: 1 });
  return {
    instances: [switchdev(PF0), switchdev(PF1)] as unknown as NicDumps['instances'],
    ...{ infos: [], rates: [], health: [], vfs: [], problems: [] },
    ports: [
      port(PF0, { index: 0, flavour: PORT_FLAVOUR.physical, ifindex: 2 }),
      port(PF1, { index: 0, flavour: PORT_FLAVOUR.physical, ifindex: 3 }),
      port(PF0, { index: 1, flavour: PORT_FLAVOUR.pciVf, ifindex: 10, has: HAS_VF, pf: 0, vf: 0 }),
      port(PF1, { index: 1, flavour: PORT_FLAVOUR.pciVf, ifindex: 11, has: HAS_VF, pf: 1, vf: 0 }),
    ],
    links: [
      link(PF0, 2, 'p0'),
      link(PF1, 3, 'p1'),
      // Named for each other: names decide nothing.
      link(PF0, 10, 'p1r0'),
      link(PF1, 11, 'p0r0'),
      link('pci/0000:3b:00.2', 20, 'eth7'),
    ],
    ...change,
  };
}

function parts(handle: DevlinkHandle, change: Partial<NicDumps> = {}): NicParts {
  const vf = (index: number, device: string) => ({
    index,
    device: device as DeviceName,
    driver: 'mlx5_core',
  });
  const vfs = handle === PF0 ? [vf(0, 'pci/0000:3b:00.2')] : [vf(0, 'pci/0000:3b:01.2')];
  const device = { driver: 'mlx5_core', ids: null, isVf: false, vfsTotal: 8, vfsEnabled: 1, vfs, sfs: [] };
  return { handle, dumps: dumps(change), device, resources: [], offloads: new Map(), problems: [] };
}

describe('the inventory', () => {
  it('keeps VFs of the same number on two PFs of one device apart', () => {
    const [first, second] = [joinNic(parts(PF0)), joinNic(parts(PF1))];
    expect(first.functions.map(each => [functionKey(each.ref), each.representor?.ifindex])).toEqual([
      [`${PF0}/c0pf0vf0`, 10],
    ]);
    expect(second.functions.map(each => [functionKey(each.ref), each.representor?.ifindex])).toEqual([
      [`${PF1}/c0pf1vf0`, 11],
    ]);
    expect([first.functions[0]?.netdev?.name, second.functions[0]?.netdev]).toEqual(['eth7', null]);
    expect([first.uplinks[0]?.ifindex, second.uplinks[0]?.ifindex]).toEqual([2, 3]);
  });

  it('has the same tuples in legacy mode, where no port tells them', () => {
    const ports = dumps().ports.filter(each => each.flavour === PORT_FLAVOUR.physical);
    const { functions } = joinNic(parts(PF1, { ports }));
    expect(functions.map(each => functionKey(each.ref))).toEqual([`${PF1}/c0pf1vf0`]);
  });

  it('waits for a representor that has no netdev yet, and says so', () => {
    const late = dumps().ports.map(each => (each.ifindex === 10 ? { ...each, ifindex: 0 } : each));
    const nic = joinNic(parts(PF0, { ports: late }));
    expect(nic.functions[0]?.representor).toBeNull();
    expect(nic.problems).toEqual([`no representor yet of ${PF0}/c0pf0vf0`]);
  });

  it('knows that functions of another controller have no device here', () => {
    const far = port(PF0, {
      ...{ index: 9, flavour: PORT_FLAVOUR.pciVf, ifindex: 10 },
      ...{ has: HAS_VF, controller: 1, pf: 0, vf: 0, external: 1 },
    });
    const nic = joinNic(parts(PF0, { ports: [...dumps().ports, far] }));
    const found = nic.functions.find(each => each.ref.controller === 1);
    expect([found?.device, found?.netdev, found?.vf]).toEqual([null, null, null]);
    expect(nic.functions).toHaveLength(2);
  });

  it('says when the uplink is elsewhere', () => {
    const links = dumps().links.filter(each => each.ifindex !== 2);
    expect(joinNic(parts(PF0, { links })).problems).toContain('it has no netdev in the host namespace');
  });

  it('groups the values of parameters', () => {
    const value = (cmode: number, number: bigint) =>
      filled(DEVLINK_PARAM, { name: 'enable_sriov', type: 6, cmode, number });
    expect(paramsOf([value(0, 1n), value(2, 0n)] as never)).toEqual([
      {
        name: 'enable_sriov',
        type: 'bool',
        values: [
          { cmode: 'runtime', value: 'true' },
          { cmode: 'permanent', value: 'false' },
        ],
      },
    ]);
  });
});

describe('sysfs of any bus', () => {
  let root: string;
  const bus = () => join(root, 'bus/any');
  const put = async (path: string, text: string): Promise<void> => {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text);
  };

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'sysfs-'));
    await mkdir(join(bus(), 'devices'), { recursive: true });
    await mkdir(join(bus(), 'drivers/nicdrv'), { recursive: true });
    for (const name of ['pf', 'vf']) {
      await mkdir(join(root, 'devices', name), { recursive: true });
      await symlink(join(root, 'devices', name), join(bus(), 'devices', name));
      await symlink(bus(), join(root, 'devices', name, 'subsystem'));
    }
    await put('devices/pf/sriov_totalvfs', '4\n');
    await put('devices/pf/sriov_numvfs', '1\n');
    await put('devices/pf/vendor', '0x15b3\n');
    await put('devices/pf/device', '0x101D\n');
    await symlink(join(root, 'devices/vf'), join(root, 'devices/pf/virtfn0'));
    await symlink(join(root, 'devices/pf'), join(root, 'devices/vf/physfn'));
    await symlink(join(bus(), 'drivers/nicdrv'), join(root, 'devices/vf/driver'));
  });
  afterEach(() => rm(root, { recursive: true }));

  it('shows a PF with its VFs and their drivers', async () => {
    expect(await readDevice('any/pf', root)).toEqual({
      ...{ driver: null, isVf: false, vfsTotal: 4, vfsEnabled: 1, sfs: [] },
      ids: { vendor: '15b3', device: '101d', subsystemVendor: '0000', subsystemDevice: '0000' },
      vfs: [{ index: 0, device: 'any/vf', driver: 'nicdrv' }],
    });
    expect((await readDevice('any/vf', root))?.isVf).toBe(true);
    expect(await readDevice('any/none', root)).toBeNull();
  });

  it('writes the number of VFs unless it is that', async () => {
    const pf = 'any/pf' as DevlinkHandle;
    expect(await setVfs(pf, 1, root)).toEqual({ errno: 0, extack: '' });
    expect(await setVfs(pf, 0, root)).toEqual({ errno: 0, extack: '' });
    expect(await readFile(join(root, 'devices/pf/sriov_numvfs'), 'latin1')).toBe('0\n');
    expect((await setVfs('any/vf' as DevlinkHandle, 1, root)).extack).toBe('any/vf has no SR-IOV');
    expect((await setVfs('any/none' as DevlinkHandle, 1, root)).errno).toBe(19);
  });

  it('resets a device only as the function that it is', async () => {
    await put('devices/vf/reset', '');
    const ref = { nic: 'any/pf' as DevlinkHandle, controller: 0, pf: 0, kind: 'vf', index: 0 } as const;
    expect((await resetFunction(ref, 'any/vf' as DeviceName, root)).errno).toBe(0);
    expect(await readFile(join(root, 'devices/vf/reset'), 'latin1')).toBe('1');
    expect((await resetFunction({ ...ref, index: 1 }, 'any/vf' as DeviceName, root)).errno).toBe(19);
  });

  it('takes a driver off whose reset would hang the device', async () => {
    await put('devices/vf/reset', '');
    for (const name of ['bind', 'unbind']) await put(`bus/any/drivers/igbvf/${name}`, '');
    await rm(join(root, 'devices/vf/driver'));
    await symlink(join(bus(), 'drivers/igbvf'), join(root, 'devices/vf/driver'));
    const ref = { nic: 'any/pf' as DevlinkHandle, controller: 0, pf: 0, kind: 'vf', index: 0 } as const;
    expect((await resetFunction(ref, 'any/vf' as DeviceName, root)).errno).toBe(0);
    for (const name of ['bind', 'unbind'])
      expect(await readFile(join(bus(), 'drivers/igbvf', name), 'latin1')).toBe('vf');
  });

  it('says what is wrong with a driver', async () => {
    const vf = 'any/vf' as DeviceName;
    expect((await bindDriver(vf, 'nicdrv', false, root)).errno).toBe(0);
    expect(await bindDriver(vf, 'vfio-pci', true, root)).toEqual({
      errno: 2,
      extack: 'no driver vfio-pci: is its module loaded?',
    });
  });

  it('does not make an attribute that is not there', async () => {
    expect((await writeAttribute(join(root, 'devices/pf/nothing'), '1')).errno).toBe(2);
  });
});
