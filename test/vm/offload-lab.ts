/** A guest with simnic in switchdev mode, Docker and the daemon: containers on VFs, and what became of their packets. */

import type { ExplainBody } from '../../src/wire/api/explain.ts';
import type { PortList } from '../../src/wire/api/nic.ts';
import type { FlowBody, RuleList } from '../../src/wire/api/rules.ts';
import type { Status } from '../../src/wire/api/status.ts';
import type { Scope } from '../lab/scope.ts';
import { type GuestHost, startGuestHost } from './guest-host.ts';
import { bootWithSimnic, type Lab } from './simnic-lab.ts';

const NETWORK = 'fast';
const SETUP_MS = 120_000;

export interface Member {
  readonly name: string;
  readonly endpoint: string;
  readonly pid: number;
  readonly rep: string;
  readonly ip4: string;
  readonly ip6: string;
}

export interface Loss {
  readonly sent: number;
  readonly lost: number;
}

interface Inspected {
  readonly State: { readonly Pid: number };
  readonly NetworkSettings: {
    readonly Networks: Readonly<
      Record<string, { EndpointID: string; IPAddress: string; GlobalIPv6Address: string }>
    >;
  };
}

export class OffloadLab {
  readonly simnic: Lab;
  readonly host: GuestHost;
  readonly #members = new Map<string, Member>();

  private constructor(simnic: Lab, host: GuestHost) {
    this.simnic = simnic;
    this.host = host;
  }

  /** One NIC with `vfs` VFs, and a network of it. */
  static async boot(scope: Scope, vfs: number): Promise<OffloadLab> {
    const simnic = await bootWithSimnic(scope);
    await simnic.sh(`echo "0 8" >/sys/bus/simnic/new_device
      ip link set "$(sn_port 0 p0)" up
      echo ${vfs} >/sys/bus/simnic/devices/simnic0/sriov_numvfs
      devlink dev eswitch set simnic/simnic0 mode switchdev
      ip link set "$(sn_port 0 p0)" up`);
    // One after the other: dockerd gives its containerd 15 s, and this machine is emulated.
    const options = { config: { resyncMs: 5000 }, daemon: false };
    const host = await startGuestHost(scope, simnic.guest, options);
    await host.daemonStart();
    await host.network(NETWORK, '--ipv6', '--subnet', '10.71.0.0/24', '--subnet', 'fd71::/64');
    return new OffloadLab(simnic, host);
  }

  /** Containers with addresses …10, …11 and so on by their place in `names`. */
  async run(names: readonly string[], from = 10): Promise<void> {
    for (const [i, name] of names.entries()) {
      await this.host.container(name, NETWORK, { ip: `10.71.0.${from + i}`, ip6: `fd71::${from + i}` });
      const [body] = JSON.parse(await this.host.docker('inspect', name)) as Inspected[];
      const seen = body?.NetworkSettings.Networks[NETWORK];
      if (body === undefined || seen === undefined) throw new Error(`${name} is not on ${NETWORK}`);
      const endpoint = await this.host.api<{ representor: string }>(
        'GET',
        `/v1/endpoints/${seen.EndpointID}`,
      );
      this.#members.set(name, {
        ...{ name, endpoint: seen.EndpointID, pid: body.State.Pid, rep: endpoint.body.representor },
        ...{ ip4: seen.IPAddress, ip6: seen.GlobalIPv6Address },
      });
    }
  }

  member(name: string): Member {
    const found = this.#members.get(name);
    if (found === undefined) throw new Error(`no container ${name}`);
    return found;
  }

  get reps(): readonly string[] {
    return [...this.#members.values()].map(({ rep }) => rep);
  }

  knob(name: string, value: string): Promise<string> {
    return this.simnic.sh(`sn_knob 0 ${name} '${value}'`);
  }

  /** Packets that hardware forwarded, and packets that reached a representor of two containers. */
  async counted(...names: readonly string[]): Promise<{ readonly hits: number; readonly misses: number }> {
    const files = names.map(name => `/sys/class/net/${this.member(name).rep}/statistics/rx_packets`);
    const sum = `cat ${files.join(' ')} | awk '{ n += $1 } END { print n }'`;
    const [hits = 0, misses = 0] = (await this.simnic.sh(`sn_stat 0 hits; ${sum}`)).split('\n').map(Number);
    return { hits, misses };
  }

  /** One echo every 20 ms out of a container; `during` runs when a fifth has been sent. */
  async ping(from: string, to: string, count: number, during = ''): Promise<Loss> {
    const text = await this.simnic.sh(`
      nsenter -t ${this.member(from).pid} -n ping -q -c ${count} -i 0.02 -W 1 ${to} >/run/ping.out 2>&1 & ping=$!
      sleep ${(count * 0.004).toFixed(2)}
      ${during}
      wait $ping || true
      cat /run/ping.out`);
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(text) ?? [];
    if (sent === undefined) throw new Error(`no ping: ${text}`);
    return { sent: Number(sent), lost: Number(sent) - Number(received) };
  }

  /** A shell command that flushes all rules of the NIC by hand. */
  get flush(): string {
    return this.reps.map(rep => `tc filter del dev ${rep} ingress`).join('; ');
  }

  async status(): Promise<Status> {
    return (await this.host.api<Status>('GET', '/v1/status')).body;
  }

  async flows(): Promise<readonly FlowBody[]> {
    const { body } = await this.host.api<RuleList>('GET', '/v1/rules?kind=flow-rule');
    return body.rules.flatMap(({ flow }) => flow ?? []);
  }

  async explain(src: string, dst: string, more = ''): Promise<ExplainBody> {
    const path = `/v1/explain?src=${this.member(src).ip4}&dst=${this.member(dst).ip4}${more}`;
    return (await this.host.api<ExplainBody>('GET', path)).body;
  }

  async ports(): Promise<PortList['ports']> {
    return (await this.host.api<PortList>('GET', '/v1/ports')).body.ports;
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

  /** Until exactly that many rules are in hardware as the daemon says. */
  inHardware(count: number): Promise<readonly FlowBody[]> {
    return this.until(
      () => this.flows(),
      flows => flows.filter(({ state }) => state === 'in-hardware').length === count,
      SETUP_MS,
    );
  }

  /** What NICs refused is tried again. */
  async retry(): Promise<void> {
    await this.host.api('POST', '/v1/reconcile');
  }

  /** Rules in tc on every representor, without what changes by itself. */
  inTc(): Promise<string> {
    return this.simnic.sh(
      `for l in /sys/bus/simnic/devices/simnic0/net/*; do
        tc filter show dev "$(basename $l)" ingress 2>/dev/null || true
      done`,
    );
  }
}
