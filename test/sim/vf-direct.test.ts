/** VFs of a legacy NIC over the life of endpoints on the physical network. */
import { afterEach, describe, expect, it } from 'vitest';
import { portNames } from '../../src/ir/names.ts';
import { HOST } from '../../src/kernel/sim/state.ts';
import type { Network, VlanSettings } from '../../src/model/network.ts';
import type { NicFunction } from '../../src/model/nic.ts';
import { CONTEXT } from './sim-harness.ts';
import { idOf, NIC, VfHost } from './vf-host.ts';

const SETTINGS: VlanSettings = {
  ...{ parent: 'up0', vlan: 100, trust: false, spoofchk: true, linkState: 'enable', maxTxRate: 500 },
};
const VLAN: Partial<Network> = { type: 'vlan', nat: false, vlan: SETTINGS };
const hosts: VfHost[] = [];

async function open(change: Partial<Network> = {}, vfs = 2): Promise<VfHost> {
  const host = new VfHost({ mode: 'legacy', vfs }, { ...VLAN, ...change });
  hosts.push(host);
  await host.start();
  return host;
}

afterEach(async () => {
  for (const host of hosts.splice(0)) await host.stop();
});

const looks = ({ netdev, vf }: NicFunction) => [
  netdev && [netdev.name, netdev.mac, netdev.mtu, netdev.up, netdev.altnames],
  vf,
];
const allLooks = async (host: VfHost) => (await host.functions()).map(looks);
const config = (host: VfHost, at = 0) => host.nics.nic(NIC).vfs[at]?.config;
const plan = async (host: VfHost) => (await host.daemon.reconciler.view()).plan;

describe('an endpoint on a legacy NIC', () => {
  it('gets a VF that the PF holds to what the network says, and gives it back as it was', async () => {
    const host = await open();
    const before = await allLooks(host);
    const made = await host.create(1);
    expect([made.vf?.index, made.fallback]).toEqual([0, null]);
    const { parent: _, ...attributes } = SETTINGS;
    expect(config(host)).toMatchObject({ mac: made.mac, ...attributes });
    const { fn } = portNames(CONTEXT.identity, idOf(1));
    expect(host.state.find(HOST, fn)).toMatchObject({ mac: made.mac, physical: true });
    host.run(1);
    await host.settle();
    expect(await plan(host)).toEqual([]);
    host.end(1, true);
    host.delete(1);
    await host.settle();
    expect(host.store.vfs()).toEqual([]);
    expect(await allLooks(host)).toEqual(before);
    expect(host.nics.nic(NIC).vfs[0]?.resets).toBe(1);
    expect(host.wrongResets).toEqual([]);
  });

  it('goes on with a macvlan link when the VFs have run out, endpoint by endpoint', async () => {
    const host = await open();
    for (const n of [1, 2]) expect((await host.create(n)).vf).not.toBeNull();
    const third = await host.create(3);
    expect([third.vf, third.fallback]).toEqual([null, `${NIC}: no free function: 2 in use`]);
    const { fn } = portNames(CONTEXT.identity, idOf(3));
    expect(host.state.find(HOST, fn)?.lower).toBeDefined();
    host.delete(1);
    await host.settle();
    expect((await host.create(4)).vf?.index).toBe(0);
  });

  it.each<[Partial<Network>]>([[{ require: 'hw' }], [{ datapath: 'sriov' }]])(
    'is refused with %j when the VFs have run out',
    async change => {
      const host = await open(change, 1);
      await host.create(1);
      await expect(host.create(2)).rejects.toThrow(/no free function: 1 in use/);
      expect(host.endpoint(2)).toBeNull();
    },
  );

  it.each([true, false])('is known to a new daemon, in its sandbox too (joined: %j)', async joined => {
    const host = await open();
    await host.create(1);
    if (joined) host.run(1);
    await host.settle();
    await host.restart();
    await host.settle();
    expect(await plan(host)).toEqual([]);
    expect(host.daemon.reconciler.status().repairs).toEqual([]);
    expect(host.store.vfs().map(row => row.state)).toEqual(['used']);
  });

  it('gets back what somebody else changed at the PF', async () => {
    const host = await open();
    const { mac } = await host.create(1);
    host.run(1);
    await host.settle();
    await expect.poll(() => host.endpoint(1)?.sandbox?.ifname, { timeout: 3000 }).toBe('eth0');
    Object.assign(config(host) ?? {}, { spoofchk: false, vlan: 7, mac: '02:00:00:00:00:99' });
    await host.daemon.reconciler.resync('request');
    expect(config(host)).toMatchObject({ spoofchk: true, vlan: 100, mac });
  });

  it('may change its MAC when it is trusted', async () => {
    const host = await open({ vlan: { ...SETTINGS, trust: true } });
    await host.create(1);
    host.run(1);
    await host.settle();
    Object.assign(config(host) ?? {}, { mac: '02:00:00:00:00:99' });
    expect(await plan(host)).toEqual([]);
  });

  it('gives its VF back when the container is killed with its namespace', async () => {
    const host = await open();
    const before = await allLooks(host);
    await host.create(1);
    host.run(1);
    await host.settle();
    host.end(1, false);
    host.delete(1);
    await host.settle();
    expect(await allLooks(host)).toEqual(before);
    expect(host.store.vfs()).toEqual([]);
  });

  it('leaves a VF that nobody gave back to the keeper, when the store was lost', async () => {
    const host = await open();
    await host.create(1);
    await host.loseStore();
    await host.settle();
    expect((await host.functions()).every(({ netdev }) => netdev?.altnames.length === 0)).toBe(true);
    expect((await host.create(2)).vf).not.toBeNull();
  });

  it('is rebuilt in its sandbox when the VFs were made anew', async () => {
    const host = await open();
    const { mac } = await host.create(1);
    host.run(1);
    await host.settle();
    const path = host.endpoint(1)?.sandbox?.key ?? '';
    await expect.poll(() => host.endpoint(1)?.sandbox?.ifname, { timeout: 3000 }).toBe('eth0');
    await host.nics.apply([{ verb: 'num-vfs', nic: NIC as never, count: 0 }]);
    await host.nics.apply([{ verb: 'num-vfs', nic: NIC as never, count: 2 }]);
    await host.settle();
    expect(host.state.find(path, 'eth0')).toMatchObject({ mac, up: true });
    expect(config(host)).toMatchObject({ mac, vlan: 100 });
    expect(host.daemon.reconciler.status().failures).toEqual([]);
  });
});
