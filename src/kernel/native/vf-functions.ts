/** NIC functions by their tuple, and where their netdevs are. */
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type DeviceName, type FunctionKey, functionKey, type NicFunction } from '../../model/nic.ts';
import type { NativeContext } from './context.ts';

/** Where engines and administrators keep namespaces. */
const NETNS_DIRS = ['/run/docker/netns', '/run/netns'];
/** Representors come a moment after their functions, by way of the driver's own workqueue. */
const LATE_MS = 50;
const LATE_LOOKS = 20;

export type Functions = ReadonlyMap<FunctionKey, NicFunction>;

export async function functionsByKey({ nics }: NativeContext): Promise<Functions> {
  if (nics === null) return new Map();
  const { nics: all } = await nics.inventory();
  return new Map(all.flatMap(nic => nic.functions.map(each => [functionKey(each.ref), each] as const)));
}

/** As `functionsByKey`, once each of `wanted` that exists has its representor, or a second has passed. */
export async function functionsWith(
  context: NativeContext,
  wanted: readonly FunctionKey[],
): Promise<Functions> {
  for (let look = 1; ; look++) {
    const found = await functionsByKey(context);
    const isLate = wanted.some(key => found.get(key)?.representor === null);
    if (!isLate || look === LATE_LOOKS) return found;
    await new Promise(resolve => setTimeout(resolve, LATE_MS));
  }
}

/** A netdev in another namespace: the path to it and its name there. */
export interface Away {
  readonly netns: string;
  readonly name: string;
}

/** Drivers that hand a function to a virtual machine or to user space: it has no netdev then. */
export function isPassthrough(driver: string): boolean {
  return /vfio|uio/.test(driver);
}

/** Looks in `likely`, then in every namespace that has a name, then in those of processes. */
export async function findAway(
  { nics }: NativeContext,
  device: DeviceName,
  likely: readonly string[],
): Promise<Away | null> {
  if (nics === null) return null;
  const look = async (netns: string): Promise<Away | null> => {
    const name = await nics.functionIn(netns, device).catch(() => null);
    return name === null ? null : { netns, name };
  };
  for (const places of [async () => likely, namedPlaces, processPlaces]) {
    for (const netns of await places()) {
      const found = await look(netns);
      if (found !== null) return found;
    }
  }
  return null;
}

async function namedPlaces(): Promise<string[]> {
  const lists = await Promise.all(
    NETNS_DIRS.map(async dir => (await readdir(dir).catch(() => [])).map(name => join(dir, name))),
  );
  return lists.flat();
}

/** One path for each namespace that some process is in, besides our own. */
async function processPlaces(): Promise<string[]> {
  const own = await readlink('/proc/self/ns/net').catch(() => '');
  const places = new Map<string, string>();
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    const path = `/proc/${pid}/ns/net`;
    const id = await readlink(path).catch(() => own);
    if (id !== own && !places.has(id)) places.set(id, path);
  }
  return [...places.values()];
}
