/** Ten thousand endpoints in one network: what a restart of the daemon costs, and its memory. */
import { Scope } from '../../../test/lab/scope.ts';
import { BenchDaemon } from '../../lib/daemon.ts';
import { makeHostNetns } from '../../lib/namespace.ts';
import { PluginClient } from '../../lib/plugin-client.ts';
import { populate } from '../../lib/population.ts';
import { median } from '../../lib/stats.ts';
import type { Measured, Suite, SuiteOptions } from '../../lib/suite.ts';
import { field, numberField } from '../../lib/unix-http.ts';

const ENDPOINTS = 10_000;
const ENDPOINTS_QUICK = 1000;
const POOL = { pool: '10.128.0.0/16', gateway: '10.128.0.1' };

export const scaleSuite: Suite = {
  name: 'scale',
  summary: 'restart and memory of the daemon with 10,000 endpoints in one network',
  run: measure,
};

async function measure(options: SuiteOptions): Promise<Measured> {
  await using scope = new Scope('bench-scale');
  const count = options.quick ? ENDPOINTS_QUICK : ENDPOINTS;
  const host = await makeHostNetns(scope, 'host');
  const daemon = await BenchDaemon.prepare(scope, host, 'bench-scale');
  await daemon.start();
  const client = new PluginClient(daemon.pluginSocket, 8);
  const network = await client.createNetwork('scale', POOL.pool, POOL.gateway);
  options.progress(`creating ${count} endpoints through the plugin protocol`);
  const startedMs = performance.now();
  const { progress } = options;
  await daemon.explain(() => populate({ client, network, host, count, label: 'scale', scope, progress }));
  const createdPerSecond = (count * 1000) / (performance.now() - startedMs);
  const restarts = await restartRounds(options, daemon);
  const status = await daemon.status();
  return {
    ratios: {},
    figures: {
      'scale.endpoints': count,
      'scale.created_per_s': createdPerSecond,
      'scale.restart_ops': Math.max(...restarts.map(({ operations }) => operations)),
      'scale.restart_s': median(restarts.map(({ seconds }) => seconds)),
      'scale.restart_max_s': Math.max(...restarts.map(({ seconds }) => seconds)),
      'scale.restart_reconcile_s': median(restarts.map(({ roundSeconds }) => roundSeconds)),
      'scale.daemon_rss_mb': Math.max(...restarts.map(({ residentMib }) => residentMib)),
      'scale.endpoints_ready': numberField(status, 'endpoints', 'ready'),
    },
    environment: {
      hook_mode: String(field(status, 'table', 'hookMode')),
      state_fs: daemon.stateFileSystem,
      simulated: 'no containers: function sides share namespaces, 100 in each; all else is real',
      restarts: `${restarts.length}, each after SIGKILL`,
    },
  };
}

interface Restart {
  readonly operations: number;
  /** From starting the process to the end of its first full round. */
  readonly seconds: number;
  readonly roundSeconds: number;
  readonly residentMib: number;
}

async function restartRounds(options: SuiteOptions, daemon: BenchDaemon): Promise<readonly Restart[]> {
  const restarts: Restart[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    await daemon.stop('SIGKILL');
    const seconds = (await daemon.start()) / 1000;
    const status = await daemon.status();
    const restart = {
      seconds,
      operations: numberField(status, 'reconcile', 'lastRound', 'operations'),
      roundSeconds: numberField(status, 'reconcile', 'lastRound', 'durationMs') / 1000,
      residentMib: daemon.residentMib(),
    };
    restarts.push(restart);
    options.progress(
      `restart ${round}/${options.rounds}: ${restart.operations} operations, ${seconds.toFixed(2)} s, ${Math.round(restart.residentMib)} MiB`,
    );
  }
  return restarts;
}
