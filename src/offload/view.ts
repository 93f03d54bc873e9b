/** The offload as others see it: rows made on demand from the caches, reasons made whole. */
import { compilePair, PAIR_VARIANTS, type PairVariant, pairVariants } from '../compile/pair.ts';
import type { FlowRule } from '../ir/flow.ts';
import type { FlowPort } from '../kernel/flow-port.ts';
import type { EndpointId } from '../lib/brand.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { functionKey } from '../model/nic.ts';
import { PLACE } from '../place/cache.ts';
import { FLOW_REASONS, FLOW_STATES, type FlowReason, type FlowState, stateOf } from '../place/flow-state.ts';
import type { OffloadEngine } from './engine.ts';
import type { NicCache } from './nic-cache.ts';
import type { FlowPlace, FlowRow, FlowTableBody, Offload, SeenRule } from './port.ts';
import type { OffloadPort } from './ports.ts';
import { keyDst, keySrc, keyVariant, pairKey } from './rule-table.ts';
import type { HardwareTotals } from './totals.ts';

export class OffloadView implements Offload {
  readonly #engine: OffloadEngine;
  readonly #flows: FlowPort;

  constructor(engine: OffloadEngine, flows: FlowPort) {
    this.#engine = engine;
    this.#flows = flows;
  }

  tables(): readonly FlowTableBody[] {
    return [...this.#engine.caches.values()].map(cache => ({
      nic: cache.handle,
      paused: cache.paused,
      size: cache.budget.tableSize,
      budget: cache.budget.value,
      learned: Number.isFinite(cache.budget.learned) ? cache.budget.learned : null,
      used: cache.table.residents,
      takesAll: cache.takesAll,
      states: statesOf(cache),
    }));
  }

  rows(): readonly FlowRow[] {
    return [...this.#engine.caches.values()].flatMap(cache => {
      const rows = [...cache.table.rows()].sort(
        (a, b) => (cache.table.key[a] ?? 0) - (cache.table.key[b] ?? 0),
      );
      return rows.flatMap(row => rowOf(cache, row) ?? []);
    });
  }

  totals(endpoint: EndpointId): HardwareTotals {
    return this.#engine.totals.of(endpoint);
  }

  placeOf(src: Endpoint, dst: Endpoint, variant: PairVariant): FlowPlace {
    const outside = outsideReason(src, dst);
    if (outside !== null) return outside;
    const cache = src.vf === null ? undefined : this.#engine.caches.get(src.vf.nic);
    const nic = src.vf?.nic ?? null;
    if (cache === undefined) return place('NO_SWITCHDEV', nic);
    const from = cache.ports.get(src.slot);
    const to = cache.ports.get(dst.slot);
    if (cache.paused !== null) return { ...place('PAUSED', nic), text: cache.paused };
    if (from === undefined || to === undefined) return place('LINK_MISSING', nic);
    if (!pairVariants(from, to).includes(variant)) return place('NO_ADDRESS', nic);
    const row = cache.table.find(pairKey(src.slot, dst.slot, PAIR_VARIANTS.indexOf(variant)));
    if (row >= 0) return placeOfRow(cache, row);
    const refused = cache.refusalOf(variant, from, to);
    if (refused !== null) return { ...place(refused.reason, nic), extack: refused.text };
    return place('COLD', nic);
  }

  ruleOf(src: Endpoint, dst: Endpoint, variant: PairVariant): FlowRule | null {
    const cache = src.vf === null ? undefined : this.#engine.caches.get(src.vf.nic);
    const from = cache?.ports.get(src.slot);
    const to = cache?.ports.get(dst.slot);
    if (from === undefined || to === undefined || from.network !== to.network) return null;
    return compilePair(from.switchMac, from, to, variant);
  }

  async seen(rule: FlowRule): Promise<SeenRule | null> {
    const [rules, dump] = await Promise.all([this.#flows.read([rule.link]), this.#flows.dump([rule.link])]);
    const found = rules.find(
      each => each.chain === rule.chain && each.prio === rule.prio && each.handle === rule.handle,
    );
    if (found === undefined) return null;
    const { inHw, ours: _ours, ...seen } = found;
    for (let i = 0; i < dump.count; i++) {
      if (dump.prio[i] !== rule.prio || dump.handle[i] !== rule.handle) continue;
      const packets = Number(dump.hwPackets[i] ?? 0n);
      return { rule: seen, inHw, packets, bytes: Number(dump.hwBytes[i] ?? 0n) };
    }
    return { rule: seen, inHw, packets: 0, bytes: 0 };
  }

  errors(): ReturnType<Offload['errors']> {
    return [...this.#engine.errors].map(([key, count]) => {
      const [nic = '', reason = ''] = key.split(' ');
      return { nic, reason, count };
    });
  }
}

