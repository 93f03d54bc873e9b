/** A small client of Docker's API over its unix socket: what the lab, the demo and the benchmarks need. */
import { request } from 'node:http';
import { demultiplex } from './docker-stream.ts';

/** The oldest API both of Debian 12's engine (20.10) and current ones speak. */
const API = '/v1.41';

export class DockerError extends Error {
  override readonly name = 'DockerError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface DockerReply {
  readonly status: number;
  readonly body: Buffer;
}

export interface ExecOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface NetworkSpec {
  readonly Name: string;
  readonly Driver: string;
  readonly EnableIPv6?: boolean;
  readonly Internal?: boolean;
  readonly Options?: Readonly<Record<string, string>>;
  readonly IPAM?: {
    readonly Driver: string;
    readonly Config?: readonly {
      readonly Subnet?: string;
      readonly Gateway?: string;
      readonly IPRange?: string;
    }[];
  };
}

export interface RunSpec {
  readonly image: string;
  readonly name: string;
  readonly command: readonly string[];
  readonly network?: string;
  /** Fixed addresses on that network. */
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly mac?: string;
  /** As Docker's `-p`: container port with protocol → where it is published. */
  readonly publish?: Readonly<
    Record<string, readonly { readonly HostIp?: string; readonly HostPort: string }[]>
  >;
  /** More of Docker's HostConfig, e.g. CapAdd. */
  readonly hostConfig?: Readonly<Record<string, unknown>>;
}

export interface EndpointSettings {
  readonly NetworkID: string;
  readonly EndpointID: string;
  readonly Gateway: string;
  readonly IPAddress: string;
  readonly IPPrefixLen: number;
  readonly IPv6Gateway: string;
  readonly GlobalIPv6Address: string;
  readonly GlobalIPv6PrefixLen: number;
  readonly MacAddress: string;
}

export interface ContainerState {
  readonly Id: string;
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly Pid: number;
    readonly ExitCode: number;
  };
  readonly NetworkSettings: {
    readonly SandboxKey: string;
    readonly Networks: Readonly<Record<string, EndpointSettings>>;
    readonly Ports: Readonly<
      Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>
    >;
  };
}

export class DockerClient {
  readonly socket: string;

  constructor(socket: string) {
    this.socket = socket;
  }

  /** True when an engine answers on the socket. */
  async ping(): Promise<boolean> {
    return this.call('GET', '/_ping').then(
      reply => reply.status === 200,
      () => false,
    );
  }

  /** Creates a network and returns its id. */
  async createNetwork(spec: NetworkSpec): Promise<string> {
    return (await this.json<{ Id: string }>('POST', '/networks/create', { CheckDuplicate: true, ...spec }))
      .Id;
  }

  removeNetwork(name: string): Promise<void> {
    return this.done('DELETE', `/networks/${name}`);
  }

  connect(network: string, container: string, config: Readonly<Record<string, unknown>> = {}): Promise<void> {
    return this.done('POST', `/networks/${network}/connect`, {
      Container: container,
      EndpointConfig: config,
    });
  }

  disconnect(network: string, container: string): Promise<void> {
    return this.done('POST', `/networks/${network}/disconnect`, { Container: container, Force: true });
  }

  /** Creates and starts a container; returns its id. A container that cannot start is removed again. */
  async run(spec: RunSpec): Promise<string> {
    const { Id } = await this.json<{ Id: string }>(
      'POST',
      `/containers/create?name=${spec.name}`,
      createBody(spec),
    );
    try {
      await this.done('POST', `/containers/${Id}/start`);
    } catch (error) {
      await this.remove(Id).catch(() => undefined);
      throw error;
    }
    return Id;
  }

  start(container: string): Promise<void> {
    return this.done('POST', `/containers/${container}/start`);
  }

  stop(container: string): Promise<void> {
    return this.done('POST', `/containers/${container}/stop?t=0`);
  }

  remove(container: string): Promise<void> {
    return this.done('DELETE', `/containers/${container}?force=true&v=true`);
  }

  inspect(container: string): Promise<ContainerState> {
    return this.json('GET', `/containers/${container}/json`);
  }

