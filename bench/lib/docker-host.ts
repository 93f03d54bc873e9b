/** One private Docker engine with eswitchd as its plugin, in a lab host. */
import { type Dockerd, startDockerd } from '../../test/lab/dockerd.ts';
import { startEswitchd } from '../../test/lab/eswitchd.ts';
import type { Command } from '../../test/lab/exec.ts';
import { type Host, makeHost } from '../../test/lab/host.ts';
import { IDLE, importLabImage } from '../../test/lab/image.ts';
import { processIn } from '../../test/lab/process-in.ts';
import type { Scope } from '../../test/lab/scope.ts';
import { settledHookMode } from './hooks.ts';
import type { Side } from './traffic.ts';

/** The lab's hosts have a bpffs at the usual place, and the daemon its default instance. */
const LINK_PINS = '/sys/fs/bpf/eswitchd/v1/links';

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

  private constructor(host: Host, dockerd: Dockerd, image: string) {
    this.#host = host;
    this.#dockerd = dockerd;
    this.image = image;
  }

  /** Starts engine and daemon; both end with the scope. */
  static async open(scope: Scope, progress: (line: string) => void): Promise<DockerHost> {
    progress('starting a private Docker engine and eswitchd');
    const host = await makeHost(scope, 'host');
    const dockerd = await startDockerd(scope, host);
    const image = await importLabImage(scope, dockerd.client);
    await startEswitchd(scope, host, { config: { logLevel: 'warn' } });
    return new DockerHost(host, dockerd, image);
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
      pid: await processIn(this.#host, State.Pid),
      tool: 'esw_traffic',
      ip4: addresses?.IPAddress ?? '',
      ip6: addresses?.GlobalIPv6Address ?? '',
      enter: command => this.command('exec', name, ...command),
    };
  }

  /** The hook that `ports` ports and their gateways are on once the daemon is done with moving them. */
  hookMode(ports: number): Promise<'tcx' | 'clsact'> {
    return settledHookMode(this.#host, LINK_PINS, ports);
  }

  /** Version of the engine. */
  async environment(): Promise<Readonly<Record<string, string>>> {
    const version = await this.#dockerd.client.json<{ Version: string }>('GET', '/version');
    return { docker_engine: `${version.Version}, private, its data in memory` };
  }
}
