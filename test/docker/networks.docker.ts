import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IDLE } from '../lab/image.ts';
import { makeNetns, type Netns, wire } from '../lab/netns.ts';
import { Stage } from './stage.ts';

describe('networks of type bridge on a real engine', () => {
  let stage: Stage;
  let outside: Netns;

  beforeAll(async () => {
    stage = await Stage.open('networks');
    outside = await makeNetns(stage.scope, 'outside');
    await wire(
      { ns: stage.host, link: 'uplink', addresses: ['198.51.100.1/24', '2001:db8:51::1/64'] },
      { ns: outside, link: 'uplink', addresses: ['198.51.100.2/24', '2001:db8:51::2/64'] },
    );
    await stage.host.ip('route', 'add', 'default', 'via', '198.51.100.2');
    await stage.network('dual', '--ipv6', '--subnet', '10.61.0.0/24', '--subnet', 'fd61::/64');
    await stage.run('dual-a', 'dual', '--cap-add', 'NET_ADMIN');
    await stage.docker.client.run({
      image: stage.image,
      name: 'dual-b',
      command: IDLE,
      network: 'dual',
      ipv4: '10.61.0.77',
      ipv6: 'fd61::77',
      mac: '02:11:22:33:44:55',
    });
  });
  afterAll(() => stage?.close());

  it('gives one NIC with the addresses Docker says, and the gateways as default routes', async () => {
    const { IPAddress, GlobalIPv6Address } = await stage.docker.client.endpoint('dual-a', 'dual');
    const ns = await stage.netns('dual-a');
    const links = await ns.ipJson<{ ifname: string; addr_info: { local: string }[] }[]>('address');
    expect(links.map(({ ifname }) => ifname)).toEqual(['lo', 'eth0']);
    const addresses = links[1]?.addr_info.map(({ local }) => local);
    expect(addresses).toEqual(expect.arrayContaining([IPAddress, GlobalIPv6Address]));
    expect(await ns.ip('route', 'show', 'default')).toContain('default via 10.61.0.1 dev eth0');
    expect(await ns.ip('-6', 'route', 'show', 'default')).toContain('default via fd61::1 dev eth0');
  });

  it('honours a static MAC and static addresses of both families', async () => {
    const settings = await stage.docker.client.endpoint('dual-b', 'dual');
    expect(settings).toMatchObject({
      IPAddress: '10.61.0.77',
      GlobalIPv6Address: 'fd61::77',
      MacAddress: '02:11:22:33:44:55',
    });
    const ns = await stage.netns('dual-b');
    expect(await ns.ip('link', 'show', 'eth0')).toContain('02:11:22:33:44:55');
  });

  it('forwards between siblings, to the gateway and back, in both families', async () => {
    for (const address of ['10.61.0.77', 'fd61::77', '10.61.0.1', 'fd61::1']) {
      expect(await stage.pings('dual-a', address), address).toBe(true);
    }
    const { IPAddress, GlobalIPv6Address } = await stage.docker.client.endpoint('dual-a', 'dual');
    for (const address of [IPAddress, GlobalIPv6Address]) {
      expect((await stage.host.tryExec(['ping', '-c', '1', '-W', '1', address])).code, address).toBe(0);
    }
  });

  it('shows one MAC for every peer and answers ARP on the host', async () => {
    const neighbours = await (await stage.netns('dual-a')).ipJson<{ lladdr?: string }[]>('neigh');
    const macs = new Set(neighbours.flatMap(({ lladdr }) => lladdr ?? []));
    expect([...macs]).toHaveLength(1);
    expect([...macs]).not.toContain('02:11:22:33:44:55');
  });

  it('lets containers out with the address of the host, and outsiders not in', async () => {
    expect(await stage.pings('dual-a', '198.51.100.2')).toBe(true);
    expect(await stage.pings('dual-a', '2001:db8:51::2')).toBe(true);
    await outside.ip('route', 'add', '10.61.0.0/24', 'via', '198.51.100.1');
    expect((await outside.tryExec(['ping', '-c', '1', '-W', '1', '10.61.0.77'])).code).not.toBe(0);
  });

  it('drops and counts a spoofed address and a spoofed MAC', async () => {
    const ns = await stage.netns('dual-a');
    await ns.ip('address', 'add', '10.61.0.99/32', 'dev', 'eth0');
    const spoofed = await ns.tryExec(['ping', '-c', '2', '-W', '1', '-I', '10.61.0.99', '10.61.0.77']);
    await ns.ip('address', 'del', '10.61.0.99/32', 'dev', 'eth0');
    expect(spoofed.code).not.toBe(0);
    expect(await stage.drops('dual-a', 'dual', 'src_ip')).toBeGreaterThanOrEqual(1);
    const { MacAddress } = await stage.docker.client.endpoint('dual-a', 'dual');
    await ns.ip('link', 'set', 'eth0', 'address', '02:00:00:00:00:99');
    expect(await stage.pings('dual-a', '10.61.0.77')).toBe(false);
    await ns.ip('link', 'set', 'eth0', 'address', MacAddress);
    expect(await stage.drops('dual-a', 'dual', 'src_mac')).toBeGreaterThanOrEqual(1);
    // Setting the MAC flushed the IPv6 default route as well; IPv4 must simply work again.
    expect(await stage.pings('dual-a', '10.61.0.77')).toBe(true);
  });

  it('keeps networks apart, and an internal one inside', async () => {
    await stage.network('other', '--subnet', '10.62.0.0/24');
    await stage.run('other-a', 'other', '--ip', '10.62.0.10');
    expect(await stage.pings('dual-a', '10.62.0.10')).toBe(false);
    expect(await stage.pings('other-a', '10.61.0.77')).toBe(false);
    await stage.network('inner', '--internal', '--subnet', '10.63.0.0/24');
    await stage.run('inner-a', 'inner', '--ip', '10.63.0.10');
    await stage.run('inner-b', 'inner', '--ip', '10.63.0.11');
    expect(await stage.pings('inner-a', '10.63.0.11')).toBe(true);
    expect(await stage.pings('inner-a', '198.51.100.2')).toBe(false);
    expect(await stage.pings('inner-a', '10.61.0.77')).toBe(false);
    const ns = await stage.netns('inner-a');
    expect(await ns.ip('route', 'show', 'default')).toBe('');
    expect((await ns.ipJson<unknown[]>('link')).length).toBe(2);
  });

  it('puts a container on several networks, one NIC each', async () => {
    await stage.docker.cli('network', 'connect', 'other', 'dual-b');
    const ns = await stage.netns('dual-b');
    const names = (await ns.ipJson<{ ifname: string }[]>('link')).map(({ ifname }) => ifname);
    expect(names).toEqual(['lo', 'eth0', 'eth1']);
    expect(await stage.pings('dual-b', '10.62.0.10')).toBe(true);
    expect(await stage.pings('dual-a', '10.61.0.77')).toBe(true);
    await stage.docker.cli('network', 'disconnect', 'other', 'dual-b');
    expect(await stage.pings('other-a', '10.61.0.77')).toBe(false);
    expect(await stage.pings('dual-b', '10.61.0.1')).toBe(true);
  });

  it('sets the MTU asked for, on both sides of the port', async () => {
    await stage.network('small', '--subnet', '10.64.0.0/24', '-o', 'mtu=1400');
    await stage.run('small-a', 'small');
    expect(await (await stage.netns('small-a')).ip('link', 'show', 'eth0')).toContain('mtu 1400');
    const { representor } = await stage.endpoint('small-a', 'small');
    expect(await stage.host.ip('link', 'show', representor ?? '')).toContain('mtu 1400');
    expect((await stage.in('small-a', 'ping', '-c', '1', '-W', '1', '-s', '1372', '10.64.0.1')).code).toBe(0);
  });

  it("works with Docker's own IPAM too", async () => {
    await stage.docker.cli('network', 'create', '-d', 'eswitch', '--subnet', '10.65.0.0/24', 'theirs');
    await stage.run('theirs-a', 'theirs', '--ip', '10.65.0.10');
    await stage.run('theirs-b', 'theirs', '--ip', '10.65.0.11');
    expect(await stage.pings('theirs-a', '10.65.0.11')).toBe(true);
    expect(await stage.pings('theirs-a', '10.65.0.1')).toBe(true);
  });

  it('leaves nothing behind when all is removed', async () => {
    const containers = [
      'dual-a',
      'dual-b',
      'other-a',
      'inner-a',
      'inner-b',
      'small-a',
      'theirs-a',
      'theirs-b',
    ];
    for (const name of containers) await stage.docker.cli('rm', '-f', name);
    for (const name of ['dual', 'other', 'inner', 'small', 'theirs'])
      await stage.docker.cli('network', 'rm', name);
    await stage.settled();
    expect(await stage.links()).toEqual([]);
    expect(await stage.endpoints()).toEqual([]);
    const table = await stage.host.output(['nft', 'list', 'table', 'inet', 'eswitchd']);
    expect(table).not.toContain('elements');
    expect((await stage.status()).reconcile.repairs).toEqual([]);
  });
});
