/** Netdevs of the model's NICs, and the namespaces they are in. */
import type { Ifindex, Mac } from '../../lib/brand.ts';
import type { NicLink } from '../../model/nic.ts';

/** Name of the host's namespace in this model. */
export const HOST = '';

export interface SimLink {
  name: string;
  ifindex: Ifindex;
  altnames: readonly string[];
  mac: Mac;
  /** Bytes. */
  mtu: number;
  up: boolean;
  netns: string;
}

export class SimWorld {
  readonly #links = new Set<SimLink>();
  #nextIfindex = 2;

  /** A link in the host's namespace; name null: the next free `eth<n>`. */
  add(name: string | null, mac: Mac): SimLink {
    const link: SimLink = {
      ...{ name: '', ifindex: this.#nextIfindex++ as Ifindex, altnames: [], mac, mtu: 1500 },
      ...{ up: false, netns: HOST },
    };
    link.name = name !== null && this.find(HOST, name) === undefined ? name : this.#free('eth');
    this.#links.add(link);
    return link;
  }

  remove(link: SimLink | null): void {
    if (link !== null) this.#links.delete(link);
  }

  find(netns: string, name: string): SimLink | undefined {
    return [...this.#links].find(link => link.netns === netns && link.name === name);
  }

  in(netns: string): SimLink[] {
    return [...this.#links].filter(link => link.netns === netns);
  }

  /** Back in the host's namespace, as the kernel does it: renamed when the name is taken there. */
  bringHome(link: SimLink): void {
    const taken = this.find(HOST, link.name) !== undefined;
    link.netns = HOST;
    link.up = false;
    if (taken) link.name = `dev${link.ifindex}`;
  }

  #free(prefix: string): string {
    for (let n = 0; ; n++) {
      if (this.find(HOST, `${prefix}${n}`) === undefined) return `${prefix}${n}`;
    }
  }
}

/** As the host's namespace shows it; null when it is not there. */
export function shown(link: SimLink | null): NicLink | null {
  if (link === null || link.netns !== HOST) return null;
  const { name, ifindex, altnames, mac, mtu, up } = link;
  return { name, ifindex, altnames, mac, mtu, up };
}
