/**
 * A guest as a Docker host: Debian's dockerd and eswitchd, run as an operator would run them.
 *
 *     const guest = await bootGuest(scope, { nics: [{ kind: 'igb' }], diskMib: 512 });
 *     const host = await startGuestHost(scope, guest, { config: { resyncMs: 5000 } });
 *     await host.network('net', '--subnet', '10.0.0.0/24');
 *     await host.container('left', 'net', { ip: '10.0.0.2' });
 *     await host.exec('left', 'ping', '-c1', '10.0.0.3');
 *
 * Every process start costs: `docker` 0.2 s, `api` 0.05 s, `eswitchctl` seconds. Several commands of one step
 * belong in one `guest.must` script; DOCKER_HOST is set up by `host.script`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { IDLE, IMAGE, imageArchive } from '../lab/image.ts';
import type { Scope } from '../lab/scope.ts';
import type { Guest, GuestResult } from './guest.ts';
import { ensureProduct, type Product } from './product.ts';

const DOCKER_SOCKET = '/run/docker.sock';
const API_SOCKET = '/run/eswitchd.sock';
const PLUGIN_SOCKET = '/run/docker/plugins/eswitch.sock';
const CONTAINERD = {
  socket: '/run/containerd-test.sock',
  config: '/run/containerd-test.toml',
  state: '/run/containerd-test',
  pid: '/run/containerd-test.pid',
  log: '/run/containerd.log',
} as const;
const PATHS = {
  dockerd: { pid: '/run/dockerd-test.pid', log: '/run/dockerd.log' },
  eswitchd: { pid: '/run/eswitchd-test.pid', log: '/run/eswitchd.log' },
} as const;
type Program = keyof typeof PATHS;

/** Emulated, and beside other lanes, node needs a minute for what takes it a second. */
const START_TIMEOUT_MS = 240_000;
const STOP_TIMEOUT_MS = 60_000;
const COMMAND_TIMEOUT_MS = 120_000;

export interface GuestHostOptions {
  /** Keys of the daemon's configuration file that differ from the lab's. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** More arguments for dockerd. `--live-restore` keeps containers while it is away. */
  readonly dockerdArgs?: readonly string[];
  /** Start eswitchd too. Default true. */
  readonly daemon?: boolean;
}

export interface ContainerOptions {
  readonly ip?: string;
  readonly ip6?: string;
  readonly mac?: string;
  /** Default: waits, and ends at once when told to. */
  readonly command?: readonly string[];
  /** More arguments for `docker run`, e.g. `['--publish', '8080:80']`. */
  readonly args?: readonly string[];
}

export interface ApiReply<T> {
  readonly status: number;
  readonly body: T;
}

