/**
 * Per-packet cost with 1,000 endpoints in the table beside 2: two daemons, each in a host namespace of
 * its own, stand side by side for the whole measurement, so that rounds can be interleaved.
 */
import { makeNetns, type Netns } from '../../../test/lab/netns.ts';
import { Scope } from '../../../test/lab/scope.ts';
import { BenchDaemon } from '../../lib/daemon.ts';
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

export async function measureTableSize(options: SuiteOptions): Promise<Measured> {
  await using scope = new Scope('bench-table');
  const large = options.quick ? LARGE_QUICK : LARGE;
  options.progress(`table size: setting up ${SMALL} and ${large} endpoints`);
  const sizes = new Map([
    ['small', await openTable(SMALL, 'bench-small', options, scope)],
    ['large', await openTable(large, 'bench-large', options, scope)],
  ]);
  const pathOf = (size: string): Path => {
    const table = sizes.get(size);
    if (table === undefined) throw new RangeError(`no table of size ${size}`);
    return table;
  };
  for (const path of sizes.values()) await measureTraffic('udp64', path, 'ip4', WARM_UP_SECONDS);
  const samples = await interleave(
    { rounds: options.rounds, tasks: ['udp64'], contenders: [...sizes.keys()] },
    async (_task, size, round) => {
      const pps = await measureTraffic('udp64', pathOf(size), 'ip4', options.secondsPerMeasurement);
      options.progress(
        `round ${round + 1}/${options.rounds} table ${size.padEnd(5)} ${Math.round(pps).toLocaleString('en-US')} pps`,
      );
      return pps;
    },
  );
  const [few, many] = [samplesOf(samples, 'udp64', 'small'), samplesOf(samples, 'udp64', 'large')];
  return {
    ratios: { 'local.scale.1000_vs_2': ratios(many, few) },
    figures: {
      'local.scale.endpoints': large,
      'local.scale.large_pps': median(many),
      'local.scale.small_pps': median(few),
    },
    environment: {
      table_size: `udp64 of one pair in a table of ${large} and one of ${SMALL} real veth ports, a daemon each; the idle ports share namespaces, 100 in each`,
    },
  };
}

/** A daemon with `count` endpoints, two of which have a namespace each and talk. */
async function openTable(
  count: number,
  instance: string,
  options: SuiteOptions,
  scope: Scope,
): Promise<Path> {
  const host = await makeHostNetns(scope, instance);
  const daemon = await BenchDaemon.prepare(scope, host, instance);
  await daemon.start();
  const client = new PluginClient(daemon.pluginSocket, 8);
  scope.defer(() => client.close());
  const network = await client.createNetwork(instance, POOL.pool, POOL.gateway);
  await populate({
    client,
    network,
    host,
    count: count - SMALL,
    label: instance,
    scope,
    progress: options.progress,
  });
  const server = await openTalker(client, network, host, `${instance}/server`, scope);
  const sender = await openTalker(client, network, host, `${instance}/client`, scope);
  const present = numberField(await daemon.status(), 'endpoints', 'total');
  if (present !== count) throw new RangeError(`${present} endpoints are present, not ${count}`);
  return { client: sideOf(sender.namespace), server: sideOf(server.namespace), ip4: server.ip4, ip6: '' };
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
