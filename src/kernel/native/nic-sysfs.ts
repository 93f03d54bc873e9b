/**
 * Devices in sysfs, on whatever bus: what they are, which driver has them, which functions they have.
 * Works for every bus that gives SR-IOV devices the attributes of PCI.
 */
import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { DeviceName, PciId } from '../../model/nic.ts';

export const SYSFS = '/sys';

/** PCI class of network controllers, upper byte. */
const NETWORK_CLASS = '0x02';

export interface SysfsVf {
  readonly index: number;
  readonly device: DeviceName;
  readonly driver: string | null;
}

/** A subfunction of a PF, on the auxiliary bus. */
export interface SysfsSf {
  readonly number: number;
  readonly device: DeviceName;
  readonly driver: string | null;
}

export interface SysfsDevice {
  readonly driver: string | null;
  readonly ids: PciId | null;
  /** It is itself a VF. */
  readonly isVf: boolean;
  /** null: no SR-IOV. */
  readonly vfsTotal: number | null;
  readonly vfsEnabled: number;
  readonly vfs: readonly SysfsVf[];
  readonly sfs: readonly SysfsSf[];
}

export const devicePath = (device: string, root = SYSFS): string => {
  const at = device.indexOf('/');
  return join(root, 'bus', device.slice(0, at), 'devices', device.slice(at + 1));
};

/** `<bus>/<device>` of a path below /sys/devices. */
async function nameOf(path: string): Promise<DeviceName> {
  return `${basename(await readlink(join(path, 'subsystem')))}/${basename(path)}` as DeviceName;
}

/** Contents without the newline, null when it cannot be read. */
export async function readAttribute(path: string): Promise<string | null> {
  return readFile(path, 'latin1').then(
    text => text.trimEnd(),
    () => null,
  );
}

export async function driverOf(path: string): Promise<string | null> {
  return readlink(join(path, 'driver')).then(
    target => basename(target),
    () => null,
  );
}

/** Null for a device that is not there. */
export async function readDevice(device: string, root = SYSFS): Promise<SysfsDevice | null> {
  const path = devicePath(device, root);
  const entries = await readdir(path).catch(() => null);
  if (entries === null) return null;
  const number = async (name: string): Promise<number | null> => {
    const text = await readAttribute(join(path, name));
    return text === null ? null : Number(text);
  };
  const [driver, ids, vfsTotal, vfsEnabled, vfs, sfs] = await Promise.all([
    driverOf(path),
    readIds(path),
    number('sriov_totalvfs'),
    number('sriov_numvfs'),
    readVfs(path, entries),
    readSfs(path, entries),
  ]);
  return { driver, ids, isVf: entries.includes('physfn'), vfsTotal, vfsEnabled: vfsEnabled ?? 0, vfs, sfs };
}

async function readIds(path: string): Promise<PciId | null> {
  const names = ['vendor', 'device', 'subsystem_vendor', 'subsystem_device'];
  const [vendor, device, subsystemVendor, subsystemDevice] = await Promise.all(
    names.map(async name => (await readAttribute(join(path, name)))?.replace(/^0x/, '').toLowerCase()),
  );
  if (vendor === undefined || device === undefined) return null;
  return {
    ...{ vendor, device },
    ...{ subsystemVendor: subsystemVendor ?? '0000', subsystemDevice: subsystemDevice ?? '0000' },
  };
}

async function readVfs(path: string, entries: readonly string[]): Promise<SysfsVf[]> {
  const numbered = entries.flatMap(name => {
    const match = /^virtfn(\d+)$/.exec(name);
    return match === null ? [] : [{ name, index: Number(match[1]) }];
  });
  const found = await Promise.all(
    numbered.map(async ({ name, index }): Promise<SysfsVf | null> => {
      try {
        const target = await realpath(join(path, name));
        return { index, device: await nameOf(target), driver: await driverOf(target) };
      } catch {
        // Gone between the listing and now.
        return null;
      }
    }),
  );
  return found.filter(vf => vf !== null).sort((a, b) => a.index - b.index);
}

/** SFs are auxiliary devices below their PF with a file `sfnum`. */
async function readSfs(path: string, entries: readonly string[]): Promise<SysfsSf[]> {
  const found = await Promise.all(
    entries
      .filter(name => /\.sf\.\d+$/.test(name))
      .map(async (name): Promise<SysfsSf | null> => {
        const number = await readAttribute(join(path, name, 'sfnum'));
        const device = `auxiliary/${name}` as DeviceName;
        return number === null
          ? null
          : { number: Number(number), device, driver: await driverOf(join(path, name)) };
      }),
  );
  return found.filter(sf => sf !== null).sort((a, b) => a.number - b.number);
}

/** PCI network devices that can have VFs and are none: NICs, with or without devlink. */
export async function sriovDevices(root = SYSFS): Promise<DeviceName[]> {
  const bus = join(root, 'bus/pci/devices');
  const names = await readdir(bus).catch(() => []);
  const found = await Promise.all(
    names.map(async name => {
      const isNetwork = (await readAttribute(join(bus, name, 'class')))?.startsWith(NETWORK_CLASS) ?? false;
      if (!isNetwork || (await readAttribute(join(bus, name, 'sriov_totalvfs'))) === null) return null;
      return `pci/${name}` as DeviceName;
    }),
  );
  return found.filter(device => device !== null);
}
