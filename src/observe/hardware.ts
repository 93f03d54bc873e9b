/** What of the traffic hardware forwarded, and why not the rest. */
import type { EndpointId } from '../lib/brand.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { FlowRow, Offload } from '../offload/port.ts';
import { addTo, emptySum, type Sum } from './count.ts';

/** Traffic that no rule was asked for, or that passed before its rule was in. */
const REST = 'to or from the host, what software answers, and what came before its rule was in';

export interface HardwareSums {
  /** From the endpoint and to it. */
  readonly from: Sum;
  readonly to: Sum;
}

export class Hardware {
  readonly #offload: Offload;
  readonly #why: string;
  readonly #isThere: boolean;
  #byEndpoint: ReadonlyMap<EndpointId, FlowRow[]> | null = null;

  /** `why` says why this host has no better eswitch, for ports that hardware cannot reach. */
  constructor(offload: Offload, why: string) {
    this.#offload = offload;
    this.#why = why;
    this.#isThere = offload.tables().length > 0;
  }

  sums(endpoint: EndpointId): HardwareSums {
    const from = emptySum();
    const to = emptySum();
    if (this.#isThere) {
      const totals = this.#offload.totals(endpoint);
      addTo(from, BigInt(totals.txPackets), BigInt(totals.txBytes));
      addTo(to, BigInt(totals.rxPackets), BigInt(totals.rxBytes));
    }
    return { from, to };
  }

  /** Why packets of these endpoints pass in software. */
  reason(endpoints: readonly Endpoint[]): string {
    if (!this.#isThere) return this.#why;
    const onNic = endpoints.filter(({ vf }) => vf !== null);
    if (onNic.length === 0) return endpoints.find(({ fallback }) => fallback !== null)?.fallback ?? this.#why;
    const rows = new Set(onNic.flatMap(({ id }) => this.#rows().get(id) ?? []));
    return summary([...rows]);
  }

  #rows(): ReadonlyMap<EndpointId, FlowRow[]> {
    if (this.#byEndpoint !== null) return this.#byEndpoint;
    const found = new Map<EndpointId, FlowRow[]>();
    for (const row of this.#offload.rows()) {
      for (const id of [row.src, row.dst]) {
        const list = found.get(id);
        if (list === undefined) found.set(id, [row]);
        else list.push(row);
      }
    }
    this.#byEndpoint = found;
    return found;
  }
}

/** `4 of 18 rules are not in hardware: <the most frequent reason>`. */
export function summary(rows: readonly FlowRow[]): string {
  const missing = rows.filter(row => row.state !== 'in-hardware');
  if (missing.length === 0) return REST;
  const groups = Map.groupBy(missing, row => (row.extack === '' ? row.text : `${row.text} (${row.extack})`));
  const [first] = [...groups].sort(([, a], [, b]) => b.length - a.length);
  return `${missing.length} of ${rows.length} rules are not in hardware: ${first?.[0] ?? ''}`;
}
