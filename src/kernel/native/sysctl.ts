/** Network sysctls through /proc/sys, which shows those of the reader's network namespace. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Sysctl } from '../../ir/resource.ts';
import { ERRNO } from '../../lib/errno.ts';
import type { OpResult } from '../port.ts';
import { DONE } from './batch.ts';

/** Host-wide switches that forwarding needs; never turned off again, others may rely on them. */
export const GLOBAL_SYSCTLS: readonly string[] = ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding'];

/** What a gateway port's function side has set. */
export function gatewaySysctls(link: string): string[] {
  return [`net/ipv4/conf/${link}/route_localnet`, `net/ipv4/conf/${link}/rp_filter`];
}

const ALLOWED = /^net\/(ipv4|ipv6)\/[A-Za-z0-9_./-]+$/;

/** Those of `paths` that exist. */
export async function readSysctls(paths: readonly string[]): Promise<Sysctl[]> {
  const found = await Promise.all(
    paths.map(async (path): Promise<Sysctl[]> => {
      try {
        const value = (await readFile(`/proc/sys/${path}`, 'utf8')).trim();
        return [{ kind: 'sysctl', key: `sysctl/${path}`, path, value }];
      } catch {
        return [];
      }
    }),
  );
  return found.flat();
}

export async function writeSysctl(sysctl: Sysctl): Promise<OpResult> {
  if (!ALLOWED.test(sysctl.path) || sysctl.path.includes('..'))
    return { errno: ERRNO.EINVAL, extack: `${sysctl.path} is not a network sysctl` };
  try {
    await writeFile(`/proc/sys/${sysctl.path}`, sysctl.value);
    return DONE;
  } catch (error) {
    return failure(error);
  }
}

/** A failed system call of Node as a result. */
export function failure(error: unknown): OpResult {
  const errno = (error as NodeJS.ErrnoException).errno;
  const extack = error instanceof Error ? error.message : String(error);
  return { errno: typeof errno === 'number' && errno !== 0 ? Math.abs(errno) : ERRNO.EIO, extack };
}
