/**
 * Runs inside a guest: the whole kernel part on that kernel, without Docker. Applies a network with two
 * endpoints, puts the endpoints into namespaces as Docker would, and pings. Prints one JSON object.
 *
 *   node test/vm/guest/forwarding.ts [auto|tcx|clsact]
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { KIND_ORDER } from '../../../src/ir/resource.ts';
import { createNativeKernel } from '../../../src/kernel/native/native-kernel.ts';
import { RULESET_DIGEST } from '../../../src/kernel/native/nft-ruleset.ts';
import { objectDigest } from '../../../src/kernel/native/pins.ts';
import type { KernelPort } from '../../../src/kernel/port.ts';
import { plan } from '../../../src/plan/plan.ts';
import { endpoint, example, NETWORK } from '../../contract/kernel-harness.ts';
import { exec, start, tryExec } from '../../lab/exec.ts';

// It acts on the namespace it is in, for real: never on the machine that runs the tests.
if (!readFileSync('/proc/cmdline', 'utf8').includes('guest_init='))
  throw new Error('this runs in a guest only');

const build = join(import.meta.dirname, '../../../native/build');
const bpfObject = join(build, 'eswitch.bpf.o');
const hookMode = (process.argv[2] ?? 'auto') as 'auto' | 'tcx' | 'clsact';
const identity = { instance: 'tvm', linkPrefix: 'ew' };
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };

const kernel = createNativeKernel({
  identity,
  library: join(build, 'libeswitch.so'),
  bpfObject,
  bpffs: null,
  runDir: '/run/tvm',
  maxPorts: 64,
  hookMode,
  log: quiet,
});
const context = { identity, programsDigest: objectDigest(bpfObject), nftDigest: RULESET_DIGEST };
const { all, ports } = example(context);

async function applyAll(port: KernelPort): Promise<readonly string[]> {
  const resources = [...all.values()].sort((a, b) => KIND_ORDER[a.kind] - KIND_ORDER[b.kind]);
  const results = await port.apply(resources.map(resource => ({ verb: 'create', resource })));
  return results.flatMap(({ errno, extack }, index) =>
    errno === 0 ? [] : [`${resources[index]?.key}: errno ${errno} ${extack}`],
  );
}

/** What Docker does after Join, for endpoint `n` (from 1). */
async function enterSandbox(n: number): Promise<string> {
  const netns = `box${n}`;
  const { fn = '' } = ports[n - 1] ?? {};
  const { ip4, ip6, mac } = endpoint(n);
  const inside = ['ip', '-n', netns] as const;
  await exec(['ip', 'netns', 'add', netns]);
  await exec(['ip', 'link', 'set', fn, 'netns', netns, 'name', 'eth0']);
  await exec([...inside, 'link', 'set', 'eth0', 'address', mac, 'up']);
  await exec([...inside, 'address', 'add', String(ip4), 'dev', 'eth0']);
  await exec([...inside, 'address', 'add', String(ip6), 'dev', 'eth0', 'nodad']);
  for (const { gateway } of NETWORK.subnets) {
    await exec([...inside, 'route', 'replace', 'default', 'via', String(gateway), 'dev', 'eth0']);
  }
  return netns;
}

const address = (cidr: string | null): string => (cidr ?? '').split('/')[0] ?? '';

async function ping(netns: string, target: string): Promise<boolean> {
  const family = target.includes(':') ? '-6' : '-4';
  const command = [
    'ip',
    'netns',
    'exec',
    netns,
    'ping',
    family,
    '-n',
    '-c',
    '3',
    '-i',
    '0.2',
    '-W',
    '3',
    target,
  ] as const;
  return (await tryExec(command)).code === 0;
}

/** Answers one line to whoever connects, from inside a namespace. */
const SERVER = "require('net').createServer(c => c.end('served')).listen(80, '::', () => console.log('up'))";

/** A published port of endpoint 1, asked for on the host's own localhost. */
async function published(netns: string): Promise<boolean> {
  const command = ['ip', 'netns', 'exec', netns, process.execPath, '-e', SERVER] as const;
  const server = start(command, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (server.stdout) await once(server.stdout, 'data');
  const socket = connect({ host: '127.0.0.1', port: endpoint(1).bindings[0]?.hostPort ?? 0 });
  socket.setTimeout(5000, () => socket.destroy());
  const answer = await text(socket).catch(() => '');
  server.kill('SIGKILL');
  return answer === 'served';
}

/** A source address that is not the port's. */
async function spoof(netns: string): Promise<boolean> {
  await exec(['ip', '-n', netns, 'address', 'add', '10.211.7.99/32', 'dev', 'eth0']);
  const target = address(endpoint(2).ip4);
  const command = [
    'ip',
    'netns',
    'exec',
    netns,
    'ping',
    '-n',
    '-c',
    '1',
    '-W',
    '1',
    '-I',
    '10.211.7.99',
    target,
  ] as const;
  return (await tryExec(command)).code === 0;
}

const probes = await kernel.probe();
const refused = await applyAll(kernel);
if (refused.length > 0) {
  console.log(JSON.stringify({ refused }));
  process.exit(0);
}
const [first = '', second = ''] = [await enterSandbox(1), await enterSandbox(2)];
const peer = endpoint(2);
const [gateway4, gateway6] = NETWORK.subnets.map(subnet => String(subnet.gateway));
const traffic = {
  peer4: await ping(first, address(peer.ip4)),
  peer6: await ping(first, address(peer.ip6)),
  back4: await ping(second, address(endpoint(1).ip4)),
  gateway4: await ping(first, gateway4 ?? ''),
  gateway6: await ping(first, gateway6 ?? ''),
  published: await published(first),
  spoofed: await spoof(first),
};
const snapshot = await kernel.dump();
const counters = await kernel.counters();
const removal = [...snapshot.resources.values()].sort((a, b) => KIND_ORDER[b.kind] - KIND_ORDER[a.kind]);
const report = {
  hookMode: snapshot.hookMode,
  probes: Object.fromEntries(probes.map(probe => [probe.name, probe.answer])),
  refused,
  traffic,
  /** A second round has nothing to do. */
  again: plan(all, snapshot.resources).map(
    op => `${op.verb} ${op.verb === 'swap-fib' ? op.key : op.resource.key}`,
  ),
  drops: counters.drops.map(drop => drop.reason),
  packets: Number(counters.ports.get(endpoint(1).slot)?.rxPackets ?? 0n),
  removalRefused: (await kernel.apply(removal.map(resource => ({ verb: 'delete', resource })))).filter(
    result => result.errno !== 0,
  ),
  /** Global sysctls stay by design: somebody else may rely on forwarding by now. */
  left: [...(await kernel.dump()).resources.keys()].filter(key => !key.startsWith('sysctl/')),
};
await kernel.close();
console.log(JSON.stringify(report));
process.exit(0);
