/** The demo's steps, in order; each shows something and checks that it is as told. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Plan } from '../../src/wire/api/rules.ts';
import type { Status } from '../../src/wire/api/status.ts';
import { type Eswitchd, startEswitchd } from '../../test/lab/eswitchd.ts';
import { HTTPD, IDLE, importLabImage } from '../../test/lab/image.ts';
import type { Netns } from '../../test/lab/netns.ts';
import type { Scope } from '../../test/lab/scope.ts';
import { containerNetns, type Engine, openEngine } from './engine.ts';
import { check, command, DemoFailure, mustSucceed, say, step } from './screen.ts';
import { killDuringTraffic, type Survival } from './survive.ts';
import { type ComparedKind, type Comparison, compare } from './traffic.ts';

/** What one run measured, for the summary and `--json`. */
export interface Measured {
  readonly engine: { readonly kind: string; readonly version: string };
  readonly eswitch: string;
  readonly pingMs: { readonly ip4: number; readonly ip6: number };
  readonly traffic: Readonly<Record<ComparedKind, Comparison>>;
  readonly spoofedDropped: number;
  readonly survival: Survival;
  readonly planAfterRestart: number;
}

const NETWORK = 'eswdemo-net';
const BRIDGE = 'eswdemo-bridge';
const NAMES = { a: 'eswdemo-a', b: 'eswdemo-b', web: 'eswdemo-web' } as const;
const BRIDGED = { a: 'eswdemo-bridge-a', b: 'eswdemo-bridge-b' } as const;

/** Prints a page; a program of its own because it has to run in the engine's network namespace. */
const FETCH =
  'fetch(process.argv[1], { signal: AbortSignal.timeout(5000) }).then(r => r.text()).then(console.log)';
/** What the image's web server serves. */
const PAGE = 'eswitchd lab';

interface Stage {
  readonly scope: Scope;
  readonly engine: Engine;
  readonly daemon: Eswitchd;
  readonly image: string;
}

export async function tell(scope: Scope): Promise<Measured> {
  const stage = await setTheStage(scope);
  await makeNetwork(stage);
  await makeContainers(stage);
  const pingMs = await showPings(stage);
  await showPublished(stage);
  const traffic = await showThroughput(stage);
  const spoofedDropped = await showSpoofing(stage);
  const eswitch = await showStatus(stage);
  const { survival, plan } = await showSurvival(stage);
  await takeDown(stage);
  const { kind, version } = stage.engine;
  return {
    engine: { kind, version },
    eswitch,
    pingMs,
    traffic,
    spoofedDropped,
    survival,
    planAfterRestart: plan,
  };
}

async function setTheStage(scope: Scope): Promise<Stage> {
  step('A Docker engine and the daemon');
  const engine = await openEngine(scope);
  say(
    engine.kind === 'running'
      ? `the engine that runs here: ${engine.version}`
      : `no engine here: a private one, ${engine.version}`,
  );
  const image = await importLabImage(scope, engine.client);
  scope.defer(async () => void (await engine.docker('image', 'rm', '--force', image)));
  say('image from busybox-static, without a registry');
  const daemon = await startEswitchd(scope, engine.host, { config: { logLevel: 'info', ...engine.config } });
  scope.defer(() => purge(daemon));
  say(`eswitchd, pid ${daemon.pid}`);
  return { scope, engine, daemon, image };
}

async function makeNetwork({ scope, engine }: Stage): Promise<void> {
  step('A dual-stack network, addresses from our own pools');
  await docker(
    engine,
    'network',
    'create',
    '-d',
    engine.driver,
    '--ipam-driver',
    engine.driver,
    '--ipv6',
    NETWORK,
  );
  scope.defer(async () => void (await engine.docker('network', 'rm', NETWORK)));
  const { IPAM } = await engine.client.inspectNetwork<{
    IPAM: { Config: { Subnet: string; Gateway: string }[] };
  }>(NETWORK);
  for (const { Subnet, Gateway } of IPAM.Config) say(`${Subnet}  gateway ${Gateway}`);
  check(IPAM.Config.length === 2, 'one IPv4 and one IPv6 pool');
}

