/** Questions about an inventory's functions that several parts ask. */
import { altnameMark, linkRole } from '../ir/names.ts';
import type { Identity } from '../model/intent.ts';
import { type FunctionKey, functionKey, type Inventory, type NicFunction } from '../model/nic.ts';

export function functionsOf({ nics }: Inventory): ReadonlyMap<FunctionKey, NicFunction> {
  return new Map(nics.flatMap(nic => nic.functions.map(each => [functionKey(each.ref), each] as const)));
}

/** Whether a function is the port of an endpoint now: its representor carries our mark. */
export function isPortNow(identity: Identity, { representor }: NicFunction): boolean {
  const mark = altnameMark(identity);
  return (representor?.altnames ?? []).some(
    name => name.startsWith(mark) && linkRole(identity, name.slice(mark.length)) !== null,
  );
}
