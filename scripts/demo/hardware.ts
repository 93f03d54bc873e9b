/**
 * The hardware section of the demo. This machine has no SmartNIC, so it boots a guest kernel with the virtual one
 * of test/simnic and runs the real engine and the real daemon there. It shows states and causes, no speeds:
 * everything in the guest is emulated.
 */

import type { ExplainBody } from '../../src/wire/api/explain.ts';
import type { PortList } from '../../src/wire/api/nic.ts';
import type { Status } from '../../src/wire/api/status.ts';
import { waitUntil } from '../../test/lab/exec.ts';
import type { Scope } from '../../test/lab/scope.ts';
import { bootGuest } from '../../test/vm/guest.ts';
import { type GuestHost, startGuestHost } from '../../test/vm/guest-host.ts';
import { ensureImages } from '../../test/vm/images.ts';
import { buildModule } from '../../test/vm/module.ts';
import { root } from '../checks.ts';
import { check, command, say, step } from './screen.ts';

export interface HardwareMeasured {
  readonly kernel: string;
  /** Share of the bytes between the two containers, 0..1, while all their rules are in the NIC. */
  readonly shareInHardware: number;
  /** Packets lost of those sent while the NIC forgot its rules. */
  readonly lostDuringEviction: { readonly sent: number; readonly lost: number };
}

const NIC = 'simnic/simnic0';
const KNOBS = '/sys/bus/simnic/devices/simnic0/simnic';
const NETWORK = 'fast';
const LEFT = { name: 'left', ip: '10.77.0.2', ip6: 'fd77::2' } as const;
const RIGHT = { name: 'right', ip: '10.77.0.3', ip6: 'fd77::3' } as const;
const MODULES = 'cls_flower sch_ingress act_mirred act_gact act_pedit act_csum vxlan act_tunnel_key';
const LINES_MAX = 24;
/** Emulated, so slow: a rule is there in a second or two. */
const SETTLE_MS = 60_000;

export async function showHardware(scope: Scope): Promise<HardwareMeasured> {
  const host = await bootHost(scope);
  await showMode(host);
  await makeContainers(host);
  const shareInHardware = await showOffload(host);
  const lostDuringEviction = await showEviction(host);
  await showFullTable(host);
  await showReturn(host);
  const kernel = await host.guest.must('uname -r');
  await host.guest.stop();
  return { kernel, shareInHardware, lostDuringEviction };
}

async function bootHost(scope: Scope): Promise<GuestHost> {
  step('The hardware eswitch: a guest kernel with a virtual SmartNIC (there is no NIC here to show)');
  say('fetching QEMU and the guest kernel into the cache, unless they are there');
  await ensureImages();
  const module = await buildModule(`${root}/test/simnic`, 'simnic');
  const guest = await bootGuest(scope, { memoryMib: 2048 });
  say(`Linux ${await guest.must('uname -r')} in QEMU (${guest.accelerator}); states and causes, no speeds`);
  await guest.must(`modprobe -a ${MODULES} && insmod ${module} && echo '0 4' >/sys/bus/simnic/new_device`);
  const host = await startGuestHost(scope, guest);
  say('dockerd and eswitchd run in the guest');
  return host;
}

async function showMode(host: GuestHost): Promise<void> {
  step('The NIC is put into switchdev mode, with four VFs');
  await ctl(host, 'nic', 'mode', NIC, 'switchdev', '--vfs', '4');
  await ctl(host, 'nic', 'ls');
}

async function makeContainers(host: GuestHost): Promise<void> {
  step('A network that requires hardware; two containers get a VF each');
  const subnets = ['--subnet', '10.77.0.0/24', '--ipv6', '--subnet', 'fd77::/64'];
  command(
    `docker network create -d eswitch --ipam-driver eswitch -o require=hw ${subnets.join(' ')} ${NETWORK}`,
  );
  await host.network(NETWORK, '-o', 'require=hw', ...subnets);
  for (const { name, ip, ip6 } of [LEFT, RIGHT]) await host.container(name, NETWORK, { ip, ip6 });
  await ctl(host, 'port', 'ls');
  for (const address of [RIGHT.ip, RIGHT.ip6]) {
    const { code, stdout } = await host.exec(LEFT.name, 'ping', '-c', '2', '-W', '5', address);
    check(code === 0, `left reaches ${address}`, stdout);
  }
}

