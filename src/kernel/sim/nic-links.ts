/** Netdevs of the model's NICs: links of the model's kernel that their drivers made. */
import type { Ifindex, Mac } from '../../lib/brand.ts';
import type { NicLink } from '../../model/nic.ts';
import { HOST, type SimLink, type SimState } from './state.ts';

export class SimWorld {
  readonly state: SimState;

  constructor(state: SimState) {
    this.state = state;
  }

  /** A link in the host's namespace; name null: the next free `eth<n>`. */
  add(name: string | null, mac: Mac): SimLink {
    const { state } = this;
    const free = name !== null && !state.isTaken(HOST, name) ? name : this.#free('eth');
    const ifindex = state.nextIfindex();
    return state.add({ name: free, ifindex, peer: null, mac, mtu: 1500, up: false, physical: true });
  }

  remove(link: SimLink | null): void {
    if (link !== null) this.state.remove(link);
  }

  move(link: SimLink, netns: string, name: string): void {
    this.state.move(link, netns, name);
  }

  #free(prefix: string): string {
    for (let n = 0; ; n++) {
      if (!this.state.isTaken(HOST, `${prefix}${n}`)) return `${prefix}${n}`;
    }
  }
}

/** As the host's namespace shows it; null when it is not there. */
export function shown(link: SimLink | null): NicLink | null {
  if (link === null || link.netns !== HOST) return null;
  const { name, ifindex, altnames, mac, mtu, up } = link;
  return { name, ifindex: ifindex as Ifindex, altnames: [...altnames], mac, mtu, up };
}
