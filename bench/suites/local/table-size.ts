/**
 * Per-packet cost with 1,000 endpoints in the table beside 2: two tables, each made by a daemon in a host
 * namespace of its own, stand side by side for the whole measurement, so that rounds can be interleaved.
 */
import { makeNetns, type Netns } from '../../../test/lab/netns.ts';
import { Scope } from '../../../test/lab/scope.ts';
import { BenchError } from '../../lib/bench-error.ts';
import { BenchDaemon } from '../../lib/daemon.ts';
import { settledHookMode } from '../../lib/hooks.ts';
import { makeHostNetns } from '../../lib/namespace.ts';
import { PluginClient, type PluginNetwork } from '../../lib/plugin-client.ts';
import { plug, populate } from '../../lib/population.ts';
import { interleave, ratios, samplesOf } from '../../lib/rounds.ts';
import { median } from '../../lib/stats.ts';
import type { Measured, SuiteOptions } from '../../lib/suite.ts';
import { measureTraffic, type Path, sideOf } from '../../lib/traffic.ts';
import { numberField } from '../../lib/unix-http.ts';

const LARGE = 1000;
const LARGE_QUICK = 100;
const SMALL = 2;
const POOL = { pool: '10.132.0.0/16', gateway: '10.132.0.1' };
const WARM_UP_SECONDS = 0.2;
/** The gateway and the two that talk. */
const SETTLED_PORTS = 3;

export async function measureTableSize(options: SuiteOptions): Promise<Measured> {
  await using scope = new Scope('bench-table');
  const large = options.quick ? LARGE_QUICK : LARGE;
  options.progress(`table size: setting up ${SMALL} and ${large} endpoints`);
  const few = await openTable(SMALL, 'bench-small', options, scope);
  const many = await openTable(large, 'bench-large', options, scope);
  if (few.hookMode !== many.hookMode) {
    throw new BenchError(`the tables cannot be compared: hooks ${few.hookMode} and ${many.hookMode}`);
  }
  for (const { path } of [few, many]) await measureTraffic('udp64', path, 'ip4', WARM_UP_SECONDS);
  const samples = await interleave(
    { rounds: options.rounds, tasks: ['udp64'], contenders: ['small', 'large'] },
    async (_task, size, round) => {
      const { path } = size === 'small' ? few : many;
      const pps = await measureTraffic('udp64', path, 'ip4', options.secondsPerMeasurement);
      options.progress(
        `round ${round + 1}/${options.rounds} table ${size.padEnd(5)} ${Math.round(pps).toLocaleString('en-US')} pps`,
      );
      return pps;
    },
  );
  const [inLarge, inSmall] = [samplesOf(samples, 'udp64', 'large'), samplesOf(samples, 'udp64', 'small')];
  return {
    ratios: { 'local.scale.1000_vs_2': ratios(inLarge, inSmall) },
    figures: {
      'local.scale.endpoints': large,
      'local.scale.large_pps': median(inLarge),
      'local.scale.small_pps': median(inSmall),
    },
    environment: {
      table_size: `udp64 of one pair in a table of ${large} and one of ${SMALL} real veth ports, made by a daemon each that was then stopped, both pairs on ${many.hookMode}; the idle ports share namespaces, 100 in each`,
    },
  };
}

interface Table {
  readonly path: Path;
  /** Of the two that talk. */
  readonly hookMode: string;
}

/** A daemon with `count` endpoints, two of which have a namespace each and talk. */
async function openTable(
  count: number,
  instance: string,
  options: SuiteOptions,
  scope: Scope,
): Promise<Table> {
  const host = await makeHostNetns(scope, instance);
  const daemon = await BenchDaemon.prepare(scope, host, instance);
  await daemon.start();
  const client = new PluginClient(daemon.pluginSocket, 8);
  const network = await client.createNetwork(instance, POOL.pool, POOL.gateway);
  // First of all, because the oldest ports move to tcx first.
  const server = await openTalker(client, network, host, `${instance}/server`, scope);
  const sender = await openTalker(client, network, host, `${instance}/client`, scope);
  const { progress } = options;
  const population = { client, network, host, count: count - SMALL, label: instance, scope, progress };
  await daemon.explain(() => populate(population));
  const present = numberField(await daemon.status(), 'endpoints', 'total');
  if (present !== count) throw new RangeError(`${present} endpoints are present, not ${count}`);
  const hookMode = await settledHookMode(host, daemon.linkPins, SETTLED_PORTS);
  // What it forwards by is in the kernel; the daemon would go on moving idle ports to tcx meanwhile.
  await daemon.stop('SIGTERM');
  const path = {
    client: sideOf(sender.namespace),
    server: sideOf(server.namespace),
    ip4: server.ip4,
    ip6: '',
  };
  return { path, hookMode };
}

async function openTalker(
  client: PluginClient,
  network: PluginNetwork,
  host: Netns,
  name: string,
  scope: Scope,
): Promise<{ readonly namespace: Netns; readonly ip4: string }> {
  const namespace = await makeNetns(scope, name);
  const { value: endpoint } = await client.requestAddress(network, name);
  await client.createEndpoint(endpoint);
  const { value: link } = await client.join(endpoint, namespace.path);
  await plug(host, { endpoint, sandbox: namespace, link, ifname: 'eth0' });
  return { namespace, ip4: endpoint.address.split('/')[0] ?? '' };
}
