/** Containers on VFs through what others do to their host: the eswitch flipped by hand, the engine killed, the power cut. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExplainBody } from '../../src/wire/api/explain.ts';
import { Scope } from '../lab/scope.ts';
import type { GuestHost } from './guest-host.ts';
import { LEFT, PING, plugIn, RIGHT, type SwitchdevHost, switchdevHost } from './switchdev-lab.ts';

const MODE = 'devlink dev eswitch set simnic/simnic0 mode';
const RESTART = ['--restart', 'always'];

describe('containers with functions of a SmartNIC', () => {
  const scope = new Scope('vmsdo');
  let lab: SwitchdevHost;
  let host: GuestHost;

  beforeAll(async () => {
    lab = await switchdevHost(scope, { diskMib: 512 });
    host = lab.host;
    await host.container('left', 'net', { ...LEFT, args: [...LEFT.args, ...RESTART] });
    await host.container('right', 'net', { ...RIGHT, args: [...RIGHT.args, ...RESTART] });
    await lab.eventually('the NIC has the rules', handled, 'hardware');
  });
  afterAll(() => scope.dispose());

  const explained = async (): Promise<ExplainBody> =>
    (await host.api<ExplainBody>('GET', '/v1/explain?src=10.72.0.11&dst=10.72.0.12')).body;
  const handled = async (): Promise<string> => (await explained()).handled;
  /** How many endpoints have something that is wrong with them. */
  const failed = async (): Promise<number> => {
    const { body } = await host.api<{ endpoints: { state: string }[] }>('GET', '/v1/endpoints');
    return body.endpoints.filter(({ state }) => state !== 'ready').length;
  };

  it('are reported when somebody flips the eswitch, and served again when it is back', async () => {
    await host.must(`${MODE} legacy`);
    await lab.eventually('both reported', failed, 2);
    const { handled: where, why, hardware } = await explained();
    expect(where, why).not.toBe('hardware');
    expect(hardware.state, hardware.text).not.toBe('in-hardware');
    await host.must(`${MODE} switchdev
      for link in /sys/bus/simnic/devices/simnic0/net/*; do
        if grep -q p0 $link/phys_port_name; then ip link set $(basename $link) up; fi
      done`);
    await lab.eventually('the way back', () => host.must(PING), 'reached');
    await lab.eventually('nothing reported', failed, 0);
    await lab.eventually('by hardware', handled, 'hardware');
  });

  it('go on while the engine is killed, and keep or get back what they had', async () => {
    const pid = await host.must("docker inspect -f '{{.State.Pid}}' left");
    await host.dockerdKill9();
    const ping = `nsenter -t ${pid} -n ping -q -c 50 -i 0.05 -W 2 10.72.0.12 | grep -o '[0-9]* received'`;
    expect(await host.must(ping)).toBe('50 received');
    await host.dockerdStart();
    await host.must('until [ "$(docker ps -q | wc -l)" = 2 ]; do sleep 0.5; done');
    await lab.eventually('each other', () => host.must(PING), 'reached');
    await lab.eventually('two functions', () => lab.states(), ['used', 'used']);
  });

  it('come back with functions after a power cut, and leave none behind at their end', async () => {
    await host.must('sync');
    await host.guest.reboot('power-cut');
    await plugIn(host.guest);
    for (const program of host.programs) await host.start([program]);
    await host.must('until [ "$(docker ps -q | wc -l)" = 2 ]; do sleep 0.5; done');
    await lab.eventually('each other', () => host.must(PING), 'reached');
    await lab.eventually('two functions', () => lab.states(), ['used', 'used']);
    await lab.eventually('by hardware', handled, 'hardware');
    await host.docker('rm', '-f', 'left', 'right');
    await lab.eventually('all given back', () => lab.states(), []);
  });

  it('leave nothing to complain about in the kernel log', async () => {
    expect(await host.guest.complaints()).toEqual([]);
  });
});
