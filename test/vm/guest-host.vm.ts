/** Docker and the daemon in a guest: the command, a killed daemon, a power cut. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scope } from '../lab/scope.ts';
import { bootGuest } from './guest.ts';
import { type GuestHost, startGuestHost } from './guest-host.ts';

interface Endpoints {
  readonly endpoints: readonly { readonly id: string }[];
}

describe('a Docker host on Debian kernel 6.12', () => {
  const scope = new Scope('vmhost');
  let host: GuestHost;

  beforeAll(async () => {
    const guest = await bootGuest(scope, { diskMib: 512 });
    host = await startGuestHost(scope, guest);
    await host.network('net', '--ipv6', '--subnet', '10.71.0.0/24', '--subnet', 'fd71::/64');
    await host.container('left', 'net', { ip: '10.71.0.11', ip6: 'fd71::11', args: ['--restart', 'always'] });
    await host.container('right', 'net', {
      ip: '10.71.0.12',
      ip6: 'fd71::12',
      args: ['--restart', 'always'],
    });
  });
  afterAll(() => scope.dispose());

  /** Addresses of `right` that `left` cannot reach. */
  async function unreachable(): Promise<string> {
    const ping = 'docker exec left ping -c 1 -W 5';
    return host.must(
      ['10.71.0.12', 'fd71::12'].map(to => `${ping} ${to} >/dev/null || echo ${to}`).join('\n'),
    );
  }

  it('forwards between containers in both families', async () => {
    expect(await unreachable()).toBe('');
  });

  it('answers the operator: REST and eswitchctl say the same', async () => {
    const { status, body } = await host.api<Endpoints>('GET', '/v1/endpoints');
    expect(status).toBe(200);
    const shown = await host.eswitchctl<Endpoints>('endpoint', 'list');
    const ids = (list: Endpoints): readonly string[] => list.endpoints.map(({ id }) => id);
    expect(ids(shown)).toEqual(ids(body));
    expect(ids(shown)).toHaveLength(2);
    expect((await host.api('GET', '/no/such/page')).status).toBe(404);
  });

  it('loses no packet of a running container when the daemon is killed and comes back', async () => {
    await host.must('setsid docker exec left ping -i 0.2 -c 400 10.71.0.12 >/run/ping.log 2>&1 </dev/null &');
    await host.daemonKill9();
    await host.daemonStart();
    const end =
      'docker exec left killall -INT ping; while pgrep -x ping >/dev/null; do sleep 0.1; done; tail -n 2 /run/ping.log';
    expect(await host.must(end)).toMatch(/ 0% packet loss/);
  });

  it('brings networks and containers back after a power cut', async () => {
    await host.must('sync');
    await host.reboot('power-cut');
    await host.must('until [ "$(docker ps -q | wc -l)" = 2 ]; do sleep 0.5; done');
    expect(await unreachable()).toBe('');
  });

  it('leaves nothing to complain about in the kernel log', async () => {
    expect(await host.guest.complaints()).toEqual([]);
  });
});
