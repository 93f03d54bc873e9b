/** Changes of NICs that go through sysfs: VFs, drivers, resets. A driver that hangs costs a deadline. */
import { constants } from 'node:fs';
import { access, open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { ERRNO } from '../../lib/errno.ts';
import type { DeviceName, DevlinkHandle, FunctionRef } from '../../model/nic.ts';
import type { OpResult } from '../port.ts';
import { DONE } from './batch.ts';
import { devicePath, driverOf, readAttribute, SYSFS } from './nic-sysfs.ts';

/** 128 VFs of a real NIC take half a minute. */
const DEADLINE_MS = 120_000;

const failed = (errno: number, extack: string): OpResult => ({ errno, extack });

interface SystemError extends Error {
  readonly errno?: number;
}

/**
 * Writes a sysfs attribute that exists. After the deadline the write goes on behind (a thread is in the
 * kernel), and the result says so.
 */
export async function writeAttribute(
  path: string,
  value: string,
  deadlineMs = DEADLINE_MS,
): Promise<OpResult> {
  const write = async (): Promise<OpResult> => {
    try {
      // Neither made nor cut, and not read: some attributes can only be written.
      const file = await open(path, constants.O_WRONLY);
      try {
        await file.write(value);
      } finally {
        await file.close();
      }
      return DONE;
    } catch (error) {
      const { errno = -ERRNO.EIO, message } = error as SystemError;
      return failed(Math.abs(errno), message);
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<OpResult>(resolve => {
    timer = setTimeout(() => {
      resolve(failed(ERRNO.ETIMEDOUT, `${path}: the driver has not answered in ${deadlineMs / 1000} s`));
    }, deadlineMs);
    timer.unref();
  });
  const result = await Promise.race([write(), late]);
  clearTimeout(timer);
  return result;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** sysfs gives an errno only: what it means here, in words. */
export async function setVfs(nic: DevlinkHandle, count: number, root = SYSFS): Promise<OpResult> {
  const path = devicePath(nic, root);
  const file = join(path, 'sriov_numvfs');
  const [now, total] = await Promise.all([readAttribute(file), readAttribute(join(path, 'sriov_totalvfs'))]);
  if (now === null) {
    if (await exists(path)) return failed(ERRNO.EOPNOTSUPP, `${nic} has no SR-IOV`);
    return failed(ERRNO.ENODEV, `no device ${nic}`);
  }
  if (Number(now) === count) return DONE;
  const result = await writeAttribute(file, String(count));
  if (result.errno === ERRNO.EBUSY && Number(now) > 0 && count > 0)
    return failed(ERRNO.EBUSY, `${now} VFs are enabled already: they must be disabled first`);
  if (result.errno === ERRNO.ERANGE) return failed(ERRNO.ERANGE, `${nic} can have ${total} VFs at most`);
  if (result.errno === ERRNO.ENOENT)
    return failed(ERRNO.ENOENT, `no driver that makes VFs is bound to ${nic}`);
  return result;
}

/**
 * Drivers that must not be bound during a reset. igbvf (6.1 to 6.12 at least) stops its NAPI context twice
 * when the link is down, waits for ever in the kernel, and holds the device.
 */
const HANG_IN_RESET: ReadonlySet<string> = new Set(['igbvf']);

/**
 * The device is that function's: a VF that was given away must not be reset by its old number. With a
 * driver that hangs in resets the netdev is a new one afterwards.
 */
export async function resetFunction(ref: FunctionRef, device: DeviceName, root = SYSFS): Promise<OpResult> {
  const path = devicePath(device, root);
  const link = join(devicePath(ref.nic, root), `virtfn${ref.index}`);
  const [target, own] = await Promise.all([link, path].map(each => realpath(each).catch(() => null)));
  if (ref.kind !== 'vf' || own === null || target !== own)
    return failed(ERRNO.ENODEV, `${device} is not VF ${ref.index} of ${ref.nic}`);
  const driver = await driverOf(path);
  if (driver === null || !HANG_IN_RESET.has(driver)) return resetDevice(device, path);
  const name = device.slice(device.indexOf('/') + 1);
  const bind = join(await realpath(join(path, 'driver')), 'bind');
  const unbound = await writeAttribute(join(path, 'driver/unbind'), name);
  if (unbound.errno !== 0) return unbound;
  const result = await resetDevice(device, path);
  const bound = await writeAttribute(bind, name);
  return result.errno === 0 ? bound : result;
}

async function resetDevice(device: DeviceName, path: string): Promise<OpResult> {
  const result = await writeAttribute(join(path, 'reset'), '1');
  if (result.errno === ERRNO.ENOENT) return failed(ERRNO.EOPNOTSUPP, `${device} cannot be reset`);
  return result;
}

/** A word that is no override, so that the usual driver takes the device again. */
const NO_OVERRIDE = '\n';

export async function bindDriver(
  device: DeviceName,
  driver: string | null,
  override: boolean,
  root = SYSFS,
): Promise<OpResult> {
  const path = devicePath(device, root);
  const at = device.indexOf('/');
  const [bus, name] = [join(root, 'bus', device.slice(0, at)), device.slice(at + 1)];
  if (!(await exists(path))) return failed(ERRNO.ENODEV, `no device ${device}`);
  const before = await driverOf(path);
  if (before === driver) return DONE;
  if (driver !== null && !(await exists(join(bus, 'drivers', driver))))
    return failed(ERRNO.ENOENT, `no driver ${driver}: is its module loaded?`);
  if (before !== null) {
    const unbound = await writeAttribute(join(path, 'driver/unbind'), name);
    if (unbound.errno !== 0) return unbound;
  }
  if (await exists(join(path, 'driver_override'))) {
    const wanted = driver !== null && override ? driver : NO_OVERRIDE;
    const set = await writeAttribute(join(path, 'driver_override'), wanted);
    if (set.errno !== 0) return set;
  } else if (driver !== null && override) {
    return failed(ERRNO.EOPNOTSUPP, `${device} has no driver_override`);
  }
  if (driver === null) return DONE;
  const bound = await writeAttribute(join(bus, 'drivers', driver, 'bind'), name);
  if ((await driverOf(path)) === driver) return DONE;
  if (bound.errno !== 0 && bound.errno !== ERRNO.ENODEV) return bound;
  return failed(ERRNO.ENODEV, `driver ${driver} does not take ${device}`);
}
