/** One private Docker engine with eswitchd as its plugin, in a lab host. */
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Dockerd, startDockerd } from '../../test/lab/dockerd.ts';
import { type Command, waitUntil } from '../../test/lab/exec.ts';
import { type Host, makeHost, startInHost } from '../../test/lab/host.ts';
import { IDLE, importLabImage } from '../../test/lab/image.ts';
import type { Scope } from '../../test/lab/scope.ts';
import { BenchError } from './bench-error.ts';
import { DAEMON_MAIN } from './daemon.ts';
import type { Side } from './traffic.ts';
import { field, UnixHttp } from './unix-http.ts';

export interface NetworkSubnets {
  readonly ip4: string;
  /** null = no IPv6. */
  readonly ip6: string | null;
}

/** A waiting container; traffic is started in it with `docker exec`. */
export interface Container extends Side {
  readonly name: string;
  /** Addresses on the network it was started on, "" where it has none. */
  readonly ip4: string;
  readonly ip6: string;
}

export class DockerHost {
  readonly image: string;
  readonly #host: Host;
  readonly #dockerd: Dockerd;
  readonly #api: UnixHttp;
  readonly #log: string;

  private constructor(host: Host, dockerd: Dockerd, image: string) {
    this.#host = host;
    this.#dockerd = dockerd;
    this.image = image;
    this.#log = join(host.dir, 'eswitchd.log');
    this.#api = new UnixHttp(join(host.dir, 'api.sock'));
  }

  /** Starts engine and daemon; both end with the scope. */
  static async open(scope: Scope, progress: (line: string) => void): Promise<DockerHost> {
    progress('starting a private Docker engine and eswitchd');
    const host = await makeHost(scope, 'host');
    const dockerd = await startDockerd(scope, host);
    const image = await importLabImage(scope, dockerd.client);
    const made = new DockerHost(host, dockerd, image);
    await made.#startDaemon();
    scope.defer(() => made.#api.close());
    return made;
  }

  async #startDaemon(): Promise<void> {
    const state = join(this.#host.dir, 'state');
    mkdirSync(state, { recursive: true });
    const flags = ['--state-dir', state, '--api-socket', join(this.#host.dir, 'api.sock')];
    const log = openSync(this.#log, 'a');
    const daemon = await startInHost(this.#host, [process.execPath, DAEMON_MAIN, ...flags], log);
    closeSync(log);
    const ready = async () => {
      if (!daemon.running) throw new BenchError(`eswitchd ended at start:\n${this.#lastLog()}`);
      const status = await this.#status().catch(() => null);
      return field(status, 'reconcile', 'lastRound') !== null;
    };
    await waitUntil('eswitchd', ready, { timeoutMs: 60_000 });
  }

  async #status(): Promise<unknown> {
    return (await this.#api.call('GET', '/v1/status')).body;
  }

  #lastLog(): string {
    return readFileSync(this.#log, 'utf8').slice(-800);
  }

  /** `docker …` against this engine. */
  command(...args: readonly string[]): Command {
    return ['docker', '--host', `unix://${this.#dockerd.socket}`, ...args];
  }

  async createNetwork(
    contender: 'eswitch' | 'docker_bridge',
    name: string,
    { ip4, ip6 }: NetworkSubnets,
    scope: Scope,
  ): Promise<void> {
    const ours = contender === 'eswitch';
    await this.#dockerd.client.createNetwork({
      Name: name,
      Driver: ours ? 'eswitch' : 'bridge',
      EnableIPv6: ip6 !== null,
      IPAM: {
        Driver: ours ? 'eswitch' : 'default',
        Config: [ip4, ...(ip6 === null ? [] : [ip6])].map(subnet => ({ Subnet: subnet })),
      },
    });
    scope.defer(() => this.#dockerd.client.removeNetwork(name));
  }

  async startContainer(name: string, network: string, scope: Scope): Promise<Container> {
    const { client } = this.#dockerd;
    await client.run({ image: this.image, name, command: IDLE, network });
    scope.defer(() => client.remove(name));
    const { State, NetworkSettings } = await client.inspect(name);
    const addresses = NetworkSettings.Networks[network];
    return {
      name,
      pid: await this.#outerPid(State.Pid),
      tool: 'esw_traffic',
      ip4: addresses?.IPAddress ?? '',
      ip6: addresses?.GlobalIPv6Address ?? '',
      enter: command => this.command('exec', name, ...command),
    };
  }

  /** A process, as our pid namespace numbers it, in the network namespace of the host's process `pid`. */
  async #outerPid(pid: number): Promise<number> {
    const namespace = await this.#host.output(['readlink', `/proc/${pid}/ns/net`]);
    const found = readdirSync('/proc').find(name => /^\d+$/.test(name) && netnsOf(name) === namespace);
    if (found === undefined) throw new BenchError(`no process in ${namespace}`);
    return Number(found);
  }

  /** Version of the engine, and what the daemon says of its hooks. */
  async environment(): Promise<Readonly<Record<string, string>>> {
    const version = await this.#dockerd.client.json<{ Version: string }>('GET', '/version');
    return {
      docker_engine: `${version.Version}, private, its data in memory`,
      hook_mode: String(field(await this.#status(), 'table', 'hookMode')),
    };
  }
}

function netnsOf(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return null;
  }
}
