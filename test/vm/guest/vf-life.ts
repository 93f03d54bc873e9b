/**
 * Runs inside a guest with the module of test/simnic: the daemon without Docker, on a NIC in switchdev mode.
 * Endpoints are made through the plugin's socket and their functions moved as an engine would. Prints a JSON
 * object, check → "" or what went wrong.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { exec, tryExec } from '../../lab/exec.ts';

if (!readFileSync('/proc/cmdline', 'utf8').includes('guest_init='))
  throw new Error('this runs in a guest only');

const CYCLES = 200;
const WORKERS = 3;
const KILLS = 2;
const BUS = '/sys/bus/simnic';
const DIR = '/run/vflife';
const PLUGIN = '/run/docker/plugins/eswitch.sock';
const API = `${DIR}/api.sock`;
const NetworkID = 'a'.repeat(64);
const boxes = ['left', 'right'] as const;

/** The parts of the plugin's and the API's answers that are looked at. */
interface Answer {
  readonly Err?: string;
  readonly dead?: unknown;
  readonly Interface?: { readonly MacAddress: string };
  readonly InterfaceName?: { readonly SrcName: string };
  readonly Value?: { readonly vf: string | null };
}
interface Endpoints {
  readonly endpoints: readonly {
    readonly why: string;
    readonly sandbox: { readonly ifname: string | null } | null;
  }[];
}
interface IpLink {
  readonly ifname: string;
  readonly address: string;
  readonly mtu: number;
  readonly altnames?: readonly string[];
  readonly parentdev?: string;
}

let daemon: ChildProcess | null = null;

function call<T>(socketPath: string, method: string, path: string, body?: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, method }, reply => {
      json(reply).then(answer => resolve(answer as T), reject);
    });
    sent.once('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Until the daemon answers; what it refuses for good is the end. */
async function plugin(method: string, body: object): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    const path = `/NetworkDriver.${method}`;
    const answer = await call<Answer>(PLUGIN, 'POST', path, body).catch((dead): Answer => ({ dead }));
    if (answer.dead === undefined && answer.Err === undefined) return answer;
    const isPassing = answer.dead !== undefined || /starting|stopping/.test(answer.Err ?? '');
    if (!isPassing || attempt > 600) throw new Error(`${method}: ${answer.Err ?? answer.dead}`);
    await sleep(200);
  }
}

async function startDaemon(): Promise<void> {
  const log = openSync(`${DIR}/log`, 'a');
  const main = join(import.meta.dirname, '../../../src/daemon/main.ts');
  daemon = spawn(process.execPath, [main, '--config', `${DIR}/config.json`], { stdio: ['ignore', log, log] });
  for (;;) {
    const status = await call<{ daemon?: { state: string } }>(API, 'GET', '/v1/status').catch(() => null);
    const state = status?.daemon?.state;
    if (existsSync(PLUGIN) && state !== undefined && state !== 'starting') return;
    await sleep(200);
  }
}

async function killDaemon(): Promise<void> {
  const dying = daemon;
  if (dying === null) return;
  const gone = new Promise(resolve => dying.once('exit', resolve));
  dying.kill('SIGKILL');
  await gone;
}

const ledger = (): { key: string; endpoint: string | null; state: string }[] => {
  const db = new DatabaseSync(`${DIR}/state/eswitchd.db`, { readOnly: true });
  const rows = db.prepare('SELECT function, endpoint_id, record FROM vf ORDER BY function').all();
  db.close();
  return rows.map(row => ({
    key: String(row['function']),
    endpoint: row['endpoint_id'] as string | null,
    state: JSON.parse(String(row['record'])).state,
  }));
};

/** Links of the NIC in the host's namespace: with names, or by what a new netdev has too. */
async function links(named: boolean): Promise<string> {
  const all = JSON.parse((await tryExec(['ip', '-j', 'link'])).stdout) as IpLink[];
  const ours = all.filter(each => each.parentdev?.startsWith('simnic'));
  const lines = ours.map(({ ifname, address, mtu, altnames }) =>
    [named ? ifname : '', address, mtu, altnames ?? []].join(' '),
  );
  return lines.sort().join('\n');
}

async function eventually(
  what: string,
  look: () => Promise<unknown> | unknown,
  wanted: unknown,
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const seen = JSON.stringify(await look());
    if (seen === JSON.stringify(wanted)) return;
    if (attempt > 120)
      throw new Error(`${what}: ${seen}\n${readFileSync(`${DIR}/log`, 'utf8').slice(-3000)}`);
    await sleep(500);
  }
}

const idOf = (n: number): string => `${n}`.padStart(64, 'e');

/** What an engine does for a container. */
async function run(n: number): Promise<void> {
  const ref = { NetworkID, EndpointID: idOf(n) };
  const box = boxes[n - 1] ?? '';
  const Interface = { Address: `10.72.0.${10 + n}/24`, AddressIPv6: `fd72::${10 + n}/64`, MacAddress: '' };
  const made = await plugin('CreateEndpoint', { ...ref, Interface, Options: {} });
  const { InterfaceName } = await plugin('Join', { ...ref, SandboxKey: `/run/netns/${box}`, Options: {} });
  await exec(['ip', 'netns', 'add', box]);
  await exec(['ip', 'link', 'set', InterfaceName?.SrcName ?? '', 'netns', box, 'name', 'eth0']);
  const inside = ['ip', '-n', box] as const;
  await exec([...inside, 'link', 'set', 'eth0', 'address', made.Interface?.MacAddress ?? '', 'up']);
  await exec([...inside, 'addr', 'add', Interface.Address, 'dev', 'eth0']);
  await exec([...inside, 'addr', 'add', Interface.AddressIPv6, 'dev', 'eth0', 'nodad']);
}

