/** What hardware forwarded, by endpoint, added up over rules that come and go. */
import type { EndpointId } from '../lib/brand.ts';

export interface HardwareTotals {
  /** From the endpoint and to it. */
  readonly txPackets: number;
  readonly txBytes: number;
  readonly rxPackets: number;
  readonly rxBytes: number;
}

export const NO_TOTALS: HardwareTotals = { txPackets: 0, txBytes: 0, rxPackets: 0, rxBytes: 0 };

interface Sums {
  txPackets: number;
  txBytes: number;
  rxPackets: number;
  rxBytes: number;
}

export class Totals {
  readonly #byEndpoint = new Map<EndpointId, Sums>();

  add(src: EndpointId, dst: EndpointId, packets: number, bytes: number): void {
    const from = this.#sums(src);
    from.txPackets += packets;
    from.txBytes += bytes;
    const to = this.#sums(dst);
    to.rxPackets += packets;
    to.rxBytes += bytes;
  }

  of(endpoint: EndpointId): HardwareTotals {
    return this.#byEndpoint.get(endpoint) ?? NO_TOTALS;
  }

  /** Endpoints that are no more take their figures with them, as their ports' counters do. */
  keep(isThere: (endpoint: EndpointId) => boolean): void {
    for (const id of this.#byEndpoint.keys()) if (!isThere(id)) this.#byEndpoint.delete(id);
  }

  #sums(endpoint: EndpointId): Sums {
    let sums = this.#byEndpoint.get(endpoint);
    if (sums === undefined) {
      sums = { ...NO_TOTALS };
      this.#byEndpoint.set(endpoint, sums);
    }
    return sums;
  }
}
