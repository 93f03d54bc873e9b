/** A lab host with a real engine and our daemon as its plugin, and the questions the tests ask of them. */
import type { EndpointBody } from '../../src/wire/api/endpoint.ts';
import type { Plan } from '../../src/wire/api/rules.ts';
import type { Status } from '../../src/wire/api/status.ts';
import type { ExecOutcome } from '../lab/docker-client.ts';
import { type Dockerd, type DockerdOptions, startDockerd } from '../lab/dockerd.ts';
import { type Eswitchd, startEswitchd } from '../lab/eswitchd.ts';
import { waitUntil } from '../lab/exec.ts';
import { type Host, makeHost } from '../lab/host.ts';
import { IDLE, importLabImage } from '../lab/image.ts';
import { Netns } from '../lab/netns.ts';
import { processIn } from '../lab/process-in.ts';
import { Scope } from '../lab/scope.ts';

/** The traffic tool of the benchmarks: its probe counts lost packets. */
export const TOOL = new URL('../../native/build/esw_traffic', import.meta.url).pathname;

/** Prints a page; run in the namespace that asks. The time limit tells "dropped" from "slow". */
const FETCH = `fetch(process.argv[1], { signal: AbortSignal.timeout(3000) })
  .then(reply => reply.text()).then(text => console.log(text.trim()), () => process.exit(1))`;

/** Short, so that a test can wait for it; long against any call of Docker. */
const ORPHAN_GRACE_MS = 4_000;

export class Stage {
  readonly scope: Scope;
  readonly host: Host;
  readonly docker: Dockerd;
  readonly daemon: Eswitchd;
  readonly image: string;

  private constructor(scope: Scope, host: Host, docker: Dockerd, daemon: Eswitchd, image: string) {
    this.scope = scope;
    this.host = host;
    this.docker = docker;
    this.daemon = daemon;
    this.image = image;
  }

  static async open(name: string, options: DockerdOptions = {}): Promise<Stage> {
    const scope = new Scope(name);
    const host = await makeHost(scope, 'host');
    const docker = await startDockerd(scope, host, options);
    const image = await importLabImage(scope, docker.client);
    const config = { dockerSocket: docker.socket, orphanGraceMs: ORPHAN_GRACE_MS };
    const daemon = await startEswitchd(scope, host, { config });
    return new Stage(scope, host, docker, daemon, image);
  }

  close(): Promise<void> {
    return this.scope.dispose();
  }

  /** `docker network create -d eswitch --ipam-driver eswitch …`; prints the id. */
  network(name: string, ...args: readonly string[]): Promise<string> {
    return this.docker.cli('network', 'create', '-d', 'eswitch', '--ipam-driver', 'eswitch', ...args, name);
  }

  /** A container that waits, on `network`. */
  run(name: string, network: string, ...args: readonly string[]): Promise<string> {
    return this.docker.cli('run', '-d', '--name', name, '--network', network, ...args, this.image, ...IDLE);
  }

  /** The refusal of a `docker` command that must fail. */
  async refusal(...args: readonly string[]): Promise<string> {
    const result = await this.docker.tryCli(args);
    if (result.code === 0) throw new Error(`docker ${args.join(' ')}: succeeded, which it must not`);
    return result.stderr;
  }

  in(container: string, ...command: readonly string[]): Promise<ExecOutcome> {
    return this.docker.client.exec(container, command);
  }

  /** One ping, answered within a second? */
  async pings(container: string, address: string): Promise<boolean> {
    return (await this.in(container, 'ping', '-c', '1', '-W', '1', address)).code === 0;
  }

  /** The network namespace of a container. */
  async netns(container: string): Promise<Netns> {
    const { State } = await this.docker.client.inspect(container);
    return new Netns(container, await processIn(this.host, State.Pid));
  }

  async endpoints(): Promise<readonly EndpointBody[]> {
    return (await this.daemon.api<{ endpoints: EndpointBody[] }>('GET', '/v1/endpoints')).body.endpoints;
  }

  /** Our view of a container's endpoint on a network. */
  async endpoint(container: string, network: string): Promise<EndpointBody> {
    const { EndpointID } = await this.docker.client.endpoint(container, network);
    return (await this.daemon.api<EndpointBody>('GET', `/v1/endpoints/${EndpointID}`)).body;
  }

  async status(): Promise<Status> {
    return (await this.daemon.api<Status>('GET', '/v1/status')).body;
  }

  /** Operations a reconcile round would run now, as text. */
  async plan(): Promise<readonly string[]> {
    const { body } = await this.daemon.api<Plan>('GET', '/v1/plan');
    return body.operations.map(({ verb, text }) => `${verb} ${text}`);
  }

  /** Waits until the kernel is as it should be. */
  async settled(): Promise<void> {
    await waitUntil('an empty plan', async () => (await this.plan()).length === 0, { timeoutMs: 20_000 });
  }

  /** Packets dropped on one endpoint for one reason. */
  async drops(container: string, network: string, reason: string): Promise<number> {
    const { traffic } = await this.endpoint(container, network);
    return Number(traffic.drops.find(drop => drop.reason === reason)?.packets ?? 0);
  }

  /** Links of our daemon in the host, by name. */
  async links(): Promise<readonly string[]> {
    const links = await this.host.ipJson<{ ifname: string }[]>('link');
    return links.map(({ ifname }) => ifname).filter(name => /^ew[rfghv][0-9a-f]{10}$/.test(name));
  }
}

/** The page, or null when it cannot be had. */
export async function page(place: Netns, url: string): Promise<string | null> {
  const { code, stdout } = await place.tryExec([process.execPath, '-e', FETCH, url]);
  return code === 0 ? stdout.trim() : null;
}

export interface ProbeResult {
  readonly sent: number;
  readonly lost: number;
  readonly longest_gap_ms: number;
}

export interface Probe {
  /** Ends the probe and says how many packets were sent and lost. */
  finish(): Promise<ProbeResult>;
}

const PROBE_PORT = '5333';

/**
 * Numbered packets from one container to another and back, 1,000 a second, while the test does harm.
 * Resolves when packets flow: what is lost afterwards is the harm's doing.
 */
export async function probe(from: Netns, to: Netns, address: string, seconds: number): Promise<Probe> {
  const any = address.includes(':') ? '::' : '0.0.0.0';
  const echo = to.start([TOOL, 'probe-echo', '--listen', any, '--port', PROBE_PORT]);
  await waitUntil('probes to be answered', async () => (await send(from, address, 0.05)).lost === 0);
  const running = send(from, address, seconds);
  return {
    async finish() {
      try {
        return await running;
      } finally {
        echo.kill('SIGKILL');
      }
    },
  };
}

async function send(from: Netns, address: string, seconds: number): Promise<ProbeResult> {
  const target = ['--dst', address, '--port', PROBE_PORT, '--rate', '1000', '--seconds', String(seconds)];
  const { stdout, stderr } = await from.tryExec([TOOL, 'probe', ...target], {
    timeoutMs: (seconds + 15) * 1000,
  });
  if (!stdout.startsWith('{')) throw new Error(`the probe said nothing: ${stderr}`);
  return JSON.parse(stdout) as ProbeResult;
}
