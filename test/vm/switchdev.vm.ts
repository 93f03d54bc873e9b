/**
 * Containers with functions of a SmartNIC in switchdev mode, under Docker: the software eswitch on the
 * representors forwards whatever the NIC's own table does not.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scope } from '../lab/scope.ts';
import type { GuestHost } from './guest-host.ts';
import { LEFT, PING, RIGHT, type SwitchdevHost, switchdevHost } from './switchdev-lab.ts';

describe('containers with functions of a SmartNIC in switchdev mode', () => {
  const scope = new Scope('vmsd');
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

  it('get one each, and requiring hardware is no problem', async () => {
    await host.network('hw', ...['-o', 'datapath=switchdev', '-o', 'require=hw', '--subnet', '10.73.0.0/24']);
    await host.docker('network', 'rm', 'hw');
    await host.container('left', 'net', LEFT);
    await host.container('right', 'net', RIGHT);
    const rows = await lab.ledger();
    expect(rows.map(row => [row.state, row.fault])).toEqual([
      ['used', null],
      ['used', null],
    ]);
    expect(await host.must('docker exec left cat /sys/class/net/eth0/device/uevent')).toMatch(/simnic/i);
  });

  it('reach each other in both families, by ICMP, TCP and UDP, and their gateway', async () => {
    const fails = await host.must(
      [
        ...['10.72.0.12', 'fd72::12', '10.72.0.1'].map(
          to => `docker exec left ping -c 3 -W 5 ${to} >/dev/null || echo no ping to ${to}`,
        ),
        `docker exec -d right nc -l -p 7000 -e cat`,
        `sleep 1; [ "$(echo over tcp | docker exec -i left nc -w 5 10.72.0.12 7000)" = 'over tcp' ] || echo no TCP`,
        `docker exec -d right esw_traffic probe-echo --listen fd72::12 --port 7001`,
        `sleep 1; docker exec left esw_traffic probe --dst fd72::12 --port 7001 --rate 20 --seconds 1 >/dev/null || echo no UDP`,
      ].join('\n'),
    );
    expect(fails).toBe('');
  });

  it('reach other places through the host, and are reached by published ports', async () => {
    const outside = `
      ip netns add out; ip link add up0 type veth peer name eth0 netns out
      ip addr add 198.51.100.1/24 dev up0; ip link set up0 up
      ip -n out addr add 198.51.100.2/24 dev eth0; ip -n out link set eth0 up; ip -n out link set lo up
      docker exec left ping -c 2 -W 5 198.51.100.2 >/dev/null || echo no NAT
      docker exec -d right httpd -f -p 80 -h /www
      sleep 1
      ip netns exec out curl -s --max-time 10 http://198.51.100.1:8080/ || echo no published port`;
    expect(await host.must(outside)).toBe('eswitchd lab');
  });

  it('cannot send with an address of somebody else', async () => {
    const spoof = `
      docker exec left ip addr add 10.72.0.99/24 dev eth0
      docker exec left ping -c 2 -W 2 -I 10.72.0.99 10.72.0.12 >/dev/null && echo spoofed an address
      docker exec left ip addr del 10.72.0.99/24 dev eth0
      docker exec left ip link set eth0 address 02:00:00:00:00:99
      docker exec left ping -c 2 -W 2 10.72.0.12 >/dev/null && echo spoofed a MAC
      true`;
    expect(await host.must(spoof)).toBe('');
    const { body } = await host.api<{ traffic: { drops: { reason: string }[] } }>('GET', '/v1/status');
    expect(body.traffic.drops.map(drop => drop.reason)).toEqual(
      expect.arrayContaining(['src_ip', 'src_mac']),
    );
  });

  it('fall back to a veth pair when none is left, one by one, and say why', async () => {
    for (const n of [1, 2, 3]) await host.container(`more${n}`, 'net');
    expect(await lab.states()).toEqual(['used', 'used', 'used', 'used']);
    expect(await host.must('docker exec more3 ping -c 1 -W 5 10.72.0.12 >/dev/null && echo reached')).toBe(
      'reached',
    );
    await host.docker('rm', '-f', 'more1', 'more2', 'more3');
    await lab.eventually('two given back', () => lab.states(), ['used', 'used']);
  });

  it('lose their function in every way a container can end', async () => {
    await host.docker('kill', 'left');
    await host.docker('start', 'left');
    expect(await host.must(PING)).toBe('reached');
    // Its namespace ends before the engine has taken anything out of it.
    await host.must(`
      dockerd=$(cat /run/dockerd-test.pid); pid=$(docker inspect -f '{{.State.Pid}}' right)
      key=$(docker inspect -f '{{.NetworkSettings.SandboxKey}}' right)
      kill -STOP $dockerd; kill -9 $pid; umount $key; sleep 2; kill -CONT $dockerd`);
    await host.docker('rm', '-f', 'left', 'right');
    await lab.eventually('all given back', () => lab.states(), []);
    await lab.eventually('links as they were', () => lab.links(), pristine);
  });

  it('leave nothing to complain about in the kernel log', async () => {
    expect(await host.guest.complaints()).toEqual([]);
  });
});
