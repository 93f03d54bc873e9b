/** VFs of a real legacy NIC (igb) in containers: dockerd and eswitchd on Debian kernel 6.12. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EndpointBody } from '../../src/wire/api/endpoint.ts';
import type { NetworkBody } from '../../src/wire/api/network.ts';
import { Scope } from '../lab/scope.ts';
import { bootGuest, type Guest } from './guest.ts';
import { type GuestHost, startGuestHost } from './guest-host.ts';

interface Vf {
  readonly vf: number;
  readonly address: string;
  readonly vlan_list?: readonly { readonly vlan: number }[];
  readonly rate?: { readonly max_tx: number };
  readonly spoofchk: boolean;
  readonly trust: boolean;
  readonly link_state: string;
}

const NIC = 'pci/0000:01:00.0';
const VFS = 3;

describe('containers on a legacy SR-IOV NIC', () => {
  const scope = new Scope('vmsriov');
  let guest: Guest;
  let host: GuestHost;
  /** Everything that `ip` and sysfs tell of the VFs before the first container. */
  let before: readonly string[];

  beforeAll(async () => {
    guest = await bootGuest(scope, { nics: [{ kind: 'igb' }] });
    await guest.must(`ip link set eth0 up\necho ${VFS} >/sys/class/net/eth0/device/sriov_numvfs`);
    host = await startGuestHost(scope, guest);
    before = await looks();
    await network('lan', '192.0.2', 'fd92', ['-o', 'parent=eth0', '-o', 'max-tx-rate=400']);
  });
  afterAll(() => scope.dispose());

  /** The physical network's router is nowhere: it is only named. */
  const network = (name: string, v4: string, v6: string, options: readonly string[]): Promise<string> =>
    host.network(
      ...([name, '-o', 'type=vlan', ...options, '--ipv6'] as const),
      ...(['--subnet', `${v4}.0/24`, '--gateway', `${v4}.1`] as const),
      ...(['--subnet', `${v6}::/64`, '--gateway', `${v6}::1`] as const),
    );

  async function vfs(): Promise<readonly Vf[]> {
    const [pf] = JSON.parse(await guest.must('ip -j link show eth0')) as [{ vfinfo_list: readonly Vf[] }];
    return pf.vfinfo_list;
  }
  const vfOf = async (mac: string): Promise<Vf | undefined> => (await vfs()).find(vf => vf.address === mac);

  /** What must be as it was when a VF is given back. */
  async function looks(): Promise<readonly string[]> {
    const names = `$(ls /sys/class/net/eth0/device/virtfn$n/net)`;
    const lines = await guest.must(`
for n in $(seq 0 ${VFS - 1}); do ip -j link show ${names}; done`);
    const links = lines.split('\n').flatMap(line => JSON.parse(line) as readonly Record<string, unknown>[]);
    // Not the queueing discipline: a link that was up once keeps one.
    const facts = links.map(({ ifname, address, mtu, flags, altnames }) => {
      return JSON.stringify({ ifname, address, mtu, flags, altnames });
    });
    return [...facts, ...(await vfs()).map(vf => JSON.stringify(vf))];
  }

  async function endpointOf(container: string): Promise<EndpointBody> {
    const format = '{{range .NetworkSettings.Networks}}{{.EndpointID}}{{end}}';
    const id = await host.docker('inspect', '-f', format, container);
    return (await host.api<EndpointBody>('GET', `/v1/endpoints/${id}`)).body;
  }

  /** Addresses that a container cannot reach; links and neighbours get a moment. */
  const unreachable = (from: string, to: readonly string[]): Promise<string> =>
    host.must(
      to
        .map(address => `docker exec ${from} ping -c 3 -W 3 -i 0.3 ${address} >/dev/null || echo ${address}`)
        .join('\n'),
    );

  const settled = async (): Promise<void> => {
    await host.must(`
for try in $(seq 60); do
  curl -s --unix-socket /run/eswitchd.sock http://localhost/v1/plan | grep -q '"operations":\\[\\]' && exit
  sleep 0.5
done
curl -s --unix-socket /run/eswitchd.sock http://localhost/v1/plan; exit 1`);
  };

  it('give each container a VF with its MAC, held by the PF', async () => {
    await host.container('one', 'lan', { ip: '192.0.2.11', ip6: 'fd92::11' });
    await host.container('two', 'lan', { ip: '192.0.2.12', ip6: 'fd92::12' });
    for (const name of ['one', 'two']) {
      const endpoint = await endpointOf(name);
      expect(endpoint).toMatchObject({
        ...{ state: 'ready', representor: null, fallback: null },
        attached: expect.stringMatching(/^VF pci\/0000:01:00\.0\/c0pf0vf\d max-tx-rate 400$/),
      });
      expect(await vfOf(endpoint.mac)).toMatchObject({
        ...{ spoofchk: true, trust: false, link_state: 'auto', rate: { max_tx: 400 } },
      });
      const link = await host.docker('exec', name, 'ip', 'link', 'show', 'eth0');
      expect(link).toContain(endpoint.mac);
    }
    const { body } = await host.api<{ networks: NetworkBody[] }>('GET', '/v1/networks');
    expect(body.networks[0]?.datapath).toMatchObject({ used: 'legacy' });
  });

  it('carry IPv4 and IPv6 between two VFs', async () => {
    expect(await unreachable('one', ['192.0.2.12', 'fd92::12'])).toBe('');
  });

  it('drop what a container sends from another MAC', async () => {
    const spoof = `
ns=$(docker inspect -f '{{.State.Pid}}' one)
nsenter -t $ns -n ip link set eth0 address 02:de:ad:00:00:01 && echo taken`;
    expect((await host.script(spoof)).stdout).toBe('');
  });

  it('fall back to macvlan when the VFs have run out, say why, and still reach the others', async () => {
    await host.container('three', 'lan', { ip: '192.0.2.13', ip6: 'fd92::13' });
    await host.container('four', 'lan', { ip: '192.0.2.14', ip6: 'fd92::14' });
    expect((await endpointOf('three')).fallback).toBeNull();
    const four = await endpointOf('four');
    expect(four).toMatchObject({
      ...{ state: 'ready', attached: 'macvlan on eth0' },
      fallback: `${NIC}: no free function: ${VFS} in use`,
    });
    const { stdout } = await host.tryEswitchctl('endpoint', 'inspect', four.id);
    expect(stdout).toMatch(/No VF because +pci\/0000:01:00\.0: no free function: 3 in use/);
    expect(await unreachable('four', ['192.0.2.11', 'fd92::12', '192.0.2.13'])).toBe('');
    expect(await unreachable('one', ['192.0.2.14', 'fd92::14'])).toBe('');
  });

  it('are refused without a VF where hardware is required', async () => {
    await network('strict', '198.51.100', 'fd93', [
      '-o',
      `parent=${NIC}`,
      '-o',
      'vlan=9',
      '-o',
      'require=hw',
    ]);
    const run = await host.tryDocker('run', '-d', '--name', 'five', '--network', 'strict', 'esw-lab', 'true');
    expect(run.stderr).toMatch(/ESW_ERR_DATAPATH_UNAVAILABLE: .*no free function: 3 in use/);
    await host.docker('rm', '-f', 'five');
    await host.docker('network', 'rm', 'strict');
  });

  it('lose nothing when the daemon is killed and comes back', async () => {
    await host.must('setsid docker exec one ping -i 0.2 -c 400 192.0.2.12 >/run/ping.log 2>&1 </dev/null &');
    await host.daemonKill9();
    await host.daemonStart();
    const end =
      'docker exec one killall -INT ping; while pgrep -x ping >/dev/null; do sleep 0.1; done; tail -n 2 /run/ping.log';
    expect(await host.must(end)).toMatch(/ 0% packet loss/);
    await settled();
  });

  it('get back what somebody else changed at the PF', async () => {
    const { mac } = await endpointOf('two');
    const vf = await vfOf(mac);
    await guest.must(`ip link set eth0 vf ${vf?.vf} spoofchk off; ip link set eth0 vf ${vf?.vf} vlan 77`);
    await host.api('POST', '/v1/reconcile');
    await settled();
    expect(await vfOf(mac)).toEqual(vf);
    expect(await unreachable('one', ['192.0.2.12'])).toBe('');
  });

  it('leave every VF exactly as it was', async () => {
    await host.docker('rm', '-f', 'one', 'two', 'three', 'four');
    await host.docker('network', 'rm', 'lan');
    await settled();
    await expect.poll(looks, { timeout: 60_000, interval: 1_000 }).toEqual(before);
    expect(await guest.must('ip -o link show type macvlan')).toBe('');
  });

  it('are in a VLAN that the NIC puts on and takes off', async () => {
    await network('red', '203.0.113', 'fd94', ['-o', `parent=${NIC}`, '-o', 'vlan=100', '-o', 'trust=on']);
    await network('blue', '198.51.100', 'fd95', [
      '-o',
      'parent=eth0',
      '-o',
      'vlan=200',
      '-o',
      'spoofchk=off',
    ]);
    await host.container('r1', 'red', { ip: '203.0.113.11', ip6: 'fd94::11' });
    await host.container('b1', 'blue', { ip: '198.51.100.11', ip6: 'fd95::11' });
    await host.container('r2', 'red', { ip: '203.0.113.12', ip6: 'fd94::12' });
    await host.container('r3', 'red', { ip: '203.0.113.13', ip6: 'fd94::13' });
    const [r1, b1, r3] = [await endpointOf('r1'), await endpointOf('b1'), await endpointOf('r3')];
    expect(await vfOf(r1.mac)).toMatchObject({ vlan_list: [{ vlan: 100 }], trust: true, spoofchk: true });
    expect(await vfOf(b1.mac)).toMatchObject({ vlan_list: [{ vlan: 200 }], trust: false, spoofchk: false });
    expect(r3.attached).toMatch(/^macvlan on ewv[0-9a-f]{10}$/);
    expect(await unreachable('r1', ['203.0.113.12', 'fd94::12', '203.0.113.13', 'fd94::13'])).toBe('');
    // The other VLAN is another network, whatever addresses a container gives itself.
    await host.must(`
ns=$(docker inspect -f '{{.State.Pid}}' b1)
nsenter -t $ns -n ip address add 203.0.113.99/24 dev eth0`);
    expect(await unreachable('b1', ['203.0.113.11'])).toBe('203.0.113.11');
  });

  it('leave nothing to complain about in the kernel log', async () => {
    expect(await guest.complaints()).toEqual([]);
  });
});
