/**
 * Notices when the function of an endpoint goes (unbound, its VFs disabled, its NIC reset) or comes back,
 * so that the reconciler looks at once: no link that it knows tells it.
 */
import { isMarked } from '../ir/names.ts';
import type { Identity } from '../model/intent.ts';
import { type FunctionKey, functionKey, type Inventory, type NicFunction } from '../model/nic.ts';
import type { Store } from '../store/port.ts';
import { functionsOf, isDirectAway, isPortNow } from './functions.ts';

interface Seen {
  readonly serves: boolean;
  /** What changes when a side is another one, or the driver. */
  readonly sides: string;
}

export class PortWatch {
  readonly #store: Pick<Store, 'vfs'>;
  readonly #identity: Identity;
  readonly #look: () => void;
  #seen: ReadonlyMap<FunctionKey, Seen> = new Map();

  /** `look`: the ports are to be looked at. */
  constructor(store: Pick<Store, 'vfs'>, identity: Identity, look: () => void) {
    this.#store = store;
    this.#identity = identity;
    this.#look = look;
  }

  /** A new inventory. Ports being made, and functions that leave for a sandbox, are no news. */
  changed(inventory: Inventory): void {
    const functions = functionsOf(inventory);
    const before = this.#seen;
    const now = new Map<FunctionKey, Seen>();
    for (const { ref, state } of this.#store.vfs()) {
      const key = functionKey(ref);
      if (state === 'used') now.set(key, this.#seeOne(functions.get(key)));
    }
    this.#seen = now;
    const isNews = [...now].some(([key, { serves, sides }]) => {
      const last = before.get(key);
      return !serves && last !== undefined && (last.serves || last.sides !== sides);
    });
    if (isNews) this.#look();
  }

  #seeOne(found: NicFunction | undefined): Seen {
    if (found === undefined) return { serves: false, sides: 'absent' };
    const { representor, netdev, driver } = found;
    const isHome = netdev === null || isMarked(this.#identity, netdev.altnames);
    return {
      serves: isDirectAway(found) || (driver !== null && isHome && isPortNow(this.#identity, found)),
      sides: `${representor?.ifindex} ${driver} ${netdev?.ifindex}`,
    };
  }
}