function place(reason: FlowReason, nic: FlowPlace['nic'] = null, text?: string): FlowPlace {
  const words = text ?? FLOW_REASONS[reason].text;
  return { nic, state: stateOf(reason), reason, text: words, extack: '', sinceMs: null };
}

/** Why no NIC could forward from one to the other; null when one could. */
function outsideReason(src: Endpoint, dst: Endpoint): FlowPlace | null {
  if (src.networkId !== dst.networkId) return place('OTHER_NETWORK');
  for (const each of [src, dst]) {
    if (each.vf !== null) continue;
    const who = each === src ? 'the sender' : 'the receiver';
    return place(
      'SOFTWARE_PORT',
      null,
      `${who} has a veth port${each.fallback === null ? '' : `: ${each.fallback}`}`,
    );
  }
  if (src.vf === null || dst.vf === null) return null;
  if (src.vf.nic === dst.vf.nic) return null;
  const text = `${functionKey(dst.vf)} is on another NIC than ${functionKey(src.vf)}`;
  return place('PEER_NOT_ON_NIC', src.vf.nic, text);
}

function placeOfRow(cache: NicCache, row: number): FlowPlace {
  const { table } = cache;
  const reason = reasonOfRow(cache, row);
  return {
    nic: cache.handle,
    state: stateOf(reason),
    reason,
    text: textOf(cache, reason),
    extack: table.extack(row),
    sinceMs: table.changedMs[row] ?? null,
  };
}

/** What is hot and waits does so because the table is full, whether or not the NIC ever said so. */
function reasonOfRow(cache: NicCache, row: number): FlowReason {
  const { table, budget } = cache;
  if (cache.paused !== null && table.place[row] !== PLACE.resident) return 'PAUSED';
  const reason = table.reason(row);
  if (reason !== 'COLD' || (table.heat[row] ?? 0) < 1) return reason;
  return table.residents >= budget.value ? 'TABLE_FULL' : 'QUEUED';
}

function textOf(cache: NicCache, reason: FlowReason): string {
  const { text } = FLOW_REASONS[reason];
  if (reason === 'PAUSED') return cache.paused ?? text;
  return reason === 'TABLE_FULL' ? `${text}: ${cache.budget.value} rules, all of hotter pairs` : text;
}

/** The rule itself is made when it is looked at: most readers count states, and there are thousands. */
function rowOf(cache: NicCache, row: number): FlowRow | null {
  const { table } = cache;
  const key = table.key[row] ?? 0;
  const variant = keyVariant(key);
  const src = cache.ports.get(keySrc(key));
  const dst = cache.ports.get(keyDst(key));
  if (src === undefined || dst === undefined) return null;
  return {
    ...placeOfRow(cache, row),
    nic: cache.handle,
    network: src.network,
    src: src.endpoint,
    dst: dst.endpoint,
    variant,
    rule: () => ruleFor(src, dst, variant),
    packets: table.hwPackets[row] ?? 0,
    bytes: table.hwBytes[row] ?? 0,
  };
}

/** A row exists only for a variant that both ends have addresses for. */
function ruleFor(src: OffloadPort, dst: OffloadPort, variant: PairVariant): FlowRule {
  const rule = compilePair(src.switchMac, src, dst, variant);
  if (rule === null) throw new RangeError(`no ${variant} rule from ${src.rep} to ${dst.rep}`);
  return rule;
}

function statesOf(cache: NicCache): Record<FlowState, number> {
  const states = Object.fromEntries(FLOW_STATES.map(state => [state, 0])) as Record<FlowState, number>;
  for (const row of cache.table.rows()) states[stateOf(reasonOfRow(cache, row))] += 1;
  return states;
}
