/** The ledger of NIC functions under Docker: through a killed daemon, drivers bound again, and many endpoints. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scope } from '../lab/scope.ts';
import { type GuestHost, quote } from './guest-host.ts';
import { LEFT, PING, RIGHT, type SwitchdevHost, switchdevHost } from './switchdev-lab.ts';

const CYCLES_TIMEOUT_MS = 280_000;
const KILLS = 3;

describe('functions of a SmartNIC', () => {
  const scope = new Scope('vmsdl');
  let lab: SwitchdevHost;
  let host: GuestHost;
  /** What the links are when nobody has a function. */
  let pristine = '';

  beforeAll(async () => {
    lab = await switchdevHost(scope);
    host = lab.host;
    pristine = await lab.links();
  });
  afterAll(() => scope.dispose());

  /** What is wrong with endpoints, as the API tells it, to the driver's name. */
  const failed = async (): Promise<string> => {
    const { body } = await host.api<{ endpoints: { why: string }[] }>('GET', '/v1/endpoints');
    return body.endpoints.map(({ why }) => /no driver is bound/.exec(why)?.[0] ?? why).join('');
  };

  it('keep their functions when the daemon is killed, and lose no packet', async () => {
    await host.container('left', 'net', LEFT);
    await host.container('right', 'net', RIGHT);
    const before = await lab.ledger();
    await host.must(
      'setsid docker exec left ping -i 0.2 -c 2000 10.72.0.12 >/run/ping.log 2>&1 </dev/null &',
    );
    await host.daemonKill9();
    await host.daemonStart();
    const end =
      'docker exec left killall -INT ping; while pgrep -x ping >/dev/null; do sleep 0.1; done; tail -n 2 /run/ping.log';
    expect(await host.must(end)).toMatch(/ 0% packet loss/);
    expect(await lab.ledger()).toEqual(before);
  });

  it('are repaired when the driver of their function was bound again', async () => {
    const vf = (await lab.ledger())[0]?.function.replace(/.*vf/, '') ?? '';
    const dir = '/sys/bus/simnic/drivers/simnic_vf';
    await host.must(`echo simnic0vf${vf} >${dir}/unbind`);
    await lab.eventually('the report', failed, 'no driver is bound');
    await host.must(`echo simnic0vf${vf} >${dir}/bind`);
    await lab.eventually('the way back', () => host.must(PING), 'reached');
    await lab.eventually('the report', failed, '');
    await host.docker('rm', '-f', 'left', 'right');
    await lab.eventually('all given back', () => lab.states(), []);
  });

  it('come and go 200 times while the daemon is killed at random points, and none is leaked', async () => {
    const script = join(import.meta.dirname, 'guest/vf-cycles.ts');
    const id = await host.must("docker network inspect -f '{{.Id}}' net");
    await host.must(
      `setsid ${quote(process.execPath, script, id, '200')} >/run/cycles.log 2>&1 </dev/null &`,
    );
    for (let kills = 0; kills < KILLS; kills++) {
      await new Promise(resolve => setTimeout(resolve, 1000 + Math.random() * 3000));
      await host.daemonKill9();
      await host.daemonStart();
    }
    await host.must('until grep -q ^done /run/cycles.log; do sleep 0.5; done', CYCLES_TIMEOUT_MS);
    expect(await host.must('tail -n 1 /run/cycles.log')).toMatch(/^done 200 /);
    await lab.eventually('ledger', () => lab.states(), []);
    await lab.eventually('links as they were', async () => namesOf(await lab.links()), namesOf(pristine));
    expect(await host.must("ip -o link | grep -c ' ew[rf]' || true")).toBe('0');
  });

  it('leave nothing to complain about in the kernel log', async () => {
    expect(await host.guest.complaints()).toEqual([]);
  });
});

/** A driver that was bound again has given new names to its links. */
const namesOf = (text: string): string =>
  text
    .split('\n')
    .map(line => line.replace(/^\S+ /, ''))
    .sort()
    .join('\n');