async function showOffload(host: GuestHost): Promise<number> {
  step('Their packets no longer reach the host');
  await untilHandled(host, 'hardware');
  await ctl(host, 'explain', LEFT.ip, RIGHT.ip, '--proto', 'tcp');
  const before = await share(host);
  await host.exec(LEFT.name, 'ping', '-c', '200', '-i', '0.01', '-s', '1000', RIGHT.ip);
  const after = await waitUntil(
    'the counters',
    async () => {
      const now = await share(host);
      return now.hardware - before.hardware >= 300_000 ? now : null;
    },
    { timeoutMs: SETTLE_MS },
  );
  const inHardware = after.hardware - before.hardware;
  const ratio = inHardware / (inHardware + after.software - before.software);
  say(`${inHardware} bytes by the NIC, ${after.software - before.software} by software`);
  check(ratio > 0.99, 'more than 99 % of these bytes were forwarded by hardware');
  return ratio;
}

async function showEviction(host: GuestHost): Promise<HardwareMeasured['lostDuringEviction']> {
  step('The NIC forgets its rules while packets flow: software takes over, the rules come back');
  const stdout = await host.must(
    `docker exec ${LEFT.name} ping -c 300 -i 0.02 ${RIGHT.ip} >/run/ping.out & sleep 2
     echo 100 >${KNOBS}/evict; wait; tail -n 2 /run/ping.out`,
  );
  say(stdout.trim());
  const [, sent = 0, received = 0] = (
    /(\d+) packets transmitted, (\d+) packets received/.exec(stdout) ?? []
  ).map(Number);
  check(sent > 0 && sent === received, 'no packet was lost', stdout);
  const { why } = await untilHandled(host, 'hardware');
  check(true, 'the NIC has the rules again', why);
  return { sent, lost: sent - received };
}

async function showFullTable(host: GuestHost): Promise<void> {
  step('A table with no room: the rest runs in software, and the operator is told why');
  await host.guest.must(`echo 2 >${KNOBS}/table_size; echo 100 >${KNOBS}/evict`);
  await host.container('third', NETWORK, { ip: '10.77.0.4' });
  const { code } = await host.exec('third', 'ping', '-c', '3', '-W', '5', RIGHT.ip);
  check(code === 0, 'third reaches right all the same');
  await ctl(host, 'rules', '--not-in-hw', '--kind', 'flow-rule');
}

async function showReturn(host: GuestHost): Promise<void> {
  step('Containers go, their VFs come back as they were');
  await host.docker('rm', '-f', LEFT.name, RIGHT.name, 'third');
  await host.docker('network', 'rm', NETWORK);
  const isFree = async (): Promise<boolean> => {
    const { ports } = (await host.api<PortList>('GET', '/v1/ports')).body;
    return ports.filter(port => port.kind === 'vf').every(port => port.state === 'free');
  };
  await waitUntil('all VFs given back', isFree, { timeoutMs: SETTLE_MS, everyMs: 500 });
  await ctl(host, 'port', 'ls');
  check(true, 'every VF is free, under its own name');
}

/** The daemon's answer for left to right, once it is `by`. */
function untilHandled(host: GuestHost, by: ExplainBody['handled']): Promise<ExplainBody> {
  const path = `/v1/explain?src=${LEFT.ip}&dst=${RIGHT.ip}&proto=tcp`;
  return waitUntil(
    `left to right handled in ${by}`,
    async () => {
      const { body } = await host.api<ExplainBody>('GET', path);
      return body.handled === by ? body : null;
    },
    { timeoutMs: SETTLE_MS, everyMs: 500 },
  );
}

async function share(host: GuestHost): Promise<{ readonly hardware: number; readonly software: number }> {
  const { traffic } = (await host.api<Status>('GET', '/v1/status')).body;
  return { hardware: Number(traffic.share.hardware.bytes), software: Number(traffic.share.software.bytes) };
}

/** A command as the operator types it, and what it prints. */
async function ctl(host: GuestHost, ...args: readonly string[]): Promise<void> {
  command(`eswitchctl ${args.join(' ')}`);
  const { code, stdout, stderr } = await host.tryEswitchctl(...args);
  say(headOf(`${stdout}${stderr}`.trimEnd()));
  check(code === 0, `eswitchctl ${args.slice(0, 2).join(' ')} succeeds`, stderr);
}

/** A long listing is shown by its first lines. */
function headOf(text: string): string {
  const lines = text.split('\n');
  if (lines.length <= LINES_MAX) return text;
  return [...lines.slice(0, LINES_MAX), `… ${lines.length - LINES_MAX} more lines`].join('\n');
}
