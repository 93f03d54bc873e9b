/** Questions about an inventory's functions that several parts ask. */
import { altnameMark, linkRole } from '../ir/names.ts';
import type { Identity } from '../model/intent.ts';
import { type FunctionKey, functionKey, type Inventory, type NicFunction } from '../model/nic.ts';

export function functionsOf({ nics }: Inventory): ReadonlyMap<FunctionKey, NicFunction> {
  return new Map(nics.flatMap(nic => nic.functions.map(each => [functionKey(each.ref), each] as const)));
}

/**
 * Whether a function is the port of an endpoint now: its representor carries our mark, or where there is
 * none (legacy mode) its netdev, while that is in the host's namespace.
 */
export function isPortNow(identity: Identity, { representor, netdev }: NicFunction): boolean {
  const mark = altnameMark(identity);
  return ((representor ?? netdev)?.altnames ?? []).some(
    name => name.startsWith(mark) && linkRole(identity, name.slice(mark.length)) !== null,
  );
}

/** A VF in legacy mode whose netdev is elsewhere: nothing in the host shows whose it is. */
export function isDirectAway({ representor, netdev, driver, vf }: NicFunction): boolean {
  return representor === null && netdev === null && driver !== null && vf !== null;
}
