/** From `docker run` to the first answered ping of a sibling, beside Docker's own bridge. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Scope } from '../../../test/lab/scope.ts';
import { BenchError } from '../../lib/bench-error.ts';
import type { DockerHost } from '../../lib/docker-host.ts';
import { interleave, ratios, type Samples, samplesOf } from '../../lib/rounds.ts';
import { median } from '../../lib/stats.ts';
import type { SuiteOptions } from '../../lib/suite.ts';

const RUNS_PER_ROUND = 5;
const RUNS_PER_ROUND_QUICK = 2;
/** What ping prints for an answer, with busybox and with iputils. */
const ANSWERED = 'bytes from';
const TIMEOUT_MS = 30_000;
const CONTENDERS = ['eswitch', 'docker_bridge'] as const;

export interface DockerRunFigures {
  readonly ratios: Readonly<Record<string, readonly number[]>>;
  readonly figures: Readonly<Record<string, number>>;
}

/** Containers of one round are started one after the other; the first run of each kind is not counted. */
export async function measureDockerRun(
  options: SuiteOptions,
  host: DockerHost,
  scope: Scope,
): Promise<DockerRunFigures> {
  const siblings = new Map<string, string>();
  for (const contender of CONTENDERS) {
    const network = `bench-run-${contender}`;
    await host.createNetwork(contender, network, { ip4: subnetOf(contender), ip6: null }, scope);
    const sibling = await host.startContainer(`${network}-sibling`, network, scope);
    siblings.set(contender, sibling.ip4);
  }
  const once = (contender: string) =>
    firstPingMs(host, `bench-run-${contender}`, siblings.get(contender) ?? '');
  for (const contender of CONTENDERS) await once(contender);
  const runs = options.quick ? RUNS_PER_ROUND_QUICK : RUNS_PER_ROUND;
  const tasks = Array.from({ length: runs }, (_, index) => `docker run ${index + 1}`);
  options.progress(`docker run to first ping: ${options.rounds} rounds of ${runs} runs each`);
  const samples = await interleave(
    { rounds: options.rounds, tasks, contenders: [...CONTENDERS] },
    (_task, contender) => once(contender),
  );
  const [ours, bridge] = CONTENDERS.map(contender => medianPerRound(samples, contender, options.rounds));
  if (ours === undefined || bridge === undefined) throw new BenchError('no docker run was measured');
  return {
    ratios: { 'attach.docker_run.docker_bridge': ratios(bridge, ours) },
    figures: {
      'attach.docker_run.eswitch_ms': median(ours),
      'attach.docker_run.docker_bridge_ms': median(bridge),
    },
  };
}

function subnetOf(contender: string): string {
  return contender === 'eswitch' ? '10.130.1.0/24' : '10.130.2.0/24';
}

function medianPerRound(samples: Samples, contender: string, rounds: number): readonly number[] {
  return Array.from({ length: rounds }, (_, round) =>
    median([...samples.keys()].map(task => samplesOf(samples, task, contender)[round] ?? Number.NaN)),
  );
}

/** Milliseconds from starting the docker command line until the first answer was printed. */
async function firstPingMs(host: DockerHost, network: string, sibling: string): Promise<number> {
  const script = `until ping -c 1 -W 1 ${sibling}; do :; done`;
  const argv = host.command('run', '--rm', '--network', network, host.image, 'sh', '-c', script);
  const [command = '', ...rest] = argv;
  const startedMs = performance.now();
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS });
  let answeredMs: number | null = null;
  let written = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      written += chunk.toString('utf8');
      if (answeredMs === null && written.includes(ANSWERED)) answeredMs = performance.now() - startedMs;
    });
  }
  await once(child, 'close');
  if (answeredMs === null) {
    throw new BenchError(`no ping was answered by ${sibling} on ${network}: ${written.trim().slice(-400)}`);
  }
  return answeredMs;
}
