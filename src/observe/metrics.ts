/**
 * GET /metrics in Prometheus' text format. Made anew for each scrape, from the same picture as
 * `status`, so that the two never disagree. docs/metrics.md describes each; a test compares.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { NetworkId } from '../lib/brand.ts';
import { networkBodies } from './networks.ts';
import type { Picture } from './picture.ts';
import { requireIntent } from './picture.ts';
import type { Sources } from './sources.ts';
import { statusBody } from './status.ts';

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** Networks with figures of their own; the others are added up as `other`. */
const NETWORKS_MAX = 200;

interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly labels: readonly string[];
  readonly help: string;
}

export const METRICS = [
  {
    name: 'eswitch_hardware_bytes_total',
    type: 'counter',
    labels: ['network'],
    help: 'Bytes between containers that NICs forwarded by themselves.',
  },
  {
    name: 'eswitch_software_bytes_total',
    type: 'counter',
    labels: ['network'],
    help: 'Bytes that the software eswitch forwarded.',
  },
  {
    name: 'eswitch_hardware_packets_total',
    type: 'counter',
    labels: ['network'],
    help: 'Packets between containers that NICs forwarded by themselves.',
  },
  {
    name: 'eswitch_software_packets_total',
    type: 'counter',
    labels: ['network'],
    help: 'Packets that the software eswitch forwarded; a segmentation-offload packet counts once.',
  },
  {
    name: 'eswitch_dropped_packets_total',
    type: 'counter',
    labels: ['reason'],
    help: 'Packets that the software eswitch refused, by reason.',
  },
  {
    name: 'eswitch_flow_rules',
    type: 'gauge',
    labels: ['nic', 'state'],
    help: 'Rules for hardware by state: in-hardware, refused, waiting, evicted.',
  },
  {
    name: 'eswitch_flow_table_entries',
    type: 'gauge',
    labels: ['nic', 'kind'],
    help: "A NIC's flow table: size, budget (how many may be ours), used (how many are).",
  },
  {
    name: 'eswitch_offload_errors_total',
    type: 'counter',
    labels: ['nic', 'reason'],
    help: 'Rules that could not be put, by reason code.',
  },
  {
    name: 'eswitch_offload_paused',
    type: 'gauge',
    labels: ['nic'],
    help: '1 while nothing is put because the eswitch of the NIC is being changed.',
  },
  { name: 'eswitch_networks', type: 'gauge', labels: [], help: 'Networks of this host.' },
  { name: 'eswitch_endpoints', type: 'gauge', labels: ['state'], help: 'Endpoints of this host by state.' },
  {
    name: 'eswitch_reconcile_failures',
    type: 'gauge',
    labels: [],
    help: 'Operations that the kernel refuses at the moment.',
  },
] as const satisfies readonly Metric[];

type Name = (typeof METRICS)[number]['name'];
type Labels = Readonly<Record<string, string>>;

class Scrape {
  readonly registry = new Registry();
  readonly #metrics = new Map<string, Counter | Gauge>();

  constructor() {
    for (const { name, type, labels, help } of METRICS) {
      const options = { name, help, labelNames: [...labels], registers: [this.registry] };
      this.#metrics.set(name, type === 'counter' ? new Counter(options) : new Gauge(options));
    }
  }

  add(name: Name, labels: Labels, value: number): void {
    this.#metrics.get(name)?.inc({ ...labels }, value);
  }
}

export async function metricsText(sources: Sources, picture: Picture): Promise<string> {
  const scrape = new Scrape();
  addTraffic(scrape, sources, picture);
  addTables(scrape, sources);
  const status = statusBody(sources, picture);
  scrape.add('eswitch_networks', {}, status.networks);
  const { total: _total, ...states } = status.endpoints;
  for (const [state, count] of Object.entries(states)) scrape.add('eswitch_endpoints', { state }, count);
  scrape.add('eswitch_reconcile_failures', {}, status.reconcile.failures.length);
  for (const drop of status.traffic.drops) {
    scrape.add('eswitch_dropped_packets_total', { reason: drop.reason }, Number(drop.packets));
  }
  return scrape.registry.metrics();
}

/** Networks by slot, so that the same ones have figures of their own from scrape to scrape. */
function addTraffic(scrape: Scrape, sources: Sources, picture: Picture): void {
  if (!picture.intent.ok) return;
  const { networks } = requireIntent(picture);
  const named = new Set<NetworkId>(
    [...networks.values()]
      .sort((a, b) => a.slot - b.slot)
      .slice(0, NETWORKS_MAX)
      .map(({ id }) => id),
  );
  for (const { id, traffic } of networkBodies(sources, picture, () => true)) {
    const network = named.has(id as NetworkId) ? id.slice(0, 12) : 'other';
    const { hardware, software } = traffic.share;
    scrape.add('eswitch_hardware_bytes_total', { network }, Number(hardware.bytes));
    scrape.add('eswitch_hardware_packets_total', { network }, Number(hardware.packets));
    scrape.add('eswitch_software_bytes_total', { network }, Number(software.bytes));
    scrape.add('eswitch_software_packets_total', { network }, Number(software.packets));
  }
}

function addTables(scrape: Scrape, { offload }: Sources): void {
  for (const { nic, states, size, budget, used, paused } of offload.tables()) {
    for (const [state, count] of Object.entries(states)) {
      scrape.add('eswitch_flow_rules', { nic, state }, count);
    }
    for (const [kind, value] of Object.entries({ size, budget, used })) {
      scrape.add('eswitch_flow_table_entries', { nic, kind }, value);
    }
    scrape.add('eswitch_offload_paused', { nic }, paused === null ? 0 : 1);
  }
  for (const { nic, reason, count } of offload.errors()) {
    scrape.add('eswitch_offload_errors_total', { nic, reason }, count);
  }
}
