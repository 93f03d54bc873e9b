/** Throughput between two of our containers beside two on Docker's bridge, in interleaved rounds. */
import { measureTraffic, sideOf, type TrafficKind } from '../../bench/lib/traffic.ts';
import { containerNetns, type Engine } from './engine.ts';
import { say } from './screen.ts';

export interface Comparison {
  readonly unit: string;
  readonly ours: readonly number[];
  readonly bridge: readonly number[];
  /** Ours over Docker's bridge, of each round. */
  readonly ratios: readonly number[];
}

const KINDS = {
  udp64: { label: 'UDP, 64-byte frames delivered', unit: 'kpps', scale: 1e-3 },
  tcp_rr: { label: 'TCP ping-pong', unit: 'k/s', scale: 1e-3 },
  tcp: { label: 'TCP throughput', unit: 'Gbit/s', scale: 1 },
} as const satisfies Partial<Record<TrafficKind, unknown>>;
export type ComparedKind = keyof typeof KINDS;

const ROUNDS = 3;
const SECONDS = 1;

/** A pair of containers: the address is the second one's. */
export interface Pair {
  readonly client: string;
  readonly server: string;
  readonly ip4: string;
}

export async function compare(
  engine: Engine,
  ours: Pair,
  bridge: Pair,
): Promise<Record<ComparedKind, Comparison>> {
  const paths = { ours: await pathOf(engine, ours), bridge: await pathOf(engine, bridge) };
  const result = {} as Record<ComparedKind, Comparison>;
  for (const kind of Object.keys(KINDS) as ComparedKind[]) {
    const values: Record<'ours' | 'bridge', number[]> = { ours: [], bridge: [] };
    for (let round = 0; round < ROUNDS; round += 1) {
      // Alternate who goes first, so that a machine that slows down favours nobody.
      const order = round % 2 === 0 ? (['ours', 'bridge'] as const) : (['bridge', 'ours'] as const);
      for (const who of order) {
        values[who].push((await measureTraffic(kind, paths[who], 'ip4', SECONDS)) * KINDS[kind].scale);
      }
    }
    const ratios = values.ours.map((value, round) => value / (values.bridge[round] ?? Number.NaN));
    result[kind] = { unit: KINDS[kind].unit, ...values, ratios };
    say(line(kind, result[kind]));
  }
  return result;
}

async function pathOf(engine: Engine, pair: Pair) {
  return {
    client: sideOf(await containerNetns(engine, pair.client)),
    server: sideOf(await containerNetns(engine, pair.server)),
    ip4: pair.ip4,
    ip6: '',
  };
}

/** Middle value; rounds are odd. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function line(kind: ComparedKind, { ours, bridge, ratios, unit }: Comparison): string {
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)];
  return [
    KINDS[kind].label.padEnd(30),
    `${median(ours).toFixed(1)} / ${median(bridge).toFixed(1)} ${unit}`.padStart(22),
    `  ${median(ratios).toFixed(2)}x (${low.toFixed(2)}–${high.toFixed(2)})`,
  ].join('');
}
