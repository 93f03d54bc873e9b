/** Traffic between two containers, the contenders beside each other. */
import { Scope } from '../../../test/lab/scope.ts';
import { DockerHost } from '../../lib/docker-host.ts';
import { interleave, ratios, type Samples, samplesOf } from '../../lib/rounds.ts';
import { median } from '../../lib/stats.ts';
import type { Measured, SuiteOptions } from '../../lib/suite.ts';
import {
  type Family,
  measureTraffic,
  type Path,
  placementText,
  TRAFFIC,
  type TrafficKind,
} from '../../lib/traffic.ts';
import { type Contender, openContenders } from './contenders.ts';

/** What has no target is measured for this share of the time, in at most so many rounds. */
const SHOWN_SHARE = 0.3;
const SHOWN_ROUNDS_MAX = 3;
const WARM_UP_SECONDS = 0.2;
/** Two containers and the gateway. */
const ESWITCH_PORTS = 3;
const JUDGED: readonly TrafficKind[] = ['udp64', 'tcp_rr', 'tcp'];
const JUDGES: readonly Contender[] = ['eswitch', 'docker_bridge', 'veth'];

/** A group of traffic kinds, measured in rounds of its own. */
interface Group {
  readonly family: Family;
  readonly kinds: readonly TrafficKind[];
  readonly contenders: readonly Contender[];
  readonly rounds: number;
  readonly seconds: number;
  /** Distinguishes its figures from those of the group with targets. */
  readonly suffix: '' | '_v6';
}

export async function measurePaths(options: SuiteOptions): Promise<Measured> {
  await using scope = new Scope('bench-local');
  const host = await DockerHost.open(scope, options.progress);
  options.progress('starting two containers per contender');
  const paths = await openContenders(host, scope);
  await warmUp(paths);
  options.progress('waiting until the hooks are where they stay');
  const hookMode = await host.hookMode(ESWITCH_PORTS);
  const seconds = options.secondsPerMeasurement;
  const { rounds } = options;
  const judged: Group = { family: 'ip4', kinds: JUDGED, contenders: JUDGES, rounds, seconds, suffix: '' };
  const brief = { rounds: Math.min(rounds, SHOWN_ROUNDS_MAX), seconds: seconds * SHOWN_SHARE };
  const shown: readonly Group[] = [
    { family: 'ip4', kinds: ['tcp_rr_apart'], contenders: JUDGES, ...brief, suffix: '' },
    { family: 'ip4', kinds: JUDGED, contenders: ['eswitch', 'veth_plain'], ...brief, suffix: '' },
    { family: 'ip6', kinds: JUDGED, contenders: JUDGES, ...brief, suffix: '_v6' },
  ];
  const samples = await measureGroup(options, paths, judged);
  const figures: Record<string, number> = {};
  for (const group of shown) {
    const beside = await measureGroup(options, paths, group);
    Object.assign(figures, ratesOf(group, beside), ratioFiguresOf(group, beside));
  }
  // Last, so that a rate measured for longer stands.
  Object.assign(figures, ratesOf(judged, samples));
  return {
    ratios: Object.fromEntries(ratiosOf(judged, samples)),
    figures,
    environment: {
      ...(await host.environment()),
      hook_mode: hookMode,
      cpu_placement: placementText(),
      seconds: `${seconds} per measurement with a target, ${brief.seconds.toFixed(2)} per other (${brief.rounds} rounds)`,
      veth: 'between containers with the NAT rules of the engine, as all on user-defined networks have; veth_plain without',
      udp64: '64-byte Ethernet frames (FCS not counted), packets that the receiver read',
    },
  };
}

/** Neighbour entries, caches and page faults of a first run belong to nobody's figure. */
async function warmUp(paths: ReadonlyMap<Contender, Path>): Promise<void> {
  for (const path of paths.values()) {
    for (const family of ['ip4', 'ip6'] as const) await measureTraffic('tcp', path, family, WARM_UP_SECONDS);
  }
}

function measureGroup(
  options: SuiteOptions,
  paths: ReadonlyMap<Contender, Path>,
  { family, kinds, contenders, rounds, seconds }: Group,
): Promise<Samples> {
  return interleave({ rounds, tasks: kinds, contenders }, async (task, contender, round) => {
    const kind = task as TrafficKind;
    const path = paths.get(contender as Contender);
    const value = path === undefined ? Number.NaN : await measureTraffic(kind, path, family, seconds);
    const what = `${family} ${kind.padEnd(12)} ${contender.padEnd(13)} ${amount(value)}`;
    options.progress(`round ${round + 1}/${rounds} ${what} ${TRAFFIC[kind].unit}`);
    return value;
  });
}

function amount(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 1000 ? 2 : 0 });
}

/** Ours against each of the others; rates are all "more is better". */
function ratiosOf(
  { kinds, contenders, suffix }: Group,
  samples: Samples,
): readonly (readonly [string, readonly number[]])[] {
  const others = contenders.filter(contender => contender !== 'eswitch');
  return others.flatMap(other =>
    kinds.map(kind => {
      const [ours, theirs] = [samplesOf(samples, kind, 'eswitch'), samplesOf(samples, kind, other)];
      return [`local.${kind}${suffix}.${other}`, ratios(ours, theirs)] as const;
    }),
  );
}

function ratioFiguresOf(group: Group, samples: Samples): Record<string, number> {
  const entries = ratiosOf(group, samples);
  return Object.fromEntries(entries.map(([id, values]) => [`${id}_ratio`, median(values)]));
}

/** The medians behind the ratios, in each kind's own unit. */
function ratesOf({ kinds, contenders, suffix }: Group, samples: Samples): Record<string, number> {
  return Object.fromEntries(
    kinds.flatMap(kind =>
      contenders.map(contender => [
        `local.${kind}${suffix}.${contender}_${TRAFFIC[kind].unit}`,
        median(samplesOf(samples, kind, contender)),
      ]),
    ),
  );
}