  inspectNetwork<T = Record<string, unknown>>(network: string): Promise<T> {
    return this.json('GET', `/networks/${network}`);
  }

  /** The container's endpoint on `network` (its name). */
  async endpoint(container: string, network: string): Promise<EndpointSettings> {
    const settings = (await this.inspect(container)).NetworkSettings.Networks[network];
    if (!settings) throw new Error(`${container} is not on ${network}`);
    return settings;
  }

  /** Runs a command in a container to its end: exact exit code, standard output and error apart. */
  async exec(
    container: string,
    command: readonly string[],
    options: { readonly privileged?: boolean } = {},
  ): Promise<ExecOutcome> {
    const { Id } = await this.json<{ Id: string }>('POST', `/containers/${container}/exec`, {
      Cmd: command,
      AttachStdout: true,
      AttachStderr: true,
      Privileged: options.privileged ?? false,
    });
    const { body } = await this.ok('POST', `/exec/${Id}/start`, { Detach: false, Tty: false });
    const { ExitCode } = await this.json<{ ExitCode: number }>('GET', `/exec/${Id}/json`);
    return { code: ExitCode, ...demultiplex(body) };
  }

  async logs(container: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
    return demultiplex((await this.ok('GET', `/containers/${container}/logs?stdout=1&stderr=1`)).body);
  }

  /** Makes an image of a root file system given as a tar archive. */
  async importImage(tag: string, archive: Buffer): Promise<void> {
    const [repo, version = 'latest'] = tag.split(':');
    const path = `/images/create?fromSrc=-&repo=${repo}&tag=${version}&changes=${encodeURIComponent('ENV PATH=/bin')}`;
    const { body } = await this.ok('POST', path, archive);
    // Import answers 200 first and tells of failure in the stream.
    if (body.includes('"error"')) throw new DockerError(500, body.toString('utf8'));
  }

  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    return JSON.parse((await this.ok(method, path, body)).body.toString('utf8')) as T;
  }

  async done(method: string, path: string, body?: unknown): Promise<void> {
    await this.ok(method, path, body);
  }

  /** Like `call`, and rejects with Docker's own message unless the status is 2xx or 304. */
  async ok(method: string, path: string, body?: unknown): Promise<DockerReply> {
    const reply = await this.call(method, path, body);
    if (reply.status < 300 || reply.status === 304) return reply;
    const text = reply.body.toString('utf8');
    let message = text;
    try {
      message = (JSON.parse(text) as { message?: string }).message ?? text;
    } catch {
      // Not JSON: the text itself is the message.
    }
    throw new DockerError(reply.status, message);
  }

  call(method: string, path: string, body?: unknown): Promise<DockerReply> {
    const payload = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const type = Buffer.isBuffer(body) ? 'application/x-tar' : 'application/json';
    const headers = payload
      ? { 'Content-Type': type, 'Content-Length': payload.length }
      : { 'Content-Length': 0 };
    return new Promise((resolve, reject) => {
      const call = request(
        { socketPath: this.socket, method, path: API + path, headers, agent: false },
        response => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }),
          );
          response.on('error', reject);
        },
      );
      call.on('error', reject);
      call.end(payload);
    });
  }
}

function createBody(spec: RunSpec): Readonly<Record<string, unknown>> {
  const endpoint = {
    IPAMConfig: { IPv4Address: spec.ipv4 ?? '', IPv6Address: spec.ipv6 ?? '' },
    ...(spec.mac === undefined ? {} : { MacAddress: spec.mac }),
  };
  return {
    Image: spec.image,
    Cmd: spec.command,
    ...(spec.mac === undefined ? {} : { MacAddress: spec.mac }),
    ExposedPorts: Object.fromEntries(Object.keys(spec.publish ?? {}).map(port => [port, {}])),
    HostConfig: {
      NetworkMode: spec.network ?? 'default',
      PortBindings: spec.publish ?? {},
      // A test's container has nothing to finish: do not wait ten seconds for it.
      StopTimeout: 0,
      ...spec.hostConfig,
    },
    NetworkingConfig: spec.network === undefined ? {} : { EndpointsConfig: { [spec.network]: endpoint } },
  };
}