/** One argument list as a shell's words. */
export const quote = (...args: readonly string[]): string =>
  args.map(arg => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`)).join(' ');

export class GuestHost {
  readonly guest: Guest;
  readonly #product: Product;
  readonly #options: GuestHostOptions;
  readonly #dataRoot: string;
  readonly #stateDir: string;

  constructor(guest: Guest, product: Product, options: GuestHostOptions) {
    this.guest = guest;
    this.#product = product;
    this.#options = options;
    const base = guest.hasDisk ? '/disk' : '/run';
    this.#dataRoot = `${base}/docker-data`;
    this.#stateDir = `${base}/eswitchd-state`;
    for (const { log } of Object.values(PATHS)) guest.keepLog(log);
  }

  /** A shell script with the engine's socket in its environment; any exit code. */
  script(text: string, timeoutMs = COMMAND_TIMEOUT_MS): Promise<GuestResult> {
    return this.guest.run(`export DOCKER_HOST=unix://${DOCKER_SOCKET}\n${text}`, timeoutMs);
  }

  /** Like `script`; rejects with both daemons' last lines unless the exit code is 0. Returns the output. */
  async must(text: string, timeoutMs = COMMAND_TIMEOUT_MS): Promise<string> {
    const { code, stdout, stderr } = await this.script(text, timeoutMs);
    if (code === 0) return stdout.trim();
    throw new Error(`${text}\nexit code ${code}\n${stdout}${stderr}\n${await this.logs(15)}`);
  }

  /** The `docker` command; its standard output, trimmed. Rejects on failure. */
  docker(...args: readonly string[]): Promise<string> {
    return this.must(quote('docker', ...args));
  }

  /** The `docker` command; any exit code. */
  tryDocker(...args: readonly string[]): Promise<GuestResult> {
    return this.script(quote('docker', ...args));
  }

  /** `docker network create -d eswitch --ipam-driver eswitch …`; the id. */
  network(name: string, ...args: readonly string[]): Promise<string> {
    return this.docker('network', 'create', '-d', 'eswitch', '--ipam-driver', 'eswitch', ...args, name);
  }

  /** Runs a container of the lab's image on `network`. Docker wants names of two characters or more. */
  async container(name: string, network: string, options: ContainerOptions = {}): Promise<void> {
    const flags = { '--ip': options.ip, '--ip6': options.ip6, '--mac-address': options.mac };
    const given = Object.entries(flags).flatMap(([flag, value]) =>
      value === undefined ? [] : [flag, value],
    );
    const rest = [...(options.args ?? []), IMAGE, ...(options.command ?? IDLE)];
    await this.docker('run', '-d', '--name', name, '--network', network, ...given, ...rest);
  }

  /** A command in a container; any exit code. */
  exec(name: string, ...command: readonly string[]): Promise<GuestResult> {
    return this.tryDocker('exec', name, ...command);
  }

  /** One request to eswitchd's API; the body is parsed when it is JSON. Rejects when nobody answers. */
  async api<T = unknown>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<ApiReply<T>> {
    const json = ['-H', 'Content-Type: application/json', '-d', JSON.stringify(body)];
    const text = await this.must(
      quote(
        ...['curl', '-sS', '-X', method, '--unix-socket', API_SOCKET, '-w', '\n%{http_code} %{content_type}'],
        ...(body === undefined ? [] : json),
        `http://localhost${path}`,
      ),
    );
    const cut = text.lastIndexOf('\n');
    const [status = '', type = ''] = text.slice(cut + 1).split(' ');
    const content = text.slice(0, Math.max(cut, 0));
    return { status: Number(status), body: (type.includes('json') ? JSON.parse(content) : content) as T };
  }

  /** `eswitchctl --json …`, its output parsed. Rejects on failure. */
  async eswitchctl<T = unknown>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.must(this.#ctl('--json', ...args))) as T;
  }

  /** `eswitchctl …` as an operator sees it; any exit code. */
  tryEswitchctl(...args: readonly string[]): Promise<GuestResult> {
    return this.script(this.#ctl(...args));
  }

  #ctl(...args: readonly string[]): string {
    return quote(process.execPath, this.#product.cli, '--socket', API_SOCKET, ...args);
  }

  /** Starts what does not run of the two, side by side, and waits until they answer. */
  async start(programs: readonly Program[]): Promise<void> {
    const parts = programs.map(program => ({ ...PATHS[program], ...this.#howToStart(program) }));
    const launches = parts.map(part => `${part.prepare}\n${launch(part.command, part.pid, part.log)}`);
    const waits = parts.map(part => waitFor(part.probe, part.pid, part.log));
    const script = [...launches, ...waits].join('\n');
    for (let attempt = 1; ; attempt++) {
      try {
        await this.must(script, START_TIMEOUT_MS);
        return;
      } catch (error) {
        // dockerd gives its containerd 15 s, which a busy machine's emulation may exceed.
        if (attempt === 3 || !String(error).includes('waiting for containerd to start')) throw error;
      }
    }
  }

  #howToStart(program: Program): { prepare: string; command: string; probe: string } {
    if (program === 'dockerd') {
      const data = this.#dataRoot;
      const command = [
        ...['dockerd', '--host', `unix://${DOCKER_SOCKET}`, '--data-root', data],
        ...['--containerd', CONTAINERD.socket],
        // A leftover of the packaged configuration must not change what is tested.
        ...['--config-file', '/run/dockerd.json', '--exec-opt', 'native.cgroupdriver=cgroupfs'],
        ...(this.#options.dockerdArgs ?? []),
      ];
      // In memory, unless it is to outlive a reboot: overlay2 refuses the guest's own root, an overlay.
      const tmpfs = this.guest.hasDisk ? '' : `mountpoint -q ${data} || mount -t tmpfs tmpfs ${data}`;
      return {
        prepare: [
          `mkdir -p ${data} /run/docker/plugins\n${tmpfs}\necho '{}' >/run/dockerd.json`,
          startContainerd(`${data}/containerd-test`),
        ].join('\n'),
        command: quote(...command),
        probe: `curl -sf --unix-socket ${DOCKER_SOCKET} http://localhost/_ping`,
      };
    }
    const config = {
      stateDir: this.#stateDir,
      apiSocket: API_SOCKET,
      logLevel: 'debug',
      ...this.#options.config,
    };
    const file = '/run/eswitchd.json';
    return {
      prepare: `mkdir -p ${this.#stateDir} /run/docker/plugins\nprintf %s ${quote(JSON.stringify(config))} >${file}`,
      command: quote(process.execPath, this.#product.daemon, '--config', file),
      probe: `[ -S ${PLUGIN_SOCKET} ] && curl -sf --unix-socket ${API_SOCKET} http://localhost/healthz`,
    };
  }

  dockerdStart(): Promise<void> {
    return this.start(['dockerd']);
  }

  daemonStart(): Promise<void> {
    return this.start(['eswitchd']);
  }

  /** SIGTERM and wait for the end. */
  dockerdStop(): Promise<void> {
    return this.#end('dockerd', 'TERM');
  }

  daemonStop(): Promise<void> {
    return this.#end('eswitchd', 'TERM');
  }

  /** SIGKILL: no shutdown work at all. */
  dockerdKill9(): Promise<void> {
    return this.#end('dockerd', 'KILL');
  }

  daemonKill9(): Promise<void> {
    return this.#end('eswitchd', 'KILL');
  }

  async #end(program: Program, signal: 'TERM' | 'KILL'): Promise<void> {
    const { pid } = PATHS[program];
    await this.must(
      `p=$(cat ${pid}); kill -${signal} "$p"\nwhile [ -e "/proc/$p" ]; do sleep 0.05; done; rm ${pid}`,
      STOP_TIMEOUT_MS,
    );
  }

  /** Reboots the guest and starts the daemons again; needs a disk for anything to be left. */
  async reboot(how: 'power-cut' | 'clean' = 'power-cut'): Promise<void> {
    if (how === 'clean') await this.#end('dockerd', 'TERM');
    if (how === 'clean' && this.#options.daemon !== false) await this.#end('eswitchd', 'TERM');
    await this.guest.reboot(how);
    // One after the other, as service managers are told to: an engine that finds no driver for its networks
    // gives its containers up.
    for (const program of this.programs) await this.start([program]);
  }

  /** What is started at boot, in this order. */
  get programs(): readonly Program[] {
    return this.#options.daemon === false ? ['dockerd'] : ['eswitchd', 'dockerd'];
  }

  /** Last lines of both daemons' logs. */
  async logs(lines = 100): Promise<string> {
    const files = Object.values(PATHS).map(({ log }) => log);
    const { stdout } = await this.guest.run(`tail -n ${lines} ${files.join(' ')} 2>/dev/null | cut -c1-2000`);
    return stdout.trim();
  }
}

/** Starts dockerd (with the lab's image) and eswitchd in `guest`; they end with it. */
export async function startGuestHost(
  scope: Scope,
  guest: Guest,
  options: GuestHostOptions = {},
): Promise<GuestHost> {
  const archive = join(scope.tempDir('image'), 'image.tar');
  writeFileSync(archive, await imageArchive(scope));
  const host = new GuestHost(guest, await ensureProduct(), options);
  await host.start(host.programs);
  await host.must(`docker import -c 'ENV PATH=/bin' ${archive} ${IMAGE}`);
  return host;
}

/** Starts `command` detached, its pid in `pid`, both outputs appended to `log`; nothing if it runs. */
const launch = (command: string, pid: string, log: string): string => `
if ! [ -s ${pid} ] || ! [ -e "/proc/$(cat ${pid})" ]; then
  rm -f ${pid}
  setsid sh -c ${quote(`echo $$ >${pid}; exec ${command}`)} >>${log} 2>&1 </dev/null &
fi`;

/**
 * containerd by itself, as Debian's units run it: dockerd gives one that it starts fifteen seconds, and a
 * loaded emulator may take more.
 */
function startContainerd(root: string): string {
  const { socket, config, state, pid, log } = CONTAINERD;
  const command = ['containerd', '--config', config, '--address', socket, '--root', root, '--state', state];
  return [
    `mkdir -p ${root}`,
    `echo 'disabled_plugins = ["io.containerd.grpc.v1.cri"]' >${config}`,
    launch(quote(...command), pid, log),
    waitFor(`[ -S ${socket} ]`, pid, log),
  ].join('\n');
}

/** Waits until `probe` succeeds; fails with the log when the process ends instead. */
const waitFor = (probe: string, pid: string, log: string): string => `
while ! [ -s ${pid} ]; do sleep 0.05; done
until { ${probe}; } >/dev/null 2>&1; do
  [ -e "/proc/$(cat ${pid})" ] || { echo "ended at start:"; tail -n 40 ${log}; exit 1; }
  sleep 0.2
done`;
