/**
 * The Docker engine the demo runs on: the machine's own when its API answers, otherwise a private one
 * from Debian's docker.io with its own data-root, in namespaces that end with the demo.
 */
import { existsSync } from 'node:fs';
import { DockerClient } from '../../test/lab/docker-client.ts';
import { startDockerd } from '../../test/lab/dockerd.ts';
import { type ExecResult, tryExec } from '../../test/lab/exec.ts';
import { type Host, makeHost } from '../../test/lab/host.ts';
import { Netns } from '../../test/lab/netns.ts';
import { processIn } from '../../test/lab/process-in.ts';
import type { Scope } from '../../test/lab/scope.ts';

export interface Engine {
  readonly kind: 'running' | 'private';
  readonly version: string;
  /** Where the engine lives; the daemon is started there too. */
  readonly host: Host;
  readonly client: DockerClient;
  /** Name Docker knows our plugin by, and the configuration that gives it that name. */
  readonly driver: string;
  readonly config: Readonly<Record<string, unknown>>;
  docker(...args: readonly string[]): Promise<ExecResult>;
}

const SOCKET = '/var/run/docker.sock';
const CLI_TIMEOUT_MS = 60_000;

export async function openEngine(scope: Scope): Promise<Engine> {
  return (await runningEngine(scope)) ?? privateEngine(scope);
}

/** Null when there is no engine, or none whose API we can reach. */
async function runningEngine(scope: Scope): Promise<Engine | null> {
  const named = process.env['DOCKER_HOST'];
  const socket = named?.startsWith('unix://') ? named.slice('unix://'.length) : SOCKET;
  if (!existsSync(socket)) return null;
  const client = new DockerClient(socket);
  if (!(await client.ping())) return null;
  const machine = new Netns(`${scope.prefix}-machine`, 1, ['net', 'mount', 'pid']);
  const host: Host = Object.assign(machine, { dir: scope.tempDir('machine'), cgroup: '/' });
  const driver = `eswdemo${process.pid}`;
  return {
    kind: 'running',
    version: await versionOf(client),
    host,
    client,
    driver,
    // Names of its own, so that an eswitchd that already runs here is not disturbed.
    config: {
      instance: driver,
      linkPrefix: 'ed',
      runDir: host.dir,
      pluginSocket: `/run/docker/plugins/${driver}.sock`,
    },
    docker: (...args) => cli(socket, args),
  };
}

async function privateEngine(scope: Scope): Promise<Engine> {
  const host = await makeHost(scope, 'demo');
  const dockerd = await startDockerd(scope, host);
  return {
    kind: 'private',
    version: await versionOf(dockerd.client),
    host,
    client: dockerd.client,
    driver: 'eswitch',
    config: {},
    docker: (...args) => cli(dockerd.socket, args),
  };
}

async function versionOf(client: DockerClient): Promise<string> {
  return (await client.json<{ Version: string }>('GET', '/version')).Version;
}

function cli(socket: string, args: readonly string[]): Promise<ExecResult> {
  return tryExec(['docker', '--host', `unix://${socket}`, ...args], { timeoutMs: CLI_TIMEOUT_MS });
}

/** The network namespace of a container, to run tools of this machine in. */
export async function containerNetns(engine: Engine, container: string): Promise<Netns> {
  const { State } = await engine.client.inspect(container);
  return new Netns(container, await processIn(engine.host, State.Pid));
}
