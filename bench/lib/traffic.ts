/** One traffic measurement between two places with esw_traffic (native/bench). */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Command, output, waitUntil } from '../../test/lab/exec.ts';
import type { Netns } from '../../test/lab/netns.ts';
import { Background } from './background.ts';
import { BenchError } from './bench-error.ts';
import { numberField } from './unix-http.ts';

const TOOL = fileURLToPath(new URL('../../native/build/esw_traffic', import.meta.url));
const PORT = 5201;
/** The sink ends when nothing has come for so long; its clock stopped at the last packet. */
const SINK_IDLE_SECONDS = 0.2;
const CLIENT_MARGIN_MS = 15_000;
const POLL_MS = 5;

/** A place that traffic starts or ends at: a container or a namespace. */
export interface Side {
  /** A process in its network namespace. */
  readonly pid: number;
  /** Path of esw_traffic there. */
  readonly tool: string;
  /** The command as run from outside. */
  enter(command: Command): Command;
}

/** Where to send: the server's addresses, "" for a family that there is none of. */
export interface Path {
  readonly client: Side;
  readonly server: Side;
  readonly ip4: string;
  readonly ip6: string;
}

export type Family = 'ip4' | 'ip6';

interface Kind {
  /** Unit of the value that `measureTraffic` returns. */
  readonly unit: string;
  readonly transport: 'udp' | 'tcp';
  readonly placement: Placement;
  readonly server: readonly string[];
  readonly client: readonly string[];
  /** Field of the JSON line, and whose line it is: only the receiver knows what was delivered. */
  readonly result: readonly ['server' | 'client', string];
}

/** CPUs of the two processes. */
export interface Placement {
  readonly client: number;
  readonly server: number;
}

const SECOND_CPU = availableParallelism() > 1 ? 1 : 0;

/** Two CPUs where both sides work at the same time. */
export const APART: Placement = { client: 0, server: SECOND_CPU };
/** One CPU for a ping-pong: only one side works at a time, and waking another CPU costs more than any path. */
export const TOGETHER: Placement = { client: 0, server: 0 };

const ROUND_TRIPS = {
  unit: 'tps',
  transport: 'tcp',
  server: ['tcp-rr-server', '--rounds', '1'],
  client: ['tcp-rr-client'],
  result: ['client', 'tps'],
} as const;

/** `--size 64` is the frame with its Ethernet header, the least an Ethernet has. */
export const TRAFFIC = {
  udp64: {
    unit: 'pps',
    transport: 'udp',
    placement: APART,
    server: ['udp-sink', '--idle', String(SINK_IDLE_SECONDS)],
    client: ['udp-flood', '--size', '64'],
    result: ['server', 'pps'],
  },
  tcp_rr: { ...ROUND_TRIPS, placement: TOGETHER },
  tcp_rr_apart: { ...ROUND_TRIPS, placement: APART },
  tcp: {
    unit: 'gbps',
    transport: 'tcp',
    placement: APART,
    server: ['tcp-stream-server', '--rounds', '1'],
    client: ['tcp-stream-client'],
    result: ['client', 'gbps'],
  },
} as const satisfies Record<string, Kind>;
export type TrafficKind = keyof typeof TRAFFIC;

/** For the environment of a report: which CPUs, the same for every contender. */
export function placementText(): string {
  const places = Object.entries(TRAFFIC).map(
    ([kind, { placement }]) => `${kind} CPU ${placement.client} to ${placement.server}`,
  );
  return `client to server: ${places.join(', ')}; the same for all contenders`;
}

/** Throws when the tool was not built. */
export function requireTool(): void {
  if (!existsSync(TOOL)) throw new BenchError(`${TOOL} is absent: build it with \`npm run build\``);
}

/** Runs server and client once; returns the delivered rate in the kind's unit. */
export async function measureTraffic(
  kind: TrafficKind,
  path: Path,
  family: Family,
  seconds: number,
): Promise<number> {
  const { transport, server, client, result, placement }: Kind = TRAFFIC[kind];
  const address = path[family];
  if (address === '') throw new BenchError(`the server has no ${family} address`);
  const any = family === 'ip4' ? '0.0.0.0' : '::';
  const listening = new Background(on(path.server, server, placement.server, ['--listen', any]));
  try {
    const listens = () => listening.exited || isBound(path.server.pid, transport, family);
    await waitUntil(`${server[0]} listens`, listens, { everyMs: POLL_MS });
    if (listening.exited) throw new BenchError(`${server[0]} ended early: ${listening.output}`);
    const send = ['--dst', address, '--seconds', String(seconds)];
    const sent = await output(on(path.client, client, placement.client, send), {
      timeoutMs: seconds * 1000 + CLIENT_MARGIN_MS,
    });
    await waitUntil(`${server[0]} received and ended`, () => listening.exited, { everyMs: POLL_MS });
    return numberField(jsonLine(result[0] === 'client' ? sent : listening.output), result[1]);
  } finally {
    await listening.stop('SIGKILL');
  }
}

function on(side: Side, command: readonly string[], cpu: number, more: readonly string[]): Command {
  return side.enter([side.tool, ...command, ...more, '--port', String(PORT), '--cpu', String(cpu)]);
}

/** A namespace of this machine as a place for traffic. */
export function sideOf(namespace: Netns): Side {
  return { pid: namespace.pid, tool: TOOL, enter: command => namespace.enter(command) };
}

function jsonLine(written: string): unknown {
  const line = written.split('\n').find(text => text.startsWith('{'));
  if (line === undefined) throw new BenchError(`esw_traffic wrote no JSON: ${written.trim().slice(-300)}`);
  return JSON.parse(line);
}

/** Whether a socket is bound to the port in the namespace of `pid` (proc_pid_net(5)). */
function isBound(pid: number, transport: 'udp' | 'tcp', family: Family): boolean {
  const port = `:${PORT.toString(16).toUpperCase().padStart(4, '0')}`;
  const table = readFileSync(`/proc/${pid}/net/${transport}${family === 'ip6' ? '6' : ''}`, 'utf8');
  const LISTEN = '0A';
  return table.split('\n').some(line => {
    const [, local = '', , state = ''] = line.trim().split(/\s+/);
    return local.endsWith(port) && (transport === 'udp' || state === LISTEN);
  });
}
