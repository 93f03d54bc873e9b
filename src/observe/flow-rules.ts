/** Rules of NICs as rows of the list of rules, and what they make of the forwarding entries. */
import { printFlow } from '../ir/flow-print.ts';
import type { EndpointId } from '../lib/brand.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { FlowRow } from '../offload/port.ts';
import type { FlowBody, RuleBody } from '../wire/api/rules.ts';
import { summary } from './hardware.ts';
import type { RulePlace } from './sources.ts';

const integer = (ms: number | null): number | null => (ms === null ? null : Math.trunc(ms));

export const flowBody = (row: FlowRow): FlowBody => ({
  nic: row.nic,
  state: row.state,
  code: row.reason,
  text: row.text,
  extack: row.extack,
  sinceMs: integer(row.sinceMs),
  src: row.src,
  dst: row.dst,
  packets: row.packets,
  bytes: row.bytes,
});

/** The reason with the kernel's words. */
export const flowReason = ({ text, extack }: Pick<FlowRow, 'text' | 'extack'>): string =>
  extack === '' ? text : `${text}: ${extack}`;

export function flowRuleBody(row: FlowRow): RuleBody {
  const rule = row.rule();
  const { link, chain, prio, handle } = rule;
  const isIn = row.state === 'in-hardware';
  return {
    key: `flow-rule/${link}/${chain}/${prio}/${handle}`,
    kind: 'flow-rule',
    network: row.network,
    endpoint: row.src,
    change: null,
    text: `flow-rule ${printFlow(rule)}`,
    before: null,
    where: isIn ? 'hardware' : 'software',
    reason: isIn ? '' : flowReason(row),
    flow: flowBody(row),
    resource: { ...rule },
  };
}

/** Where packets to an endpoint go: in hardware when every rule that delivers to it is. */
export class EntryPlaces {
  readonly #byReceiver: ReadonlyMap<EndpointId, FlowRow[]>;

  constructor(rows: readonly FlowRow[]) {
    this.#byReceiver = Map.groupBy(rows, row => row.dst);
  }

  /** null: hardware has no say in it. */
  of(endpoint: Endpoint | undefined): RulePlace | null {
    if (endpoint === undefined) return null;
    if (endpoint.vf === null) {
      return endpoint.fallback === null ? null : { where: 'software', reason: endpoint.fallback };
    }
    const rows = this.#byReceiver.get(endpoint.id) ?? [];
    if (rows.length > 0 && rows.every(row => row.state === 'in-hardware')) {
      return { where: 'hardware', reason: '' };
    }
    const reason = rows.length === 0 ? 'nobody on its NIC sends to it yet' : summary(rows);
    return { where: 'software', reason };
  }
}
