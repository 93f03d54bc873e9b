/** One Docker engine with eswitchd as its plugin. */
import { BenchError } from './bench-error.ts';
import type { CleanUp } from './clean-up.ts';
import type { Docker } from './docker.ts';

export interface NetworkSubnets {
  readonly ip4: string;
  /** null = no IPv6. */
  readonly ip6: string | null;
}

export interface DockerHost {
  readonly docker: Docker;
  /** An image with a busybox. */
  readonly image: string;
  createNetwork(
    kind: 'eswitch' | 'docker_bridge',
    name: string,
    subnets: NetworkSubnets,
    cleanUp: CleanUp,
  ): Promise<void>;
  /** Version of the engine, hook mode of the daemon. */
  environment(): Promise<Readonly<Record<string, string>>>;
}

export async function openDockerHost(
  _cleanUp: CleanUp,
  _progress: (line: string) => void,
): Promise<DockerHost> {
  throw new BenchError('no lab yet');
}
