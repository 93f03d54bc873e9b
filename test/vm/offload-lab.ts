/** A guest with simnic in switchdev mode, endpoints on its VFs and the daemon: no engine, namespaces instead. */
import { join } from 'node:path';
import type { ExplainBody } from '../../src/wire/api/explain.ts';
import type { FlowBody, RuleList } from '../../src/wire/api/rules.ts';
import type { Status } from '../../src/wire/api/status.ts';
import type { Scope } from '../lab/scope.ts';
import { GuestHost } from './guest-host.ts';
import { bootWithSimnic, type Lab } from './simnic-lab.ts';

const seeder = join(import.meta.dirname, 'guest/seed-endpoints.ts');
const STATE = '/run/eswitchd-state';
const KNOBS = '/sys/bus/simnic/devices/simnic0/simnic';

export interface SeededEndpoint {
  readonly id: string;
  readonly slot: number;
  readonly rep: string;
  readonly ip4: string;
  readonly ip6: string;
}

export interface Loss {
  readonly sent: number;
  readonly lost: number;
}

export class OffloadLab {
  readonly simnic: Lab;
  readonly host: GuestHost;
  network = '';
  endpoints: readonly SeededEndpoint[] = [];

  constructor(simnic: Lab) {
    this.simnic = simnic;
    this.host = new GuestHost(simnic.guest, { config: { resyncMs: 5000, orphanGraceMs: 0 } });
  }

  static async boot(scope: Scope, vfs: number): Promise<OffloadLab> {
    const simnic = await bootWithSimnic(scope);
    const lab = new OffloadLab(simnic);
    await simnic.sh(`echo "0 8" >/sys/bus/simnic/new_device
      ip link set "$(sn_port 0 p0)" up
      echo ${vfs} >/sys/bus/simnic/devices/simnic0/sriov_numvfs
      devlink dev eswitch set simnic/simnic0 mode switchdev
      ip link set "$(sn_port 0 p0)" up`);
    return lab;
  }

  /** While the daemon does not run: endpoints `n` on VF `n` (modulo 100) in namespace c<n>. */
  async seed(numbers: readonly number[]): Promise<void> {
    const spaces = numbers.map(n => `ip netns list | grep -qw c${n} || ip netns add c${n}`).join('\n');
    const command = `${process.execPath} ${seeder} ${STATE} ${numbers.join(',')}`;
    const text = await this.simnic.guest.must(`${spaces}\nmkdir -p ${STATE}\n${command}`, 120_000);
    const seeded = JSON.parse(text) as { network: string; endpoints: SeededEndpoint[] };
    this.network = seeded.network;
    this.endpoints = seeded.endpoints;
  }

  endpoint(n: number): SeededEndpoint {
    const found = this.endpoints.find(({ slot }) => slot === n);
    if (found === undefined) throw new Error(`no endpoint ${n}`);
    return found;
  }

  knob(name: string, value: string): Promise<string> {
    return this.simnic.sh(`echo '${value}' >${KNOBS}/${name}`);
  }

  /** Packets that hardware forwarded, and packets that reached a representor. */
  async counted(...reps: readonly string[]): Promise<{ readonly hits: number; readonly misses: number }> {
    const files = reps.map(rep => `/sys/class/net/${rep}/statistics/rx_packets`).join(' ');
    const text = await this.simnic.sh(`sn_stat 0 hits; cat ${files} | awk '{ n += $1 } END { print n }'`);
    const [hits = 0, misses = 0] = text.split('\n').map(Number);
    return { hits, misses };
  }

  /** One echo every 20 ms, from one endpoint to another; `during` runs when a fifth has been sent. */
  async ping(from: number, to: string, count: number, during = ''): Promise<Loss> {
    const waitS = (count * 0.02) / 5;
    const text = await this.simnic.sh(`
      ip netns exec c${from} ping -q -c ${count} -i 0.02 -W 1 ${to} >/run/ping.out 2>&1 & ping=$!
      sleep ${waitS.toFixed(2)}
      ${during}
      wait $ping || true
      cat /run/ping.out`);
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(text) ?? [];
    if (sent === undefined) throw new Error(`no ping: ${text}`);
    return { sent: Number(sent), lost: Number(sent) - Number(received) };
  }

  async status(): Promise<Status> {
    return (await this.host.api<Status>('GET', '/v1/status')).body;
  }

  async flows(): Promise<readonly FlowBody[]> {
    const { body } = await this.host.api<RuleList>('GET', '/v1/rules?kind=flow-rule');
    return body.rules.flatMap(({ flow }) => flow ?? []);
  }

  async explain(src: string, dst: string, more = ''): Promise<ExplainBody> {
    return (await this.host.api<ExplainBody>('GET', `/v1/explain?src=${src}&dst=${dst}${more}`)).body;
  }

  /** Polls until what is asked holds; the last answer is in the error. */
  async until<T>(ask: () => Promise<T>, holds: (answer: T) => boolean, timeoutMs = 60_000): Promise<T> {
    const endMs = Date.now() + timeoutMs;
    for (;;) {
      const answer = await ask();
      if (holds(answer)) return answer;
      if (Date.now() > endMs) {
        throw new Error(`not in ${timeoutMs} ms: ${JSON.stringify(answer)}\n${await this.host.logs(20)}`);
      }
      await new Promise(resolve => setTimeout(resolve, 300));
    }
  }

  /** Until that many rules are in hardware as the daemon says. */
  inHardware(count: number): Promise<readonly FlowBody[]> {
    return this.until(
      () => this.flows(),
      flows => flows.filter(({ state }) => state === 'in-hardware').length === count,
    );
  }

  /** Rules in tc on the ingress of representors, of all that exist. */
  async inTc(): Promise<string> {
    return this.simnic.sh(
      'for l in /sys/class/net/ewr*; do tc filter show dev "$(basename $l)" ingress 2>/dev/null; done; true',
    );
  }
}
