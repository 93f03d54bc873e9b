/** Time of the plugin's handlers with 1,000 endpoints present, seen by a client on the unix socket. */
import { sleep } from '../../../test/lab/exec.ts';
import { makeNetns, type Netns } from '../../../test/lab/netns.ts';
import { Scope } from '../../../test/lab/scope.ts';
import { BenchDaemon } from '../../lib/daemon.ts';
import { makeHostNetns } from '../../lib/namespace.ts';
import { PluginClient, type PluginNetwork } from '../../lib/plugin-client.ts';
import { plug, populate, unplug } from '../../lib/population.ts';
import { percentile } from '../../lib/stats.ts';
import type { SuiteOptions } from '../../lib/suite.ts';
import { field } from '../../lib/unix-http.ts';

const PRESENT = 1000;
const PRESENT_QUICK = 50;
const CYCLES_PER_ROUND = 80;
const CYCLES_PER_ROUND_QUICK = 20;
const WARM_UP_CYCLES = 20;
/**
 * Containers come when they like. At a fixed pace, what the daemon leaves for a pause would fall on the
 * same call of every cycle, or on none.
 */
const PAUSE_MAX_MS = 200;
const POOL = { pool: '10.129.0.0/16', gateway: '10.129.0.1' };

const HANDLERS = ['create_endpoint', 'join', 'leave', 'delete_endpoint'] as const;
const AROUND = ['request_address', 'release_address'] as const;
type Call = (typeof HANDLERS)[number] | (typeof AROUND)[number];
type Cycle = Readonly<Record<Call, number>>;

export interface HandlerFigures {
  readonly figures: Readonly<Record<string, number>>;
  readonly environment: Readonly<Record<string, string>>;
}

export async function measureHandlers(options: SuiteOptions): Promise<HandlerFigures> {
  await using scope = new Scope('bench-attach');
  const present = options.quick ? PRESENT_QUICK : PRESENT;
  const host = await makeHostNetns(scope, 'host');
  const daemon = await BenchDaemon.prepare(scope, host, 'bench-attach');
  await daemon.start();
  const client = new PluginClient(daemon.pluginSocket, 8);
  const network = await client.createNetwork('attach', POOL.pool, POOL.gateway);
  options.progress(`creating the ${present} endpoints that are to be present`);
  const { progress } = options;
  const population = { client, network, host, count: present, label: 'present', scope, progress };
  await daemon.explain(() => populate(population));
  const sandbox = await makeNetns(scope, 'sandbox');
  const bench = { host, sandbox, network, socket: daemon.pluginSocket };
  const cycles = await daemon.explain(() => runCycles(options, bench));
  return {
    figures: { 'attach.endpoints_present': present, ...figuresOf(cycles) },
    environment: {
      hook_mode: String(field(await daemon.status(), 'table', 'hookMode')),
      state_fs: daemon.stateFileSystem,
      handlers: `${cycles.flat().length} cycles in ${cycles.length} rounds, one at a time after a random pause, no container: the function side is moved by ip(8) as dockerd would, outside the time measured`,
    },
  };
}

interface Bench {
  readonly host: Netns;
  readonly sandbox: Netns;
  readonly network: PluginNetwork;
  readonly socket: string;
}

async function runCycles(options: SuiteOptions, bench: Bench): Promise<readonly (readonly Cycle[])[]> {
  const client = new PluginClient(bench.socket);
  const perRound = options.quick ? CYCLES_PER_ROUND_QUICK : CYCLES_PER_ROUND;
  for (let index = 0; index < WARM_UP_CYCLES; index += 1) await cycle(client, bench, `warm-up/${index}`);
  const rounds: Cycle[][] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const cycles: Cycle[] = [];
    for (let index = 0; index < perRound; index += 1) {
      await sleep(Math.random() * PAUSE_MAX_MS);
      cycles.push(await cycle(client, bench, `cycle/${round}/${index}`));
    }
    rounds.push(cycles);
    const sums = cycles.map(sumOf);
    const [p50, p99] = [percentile(sums, 50).toFixed(2), percentile(sums, 99).toFixed(2)];
    options.progress(`handlers, round ${round + 1}/${options.rounds}: p50 ${p50} ms, p99 ${p99} ms`);
  }
  return rounds;
}

async function cycle(client: PluginClient, { host, sandbox, network }: Bench, name: string): Promise<Cycle> {
  const requested = await client.requestAddress(network, name);
  const endpoint = requested.value;
  const created = await client.createEndpoint(endpoint);
  const joined = await client.join(endpoint, sandbox.path);
  const attached = { endpoint, sandbox, link: joined.value, ifname: 'eth0' };
  await plug(host, attached);
  await unplug(host, attached);
  const left = await client.leave(endpoint);
  const deleted = await client.deleteEndpoint(endpoint);
  const released = await client.releaseAddress(endpoint);
  return {
    request_address: requested.elapsedMs,
    create_endpoint: created.elapsedMs,
    join: joined.elapsedMs,
    leave: left.elapsedMs,
    delete_endpoint: deleted.elapsedMs,
    release_address: released.elapsedMs,
  };
}

function sumOf(cycle: Cycle): number {
  return HANDLERS.reduce((sum, call) => sum + cycle[call], 0);
}

/** p50 and p99 over all cycles, and the range of each round's own, so that the spread shows. */
function figuresOf(rounds: readonly (readonly Cycle[])[]): Readonly<Record<string, number>> {
  const all = rounds.flat();
  const figures: Record<string, number> = {};
  for (const p of [50, 99]) {
    const perRound = rounds.map(cycles => percentile(cycles.map(sumOf), p));
    figures[`attach.handlers_p${p}_ms`] = percentile(all.map(sumOf), p);
    figures[`attach.handlers_p${p}_round_min_ms`] = Math.min(...perRound);
    figures[`attach.handlers_p${p}_round_max_ms`] = Math.max(...perRound);
  }
  for (const call of [...HANDLERS, ...AROUND]) {
    for (const p of [50, 99]) {
      const samples = all.map(one => one[call]);
      figures[`attach.${call}_p${p}_ms`] = percentile(samples, p);
    }
  }
  return figures;
}