const pings = async (): Promise<boolean> =>
  (await tryExec(['ip', 'netns', 'exec', 'left', 'ping', '-c', '1', '-W', '3', '10.72.0.12'])).code === 0;
const reasons = async (): Promise<string> => {
  const { endpoints } = await call<Endpoints>(API, 'GET', '/v1/endpoints');
  return endpoints.map(({ why }) => /no driver is bound/.exec(why)?.[0] ?? why).join('');
};

async function killed(): Promise<void> {
  const before = JSON.stringify(ledger());
  const log = openSync(`${DIR}/ping`, 'w');
  const ping = spawn('ip', ['netns', 'exec', 'left', 'ping', '-i', '0.2', '10.72.0.12'], {
    stdio: ['ignore', log, log],
  });
  await killDaemon();
  await startDaemon();
  await sleep(1000);
  const ended = new Promise(resolve => ping.once('exit', resolve));
  ping.kill('SIGINT');
  await ended;
  const text = readFileSync(`${DIR}/ping`, 'utf8');
  if (!/ 0% packet loss/.test(text)) throw new Error(text.slice(-300));
  if (JSON.stringify(ledger()) !== before) throw new Error(`${before}\n${JSON.stringify(ledger())}`);
}

async function rebound(): Promise<void> {
  const mine =
    ledger()
      .find(row => row.endpoint === idOf(1))
      ?.key.replace(/.*vf/, 'simnic0vf') ?? '';
  // Docker's own name for it was seen in the sandbox by now, and the daemon knows it.
  await eventually(
    'the name inside',
    async () => {
      const { endpoints } = await call<Endpoints>(API, 'GET', '/v1/endpoints');
      return endpoints.filter(each => each.sandbox?.ifname === 'eth0').length;
    },
    2,
  );
  appendFileSync(`${BUS}/drivers/simnic_vf/unbind`, mine);
  await eventually('the report', reasons, 'no driver is bound');
  appendFileSync(`${BUS}/drivers/simnic_vf/bind`, mine);
  await eventually('the way back', pings, true);
  await eventually('the report', reasons, '');
}

/** Namespaces end with functions in them; then the endpoints go. */
async function ended(): Promise<void> {
  for (const box of boxes) await exec(['ip', 'netns', 'del', box]);
  for (const n of [1, 2]) {
    await plugin('Leave', { NetworkID, EndpointID: idOf(n) });
    await plugin('DeleteEndpoint', { NetworkID, EndpointID: idOf(n) });
  }
  await eventually('the ledger', ledger, []);
}

let next = 0;
let hardware = 0;

async function cycle(worker: number): Promise<void> {
  while (next < CYCLES) {
    const ref = { NetworkID, EndpointID: idOf(1000 + next++) };
    const Interface = { Address: `10.72.0.${100 + worker}/24`, AddressIPv6: '', MacAddress: '' };
    await plugin('CreateEndpoint', { ...ref, Interface, Options: {} });
    if ((await plugin('EndpointOperInfo', ref)).Value?.vf != null) hardware++;
    await plugin('DeleteEndpoint', ref);
  }
}

async function cycles(): Promise<void> {
  const work = Promise.all(Array.from({ length: WORKERS }, (_, n) => cycle(n)));
  for (let kills = 0; kills < KILLS && next < CYCLES; kills++) {
    await sleep(1500 + Math.random() * 3000);
    await killDaemon();
    await startDaemon();
  }
  await work;
  if (hardware === 0) throw new Error('none of them had a function');
  await eventually('the ledger', ledger, []);
}

mkdirSync(`${DIR}/state`, { recursive: true });
mkdirSync('/run/docker/plugins', { recursive: true });
const config = { stateDir: `${DIR}/state`, apiSocket: API, runDir: DIR, resyncMs: 5000, logLevel: 'info' };
writeFileSync(`${DIR}/config.json`, JSON.stringify({ ...config, orphanGraceMs: 0 }));
appendFileSync(`${BUS}/new_device`, '0 4');
appendFileSync(`${BUS}/devices/simnic0/sriov_numvfs`, '4');
await exec(['devlink', 'dev', 'eswitch', 'set', 'simnic/simnic0', 'mode', 'switchdev']);
await sleep(500);
const pristine = { named: await links(true), unnamed: await links(false) };
await startDaemon();
await plugin('CreateNetwork', {
  ...{ NetworkID, Options: {} },
  IPv4Data: [{ AddressSpace: 'x', Pool: '10.72.0.0/24', Gateway: '10.72.0.1/24' }],
  IPv6Data: [{ AddressSpace: 'x', Pool: 'fd72::/64', Gateway: 'fd72::1/64' }],
});

const steps: readonly (readonly [string, () => Promise<void>])[] = [
  [
    'two reach each other',
    async () => {
      for (const n of [1, 2]) await run(n);
      await eventually('ping', pings, true);
    },
  ],
  ['a killed daemon costs no packet and changes no row', killed],
  ['a function whose driver was bound again is back in its sandbox', rebound],
  ['namespaces that end give their functions back', ended],
  [`${CYCLES} endpoints come and go while the daemon is killed`, cycles],
  [
    'all links are as they were, but for names that a driver gave anew',
    () => eventually('links', () => links(false), pristine.unnamed),
  ],
];
const outcome: Record<string, string> = {};
for (const [name, step] of steps) {
  console.error(`${Math.round(performance.now() / 1000)} s: ${name}`);
  try {
    await step();
    outcome[name] = '';
  } catch (error) {
    outcome[name] = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}
outcome['cycles with a function'] = `${hardware}`;
console.log(JSON.stringify(outcome));
process.exit(0);
