/** Networks of type vlan without a NIC that helps: containers as stations of a physical network. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NetworkBody } from '../../src/wire/api/network.ts';
import { sleep, waitUntil } from '../lab/exec.ts';
import { makeNetns, type Netns, wire } from '../lab/netns.ts';
import { probe, Stage } from './stage.ts';

const ROUTER = ['10.90.0.1', 'fd90::1'] as const;
const TWO = ['10.90.0.12', 'fd90::12'] as const;

describe('a network on the physical L2', () => {
  let stage: Stage;
  /** The router out there, at the other end of the host's eth1. */
  let router: Netns;

  beforeAll(async () => {
    stage = await Stage.open('vlan', { liveRestore: true });
    router = await makeNetns(stage.scope, 'router');
    await wire(
      { ns: stage.host, link: 'eth1' },
      { ns: router, link: 'lan0', addresses: ['10.90.0.1/24', 'fd90::1/64'] },
    );
    await lan();
    await stage.run('one', 'lan', '--ip', '10.90.0.11', '--ip6', 'fd90::11');
    await stage.run('two', 'lan', '--ip', TWO[0], '--ip6', TWO[1]);
  });
  beforeEach(async () => {
    if (!stage.daemon.running) await stage.daemon.start();
    await stage.settled();
  });
  afterAll(() => stage?.close());

  const lan = (): Promise<string> =>
    stage.network(
      ...(['lan', '--ipv6', '-o', 'type=vlan', '-o', 'parent=eth1'] as const),
      ...(['--subnet', '10.90.0.0/24', '--gateway', ROUTER[0]] as const),
      ...(['--subnet', 'fd90::/64', '--gateway', ROUTER[1]] as const),
    );
  const networkOf = async (): Promise<NetworkBody | undefined> =>
    (await stage.daemon.api<{ networks: NetworkBody[] }>('GET', '/v1/networks')).body.networks[0];
  const reaches = async (address: string): Promise<void> => {
    await waitUntil(`an answer of ${address}`, () => stage.pings('one', address));
  };

  it.each([...ROUTER, ...TWO])('reaches %s', reaches);

  it('shows the network every container’s own MAC and address', async () => {
    for (const [name, address] of [
      ['one', '10.90.0.11'],
      ['two', TWO[0]],
    ] as const) {
      await router.exec(['ping', '-c', '1', '-W', '2', address]);
      const { MacAddress } = await stage.docker.client.endpoint(name, 'lan');
      expect(await router.ip('neigh', 'show', address)).toContain(MacAddress);
    }
  });

  it('has the router as its way out, and no second interface', async () => {
    const ns = await stage.netns('one');
    expect(await ns.ip('route', 'show', 'default')).toMatch(/via 10\.90\.0\.1 dev eth0/);
    expect(await ns.ip('-6', 'route', 'show', 'default')).toMatch(/via fd90::1 dev eth0/);
    const links = await ns.ipJson<{ ifname: string }[]>('link');
    expect(links.map(({ ifname }) => ifname).sort()).toEqual(['eth0', 'lo']);
  });

  it('says how it forwards, and why not better', async () => {
    expect(await networkOf()).toMatchObject({
      ...{ type: 'vlan', gateway: null, switchMac: null, state: 'ready' },
      datapath: { used: 'software', why: expect.stringContaining('SR-IOV') },
      vlan: { parent: 'eth1', vlan: 0 },
    });
    expect(await stage.endpoint('one', 'lan')).toMatchObject({
      ...{ representor: null, attached: 'macvlan on eth1', state: 'ready' },
    });
    expect(await stage.links()).toEqual([]);
  });

  it.each<[readonly string[], RegExp]>([
    [['-o', 'parent=eth7'], /parent="eth7": this host has no such Ethernet link; it has: .*eth1/],
    [['--internal', '-o', 'parent=eth1'], /cannot be internal/],
    [['-o', 'parent=eth1'], /eth1 without a VLAN: network [0-9a-f]+ has it/],
    [['-o', 'parent=eth1', '-o', 'require=hw', '-o', 'vlan=9'], /ESW_ERR_DATAPATH_UNAVAILABLE/],
  ])('refuses %j', async (options, message) => {
    const create = ['network', 'create', '-d', 'eswitch', '--ipam-driver', 'eswitch', '-o', 'type=vlan'];
    const subnet = ['--subnet', '10.91.0.0/24', ...options, 'second'];
    expect(await stage.refusal(...create, ...subnet)).toMatch(message);
    expect(await stage.endpoints()).toHaveLength(2);
  });

  it('refuses published ports', async () => {
    const run = ['run', '-d', '--name', 'web', '--network', 'lan', '-p', '8080:80', stage.image, 'true'];
    expect(await stage.refusal(...run)).toMatch(/ESW_ERR_PORT_UNSUPPORTED: .*of type vlan/);
    await stage.docker.tryCli(['rm', '-f', 'web']);
    expect(await stage.endpoints()).toHaveLength(2);
  });

  it.each([...TWO])('kill -9 of the daemon and its return lose no packet to %s', async address => {
    const running = await probe(await stage.netns('one'), await stage.netns('two'), address, 4);
    await sleep(800);
    await stage.daemon.kill();
    await sleep(800);
    await stage.daemon.start();
    const result = await running.finish();
    expect(result.sent).toBeGreaterThan(3_000);
    expect(result).toMatchObject({ lost: 0 });
    expect(await stage.plan()).toEqual([]);
  });

  it.each([
    ['the link in the container', async () => (await stage.netns('one')).ip('link', 'del', 'eth0')],
    ['the link below', () => stage.host.ip('link', 'del', 'eth1')],
  ])('is rebuilt after somebody deleted %s', async (what, harm) => {
    await waitUntil('its name inside', async () => (await stage.endpoint('one', 'lan')).sandbox?.ifname);
    await waitUntil('its name inside', async () => (await stage.endpoint('two', 'lan')).sandbox?.ifname);
    await harm();
    if (what === 'the link below') {
      await wire(
        { ns: stage.host, link: 'eth1' },
        { ns: router, link: 'lan0', addresses: ['10.90.0.1/24', 'fd90::1/64'] },
      );
    }
    await stage.daemon.api('POST', '/v1/reconcile');
    await stage.settled();
    for (const address of [...ROUTER, ...TWO]) await reaches(address);
    const { MacAddress } = await stage.docker.client.endpoint('one', 'lan');
    expect(await (await stage.netns('one')).ip('link', 'show', 'eth0')).toContain(MacAddress);
  });

  it('lasts over restarts of a container, and kill -9 at any moment', async () => {
    await stage.docker.cli('restart', '-t', '0', 'two');
    await reaches(TWO[0]);
    for (let round = 0; round < 3; round += 1) {
      const running = stage.docker.tryCli(['run', '-d', '--name', 'victim', '--network', 'lan', stage.image]);
      await sleep(100 + 150 * round);
      await stage.daemon.kill();
      await stage.daemon.start();
      await running;
      await stage.docker.tryCli(['rm', '-f', 'victim']);
      await stage.docker.tryCli(['rm', '-f', 'victim']);
    }
    await waitUntil('two endpoints', async () => (await stage.endpoints()).length === 2, {
      timeoutMs: 30_000,
    });
    await stage.settled();
    await waitUntil('no link at home', async () => (await stage.links()).length === 0);
    await reaches(TWO[0]);
  });

  it('is gone without a trace when it is removed', async () => {
    await stage.docker.cli('rm', '-f', 'one', 'two');
    await stage.docker.cli('network', 'rm', 'lan');
    await stage.settled();
    await waitUntil('no link of ours', async () => (await stage.links()).length === 0);
    const macvlans = await stage.host.ipJson<{ ifname?: string }[]>('link', 'show', 'type', 'macvlan');
    expect(macvlans.filter(link => link.ifname !== undefined)).toEqual([]);
  });
});