async function makeContainers({ scope, engine, image }: Stage): Promise<void> {
  step('Three containers, one of them a published web server');
  const run = async (name: string, extra: readonly string[], main: readonly string[]) => {
    await docker(engine, 'run', '-d', '--name', name, '--network', NETWORK, ...extra, image, ...main);
    scope.defer(async () => void (await engine.docker('rm', '-f', name)));
  };
  await run(NAMES.a, ['--cap-add', 'NET_ADMIN'], IDLE);
  await run(NAMES.b, [], IDLE);
  await run(NAMES.web, ['-p', `${await freePort()}:80`], HTTPD);
  for (const name of Object.values(NAMES)) {
    const { IPAddress, GlobalIPv6Address } = await engine.client.endpoint(name, NETWORK);
    const links = await inside(engine, name, 'ls', '/sys/class/net');
    say(
      `${name.padEnd(12)} ${IPAddress.padEnd(16)} ${GlobalIPv6Address.padEnd(22)} ${links.replaceAll('\n', ' ')}`,
    );
    check(links === 'eth0\nlo', 'one NIC and loopback, no docker_gwbridge');
  }
}

async function showPings({ engine }: Stage): Promise<{ ip4: number; ip6: number }> {
  step('They reach each other; every peer shows one MAC');
  const b = await engine.client.endpoint(NAMES.b, NETWORK);
  const web = await engine.client.endpoint(NAMES.web, NETWORK);
  const times: number[] = [];
  for (const address of [b.IPAddress, b.GlobalIPv6Address]) {
    command(`docker exec ${NAMES.a} ping -c 3 ${address}`);
    const printed = await inside(engine, NAMES.a, 'ping', '-c', '3', '-i', '0.2', address);
    say(printed.split('\n').slice(-2).join('\n'));
    times.push(Number(/= [\d.]+\/([\d.]+)\//.exec(printed)?.[1] ?? Number.NaN));
  }
  await inside(engine, NAMES.a, 'ping', '-c', '1', web.IPAddress);
  await inside(engine, NAMES.a, 'ping', '-c', '1', b.Gateway);
  const neighbours = await (await containerNetns(engine, NAMES.a)).ipJson<{ dst: string; lladdr?: string }[]>(
    'neigh',
  );
  const macs = new Set(neighbours.flatMap(({ lladdr }) => lladdr ?? []));
  say(neighbours.map(({ dst, lladdr }) => `${dst.padEnd(24)} ${lladdr ?? '-'}`).join('\n'));
  check(macs.size === 1, 'one MAC for every neighbour', [...macs].join(' '));
  return { ip4: times[0] ?? Number.NaN, ip6: times[1] ?? Number.NaN };
}

async function showPublished({ engine, daemon }: Stage): Promise<void> {
  step('The published port answers everywhere it should');
  const { endpoints } = (
    await daemon.api<{ endpoints: { published: { ports: { hostPort: number }[] } }[] }>(
      'GET',
      '/v1/endpoints',
    )
  ).body;
  const port = endpoints.flatMap(endpoint => endpoint.published.ports)[0]?.hostPort;
  if (port === undefined) throw new DemoFailure('no endpoint has a published port');
  const { Gateway } = await engine.client.endpoint(NAMES.a, NETWORK);
  const fetchFrom = async (place: Netns, host: string, where: string) => {
    const page = await place.tryExec([process.execPath, '-e', FETCH, `http://${host}:${port}/`]);
    check(page.stdout.trim() === PAGE, `http://${host}:${port}/ from ${where}`, page.stderr);
  };
  for (const host of ['127.0.0.1', '[::1]', Gateway]) await fetchFrom(engine.host, host, 'the host');
  await fetchFrom(await containerNetns(engine, NAMES.a), Gateway, 'a sibling container');
}

async function showThroughput({
  scope,
  engine,
  image,
}: Stage): Promise<Readonly<Record<ComparedKind, Comparison>>> {
  step("Throughput, ours beside Docker's own bridge in the same run");
  await docker(engine, 'network', 'create', '-d', 'bridge', BRIDGE);
  scope.defer(async () => void (await engine.docker('network', 'rm', BRIDGE)));
  for (const name of Object.values(BRIDGED)) {
    await docker(engine, 'run', '-d', '--name', name, '--network', BRIDGE, image, ...IDLE);
    scope.defer(async () => void (await engine.docker('rm', '-f', name)));
  }
  say('software eswitch, no NIC; container to container; 3 interleaved rounds');
  say(`${''.padEnd(30)}${'ours / bridge'.padStart(22)}  ratio (spread)`);
  const ours = (await engine.client.endpoint(NAMES.b, NETWORK)).IPAddress;
  const bridge = (await engine.client.endpoint(BRIDGED.b, BRIDGE)).IPAddress;
  const compared = await compare(
    engine,
    { client: NAMES.a, server: NAMES.b, ip4: ours },
    { client: BRIDGED.a, server: BRIDGED.b, ip4: bridge },
  );
  for (const name of Object.values(BRIDGED)) await docker(engine, 'rm', '-f', name);
  return compared;
}

async function showSpoofing({ engine, daemon }: Stage): Promise<number> {
  step("A container that borrows somebody else's address is refused, and counted");
  const b = await engine.client.endpoint(NAMES.b, NETWORK);
  const web = await engine.client.endpoint(NAMES.web, NETWORK);
  const a = await containerNetns(engine, NAMES.a);
  await a.ip('address', 'add', `${web.IPAddress}/32`, 'dev', 'eth0');
  const ping = await a.tryExec(['busybox', 'ping', '-c', '3', '-W', '1', '-I', web.IPAddress, b.IPAddress]);
  await a.ip('address', 'del', `${web.IPAddress}/32`, 'dev', 'eth0');
  check(ping.code !== 0, 'no spoofed ping was answered');
  const { traffic } = (await daemon.api<Status>('GET', '/v1/status')).body;
  const dropped = traffic.drops
    .filter(({ reason }) => reason === 'src_ip' || reason === 'arp_spoof')
    .reduce((sum, { packets }) => sum + Number(packets), 0);
  check(dropped > 0, `${dropped} packets dropped for their source`);
  return dropped;
}

async function showStatus({ daemon }: Stage): Promise<string> {
  step('What the operator sees');
  for (const args of [['status'], ['network'], ['endpoint'], ['plan']]) {
    command(`eswitchctl ${args.join(' ')}`);
    say(mustSucceed(await daemon.ctl(...args), args.join(' ')));
  }
  const { eswitch } = (await daemon.api<Status>('GET', '/v1/status')).body;
  return `${eswitch.kind} (${eswitch.mechanism}): ${eswitch.why}`;
}

async function showSurvival({ engine, daemon }: Stage): Promise<{ survival: Survival; plan: number }> {
  step('kill -9 of the daemon in the middle of traffic');
  const [from, to] = [await containerNetns(engine, NAMES.a), await containerNetns(engine, NAMES.b)];
  const { IPAddress } = await engine.client.endpoint(NAMES.b, NETWORK);
  const survival = await killDuringTraffic(daemon, from, to, IPAddress);
  say(
    `${survival.sent} packets sent, ${survival.received} came back; no daemon for ${survival.daemonDownMs.toFixed(0)} ms`,
  );
  check(
    survival.lost === 0,
    `no packet lost; longest gap ${survival.longestGapMs.toFixed(1)} ms`,
    `${survival.lost} lost`,
  );
  const { operations } = (await daemon.api<Plan>('GET', '/v1/plan')).body;
  check(operations.length === 0, 'the new daemon adopted everything: its plan is empty');
  return { survival, plan: operations.length };
}

async function takeDown({ engine, daemon }: Stage): Promise<void> {
  step('Everything goes away again');
  for (const name of Object.values(NAMES)) await docker(engine, 'rm', '-f', name);
  await docker(engine, 'network', 'rm', NETWORK);
  const { observed } = await settled(daemon);
  check(
    observed.length === 0,
    'no link, table entry or NAT element of a network is left',
    observed.join('\n'),
  );
}

/** What the kernel still holds that belongs to a network or an endpoint, after a full round. */
async function settled(daemon: Eswitchd): Promise<{ observed: readonly string[] }> {
  const hostWide = new Set(['programs', 'nft-table', 'forward-accept', 'sysctl']);
  await daemon.api('POST', '/v1/reconcile');
  const { rules } = (
    await daemon.api<{ rules: { kind: string; text: string }[] }>('GET', '/v1/rules?view=observed')
  ).body;
  return { observed: rules.filter(({ kind }) => !hostWide.has(kind)).map(({ text }) => text) };
}

/** Removes what the daemon keeps for itself; the daemon is stopped first. */
async function purge(daemon: Eswitchd): Promise<void> {
  await daemon.stop();
  const main = new URL('../../src/daemon/main.ts', import.meta.url).pathname;
  const purged = await daemon.host.tryExec([
    process.execPath,
    main,
    '--config',
    daemon.configFile,
    '--purge',
  ]);
  if (purged.code !== 0)
    throw new DemoFailure(
      `purge failed: ${readFileSync(daemon.logFile, 'utf8').slice(-2000)}${purged.stderr}`,
    );
}

async function docker(engine: Engine, ...args: readonly string[]): Promise<void> {
  command(`docker ${args.join(' ')}`.replace(engine.client.socket, ''));
  mustSucceed(await engine.docker(...args), `docker ${args[0] ?? ''}`);
}

async function inside(engine: Engine, container: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await engine.client.exec(container, args);
  if (code !== 0)
    throw new DemoFailure(`in ${container}: ${args.join(' ')}: exit ${code}\n${stdout}${stderr}`);
  return stdout.trim();
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
