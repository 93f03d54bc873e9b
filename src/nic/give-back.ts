/** One function given back: out of any namespace, reset, and as its snapshot says. Safe to do again. */
import type { NicPort } from '../kernel/nic-port.ts';
import type { KernelPort, OpResult } from '../kernel/port.ts';
import { ERRNO, errnoName } from '../lib/errno.ts';
import type { NicFunction } from '../model/nic.ts';
import type { FunctionSnapshot, VfLease } from '../model/vf-lease.ts';

export interface GiveBackDeps {
  readonly nics: Pick<NicPort, 'apply'>;
  readonly kernel: Pick<KernelPort, 'giveBack'>;
}

/** Answers that mean: this device has no reset of its own. Its links are restored all the same. */
const NO_RESET: readonly number[] = [ERRNO.EOPNOTSUPP, ERRNO.ENOENT, ERRNO.ENOTTY];

/**
 * null, or what went wrong. `isOurs` is asked before each step that changes the function: false when the
 * ledger's row is not this one any more, and then nothing more is done. The reset comes after the links
 * are home and before they are restored: it takes what the last user set, and settings of ours with it.
 */
export async function giveFunctionBack(
  { nics, kernel }: GiveBackDeps,
  { ref, snapshot }: VfLease,
  { device }: NicFunction,
  isOurs: () => boolean,
): Promise<string | null> {
  const home = await kernel.giveBack(ref, null);
  if (home.errno !== 0) return words('taking it back', home);
  if (!isOurs()) return null;
  if (device !== null) {
    const [reset] = await nics.apply([{ verb: 'function-reset', ref, device }]);
    const isFine = reset === undefined || reset.errno === 0 || NO_RESET.includes(reset.errno);
    if (!isFine) return words('its reset', reset);
  }
  if (!isOurs()) return null;
  const restored = await restoreAttributes(nics, ref, snapshot);
  if (restored !== null) return restored;
  const given = await kernel.giveBack(ref, snapshot);
  return given.errno === 0 ? null : words('restoring its links', given);
}

/** What the NIC keeps for the function. A mode that keeps nothing of that kind has nothing to restore. */
async function restoreAttributes(
  nics: Pick<NicPort, 'apply'>,
  ref: VfLease['ref'],
  { hwAddr, vf }: FunctionSnapshot,
): Promise<string | null> {
  const results = await nics.apply([
    ...(hwAddr === null ? [] : [{ verb: 'function-mac', ref, mac: hwAddr } as const]),
    ...(vf === null ? [] : [{ verb: 'vf-config', ref, config: vf } as const]),
  ]);
  const bad = results.find(({ errno }) => errno !== 0 && errno !== ERRNO.EOPNOTSUPP);
  return bad === undefined ? null : words('restoring its attributes', bad);
}

function words(what: string, { errno, extack }: OpResult): string {
  return `${what}: ${errnoName(errno)}${extack === '' ? '' : ` (${extack})`}`;
}
