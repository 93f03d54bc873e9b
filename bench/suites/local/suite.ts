/** Container to container on one host, beside Docker's bridge and a bare veth pair. */
import { Scope } from '../../../test/lab/scope.ts';
import { DockerHost } from '../../lib/docker-host.ts';
import { interleave, ratios, type Samples, samplesOf } from '../../lib/rounds.ts';
import { median } from '../../lib/stats.ts';
import type { Measured, Suite, SuiteOptions } from '../../lib/suite.ts';
import {
  type Family,
  measureTraffic,
  type Path,
  PLACEMENT_TEXT,
  requireTool,
  TRAFFIC,
  type TrafficKind,
} from '../../lib/traffic.ts';
import { CONTENDERS, type Contender, openContenders } from './contenders.ts';
import { measureTableSize } from './table-size.ts';

/** IPv6 is shown beside, without targets: it may be shorter. */
const IP6_SHARE = 0.4;
const WARM_UP_SECONDS = 0.2;
const KINDS = Object.keys(TRAFFIC) as TrafficKind[];

export const localSuite: Suite = {
  name: 'local',
  summary: "container to container on one host, beside Docker's bridge and a veth pair",
  async run(options) {
    requireTool();
    const paths = await measurePaths(options);
    const table = await measureTableSize(options);
    return {
      ratios: { ...paths.ratios, ...table.ratios },
      figures: { ...paths.figures, ...table.figures },
      environment: { ...paths.environment, ...table.environment },
    };
  },
};

async function measurePaths(options: SuiteOptions): Promise<Measured> {
  await using scope = new Scope('bench-local');
  const host = await DockerHost.open(scope, options.progress);
  options.progress('starting two containers per contender');
  const paths = await openContenders(host, scope);
  await warmUp(paths);
  const ip4 = await measureFamily(options, paths, 'ip4', options.secondsPerMeasurement);
  const ip6 = await measureFamily(options, paths, 'ip6', options.secondsPerMeasurement * IP6_SHARE);
  return {
    ratios: Object.fromEntries(ratioEntries(ip4, '')),
    figures: { ...rates(ip4, ''), ...rates(ip6, '_v6'), ...ratioFigures(ip6) },
    environment: {
      ...(await host.environment()),
      cpu_placement: PLACEMENT_TEXT,
      seconds: `${options.secondsPerMeasurement} per measurement, IPv6 ${IP6_SHARE} of that`,
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

function measureFamily(
  options: SuiteOptions,
  paths: ReadonlyMap<Contender, Path>,
  family: Family,
  seconds: number,
): Promise<Samples> {
  return interleave(
    { rounds: options.rounds, tasks: KINDS, contenders: CONTENDERS },
    async (task, contender, round) => {
      const kind = task as TrafficKind;
      const path = paths.get(contender as Contender);
      const value = path === undefined ? Number.NaN : await measureTraffic(kind, path, family, seconds);
      options.progress(
        `round ${round + 1}/${options.rounds} ${family} ${kind.padEnd(6)} ${contender.padEnd(13)} ${amount(value)} ${TRAFFIC[kind].unit}`,
      );
      return value;
    },
  );
}

function amount(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 1000 ? 2 : 0 });
}

/** Ours against each of the others; rates are all "more is better". */
function ratioEntries(samples: Samples, suffix: string): readonly (readonly [string, readonly number[]])[] {
  return CONTENDERS.filter(other => other !== 'eswitch').flatMap(other =>
    KINDS.map(
      kind =>
        [
          `local.${kind}${suffix}.${other}`,
          ratios(samplesOf(samples, kind, 'eswitch'), samplesOf(samples, kind, other)),
        ] as const,
    ),
  );
}

function ratioFigures(samples: Samples): Readonly<Record<string, number>> {
  return Object.fromEntries(
    ratioEntries(samples, '_v6').map(([id, values]) => [`${id}_ratio`, median(values)]),
  );
}

/** The medians behind the ratios, in each kind's own unit. */
function rates(samples: Samples, suffix: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    KINDS.flatMap(kind =>
      CONTENDERS.map(contender => [
        `local.${kind}${suffix}.${contender}_${TRAFFIC[kind].unit}`,
        median(samplesOf(samples, kind, contender)),
      ]),
    ),
  );
}
