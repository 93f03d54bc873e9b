/** The docker command line against one engine, as far as the benchmarks need it. */

import type { CleanUp } from './clean-up.ts';
import { run } from './commands.ts';

export interface ContainerOptions {
  readonly name: string;
  readonly network: string;
  readonly image: string;
  /** Host directories mounted read-only at the same path. */
  readonly mounts: readonly string[];
}

export interface Container {
  readonly name: string;
  /** Of its first process: `/proc/<pid>/ns/net` is its namespace. */
  readonly pid: number;
  /** Addresses on the network it was started on, "" where it has none. */
  readonly ip4: string;
  readonly ip6: string;
}

export class Docker {
  readonly #host: string;

  constructor(host: string) {
    this.#host = host;
  }

  /** `argv` after `docker`, as a whole command line. */
  command(argv: readonly string[]): readonly string[] {
    return ['docker', '--host', this.#host, ...argv];
  }

  run(argv: readonly string[]): Promise<string> {
    return run(this.command(argv));
  }

  /** The engine's version, for the environment. */
  async version(): Promise<string> {
    return (await this.run(['version', '--format', '{{.Server.Version}}'])).trim();
  }

  async createNetwork(name: string, options: readonly string[], cleanUp: CleanUp): Promise<void> {
    await this.run(['network', 'create', ...options, name]);
    cleanUp.push(() => this.run(['network', 'rm', name]));
  }

  /** Starts a container that only waits; traffic is started in it with `docker exec`. */
  async startContainer(options: ContainerOptions, cleanUp: CleanUp): Promise<Container> {
    const { name, network, image, mounts } = options;
    await this.run([
      ...['run', '--detach', '--init', '--name', name, '--network', network],
      ...mounts.flatMap(path => ['--volume', `${path}:${path}:ro`]),
      ...[image, 'sleep', '1000000'],
    ]);
    cleanUp.push(() => this.run(['rm', '--force', name]));
    const inspected: unknown = JSON.parse(await this.run(['inspect', name]));
    return containerOf(name, network, (inspected as readonly Inspected[])[0]);
  }
}

interface Inspected {
  readonly State: { readonly Pid: number };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { IPAddress?: string; GlobalIPv6Address?: string }>>;
  };
}

function containerOf(name: string, network: string, inspected: Inspected | undefined): Container {
  const addresses = inspected?.NetworkSettings.Networks[network];
  return {
    name,
    pid: inspected?.State.Pid ?? 0,
    ip4: addresses?.IPAddress ?? '',
    ip6: addresses?.GlobalIPv6Address ?? '',
  };
}
