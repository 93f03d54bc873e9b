/**
 * Tells the physical network where a container's addresses are, once its link is up in the sandbox.
 * Not every engine does that (20.10 does not), and a station that knew another MAC for the address would go on
 * sending there for half a minute.
 */
import type { KernelPort } from '../kernel/port.ts';
import type { EndpointId } from '../lib/brand.ts';
import type { Store } from '../store/port.ts';
import type { Clock } from './clock.ts';

/** A NIC's link may take seconds to come up, and nobody acknowledges an announcement. */
const AFTER_MS = [0, 1_000, 3_000];
const FORGET_AFTER_MS = 4_000;

export class Announcer {
  readonly #kernel: Pick<KernelPort, 'announce'>;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #waiting = new Map<EndpointId, (() => void)[]>();

  constructor(kernel: Pick<KernelPort, 'announce'>, store: Store, clock: Clock) {
    this.#kernel = kernel;
    this.#store = store;
    this.#clock = clock;
  }

  /** Announces the endpoint now and twice more, if it is on the physical network. */
  announce(id: EndpointId): void {
    this.forget(id);
    const endpoint = this.#store.endpoint(id);
    if (endpoint === null || this.#store.network(endpoint.networkId)?.type !== 'vlan') return;
    const cancels = AFTER_MS.map(delayMs => this.#clock.after(delayMs, () => void this.#send(id)));
    cancels.push(this.#clock.after(FORGET_AFTER_MS, () => void this.#waiting.delete(id)));
    this.#waiting.set(id, cancels);
  }

  forget(id: EndpointId): void {
    for (const cancel of this.#waiting.get(id) ?? []) cancel();
    this.#waiting.delete(id);
  }

  stop(): void {
    for (const id of [...this.#waiting.keys()]) this.forget(id);
  }

  /** As the endpoint is at that moment; one that is away meanwhile needs no announcement. */
  async #send(id: EndpointId): Promise<void> {
    const endpoint = this.#store.endpoint(id);
    const { key: netns, ifname = null } = endpoint?.sandbox ?? { key: '' };
    if (endpoint === null || ifname === null) return;
    const addresses = [endpoint.ip4, endpoint.ip6].filter(cidr => cidr !== null);
    await this.#kernel.announce({ netns, ifname, mac: endpoint.mac, addresses }).catch(() => false);
  }
}
