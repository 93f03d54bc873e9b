/** Networks of type vlan in the loop: ports without a host side, and the sub-interfaces they stand on. */
import { describe, expect, it } from 'vitest';
import { portNames, vlanLinkName } from '../../src/ir/names.ts';
import type { Outside } from '../../src/kernel/sim/outside.ts';
import { HOST } from '../../src/kernel/sim/state.ts';
import type { VlanSettings } from '../../src/model/network.ts';
import { endpoint, network } from './arbitrary.ts';
import { addNetwork, deleteEndpoint, kinds, putEndpoint, started, stopLater } from './driver.ts';
import { type Rig, restarted } from './rig.ts';
import { CONTEXT } from './sim-harness.ts';

const SETTINGS: VlanSettings = {
  ...{ parent: 'eth1', vlan: 100, trust: false, spoofchk: true, linkState: 'auto', maxTxRate: 0 },
};
const NET = network(1, { type: 'vlan', nat: false, vlan: SETTINGS });
const ONE = endpoint(NET, 1);
const { fn } = portNames(CONTEXT.identity, ONE.id);
const LINK = vlanLinkName(CONTEXT.identity, NET.id);
const PATH = '/run/docker/netns/one';
const IN_SANDBOX = { ...ONE, sandbox: { key: PATH, ifname: 'eth0' } };

async function withNic(net = NET): Promise<Rig> {
  const the = await started();
  the.outside.addForeignLink('eth1');
  await addNetwork(the, net);
  return the;
}

/** As Docker does at Join. */
async function joined(): Promise<Rig> {
  const the = await withNic();
  await putEndpoint(the, ONE);
  the.outside.makeSandbox(PATH);
  await putEndpoint(the, { ...ONE, sandbox: { key: PATH, ifname: null } });
  the.outside.moveToSandbox(fn, PATH, 'eth0');
  await putEndpoint(the, IN_SANDBOX);
  return the;
}

async function expectQuiet(the: Rig): Promise<void> {
  await the.reconciler.resync('request');
  the.kernel.log.length = 0;
  await the.reconciler.resync('request');
  expect(kinds(the.kernel.log)).toEqual([]);
  expect((await the.reconciler.view()).plan).toEqual([]);
}

const portIn = ({ kernel }: Rig, path = PATH) => kernel.state.find(path, 'eth0');

/** The NIC's driver was reloaded: the link is another, and what stood on it is gone. */
function reloadDriver(outside: Outside): void {
  outside.deleteLink('eth1');
  outside.addForeignLink('eth1');
}

describe('a network of type vlan', () => {
  it('needs its sub-interface and nothing in the tables, an endpoint one link', async () => {
    const the = await withNic();
    await putEndpoint(the, ONE);
    expect(kinds(the.kernel.log).slice(-2)).toEqual(['create vlan-link', 'create direct-port']);
    expect(the.kernel.state.find(HOST, fn)).toMatchObject({ mac: ONE.mac, mtu: 1500 });
    expect(the.kernel.state.maps?.ports.size).toBe(0);
    expect(the.kernel.state.sysctls.get('net/ipv4/ip_forward')).toBe('0');
    await expectQuiet(the);
  });

  it('stands on the parent itself without a VLAN, and needs no sub-interface when it never falls back', async () => {
    const untagged = await withNic({ ...NET, vlan: { ...SETTINGS, vlan: 0 } });
    await putEndpoint(untagged, ONE);
    expect(untagged.kernel.state.find(HOST, LINK)).toBeUndefined();
    await expectQuiet(untagged);
    const strict = await withNic({ ...NET, datapath: 'sriov' });
    expect(strict.kernel.state.find(HOST, LINK)).toBeUndefined();
  });

  it('gives way to a network of the same VLAN in one commit', async () => {
    const the = await withNic();
    const next = network(2, { type: 'vlan', vlan: SETTINGS });
    the.store.commit(tx => {
      tx.deleteNetwork(NET.id);
      tx.putNetwork(next);
    });
    the.reconciler.notify();
    await expectQuiet(the);
    expect(the.kernel.state.find(HOST, LINK)).toBeUndefined();
    expect(the.kernel.state.find(HOST, vlanLinkName(CONTEXT.identity, next.id))).toBeDefined();
  });

  it('says what is missing when the parent is gone, and is made again when that returns', async () => {
    const the = await joined();
    the.outside.deleteLink('eth1');
    await the.reconciler.resync('request');
    await expect
      .poll(() => the.reconciler.status().failures.map(({ key, extack }) => `${key}: ${extack}`))
      .toContain(`vlan-link/${LINK}: no link eth1`);
    the.outside.addForeignLink('eth1');
    await expectQuiet(the);
    expect(portIn(the)).toBeDefined();
  });
});

describe('a direct port', () => {
  it('is known in its sandbox, by a new daemon too', async () => {
    const the = await joined();
    await expectQuiet(the);
    await the.reconciler.stop();
    const next = stopLater(restarted(the));
    await next.reconciler.start();
    expect(kinds(next.kernel.log)).toEqual([]);
  });

  it('is not taken for lost while it moves in', async () => {
    const the = await withNic();
    await putEndpoint(the, ONE);
    the.outside.makeSandbox(PATH);
    await putEndpoint(the, { ...ONE, sandbox: { key: PATH, ifname: null } });
    the.outside.moveToSandbox(fn, PATH, 'eth0');
    await expectQuiet(the);
    expect(the.kernel.state.find(HOST, fn)).toBeUndefined();
    await expect.poll(() => the.store.endpoint(ONE.id)?.sandbox?.ifname, { timeout: 3000 }).toBe('eth0');
    await expect.poll(() => the.kernel.announced.length, { timeout: 3000 }).toBeGreaterThanOrEqual(2);
    const addresses = [ONE.ip4, ONE.ip6];
    expect(the.kernel.announced[0]).toEqual({ netns: PATH, ifname: 'eth0', mac: ONE.mac, addresses });
  });

  it.each<[string, (outside: Outside) => void]>([
    ['its own link', outside => outside.deleteIn(PATH, 'eth0')],
    ['the sub-interface', outside => outside.deleteLink(LINK)],
    ['the parent', reloadDriver],
  ])('is rebuilt in the sandbox after %s was lost', async (_what, harm) => {
    const the = await joined();
    harm(the.outside);
    expect(portIn(the)).toBeUndefined();
    await the.reconciler.resync('request');
    await expectQuiet(the);
    expect([...(portIn(the)?.addresses ?? [])]).toEqual([ONE.ip4, ONE.ip6]);
    expect(the.reconciler.status().repairs.some(repair => repair.key === `direct-port/${fn}`)).toBe(true);
  });

  it('is not rebuilt when its sandbox is gone too', async () => {
    const the = await joined();
    the.outside.destroySandbox(PATH);
    await the.reconciler.resync('request');
    await expectQuiet(the);
    expect(the.reconciler.status().detached).toEqual([ONE.id]);
  });

  it('goes when its endpoint goes, at home or left behind in a sandbox', async () => {
    const home = await joined();
    home.outside.returnFromSandbox(PATH, 'eth0', fn);
    await deleteEndpoint(home, ONE.id);
    await expectQuiet(home);
    expect(home.kernel.state.find(HOST, fn)).toBeUndefined();
    const left = await joined();
    await deleteEndpoint(left, ONE.id);
    await expectQuiet(left);
    expect(portIn(left)).toBeUndefined();
  });

  it('leaves links of others alone', async () => {
    const the = await started();
    the.outside.addForeignLink('eth1');
    const stranger = the.outside.addForeignLink(LINK);
    await expect(addNetwork(the, NET)).rejects.toThrow(/ESW|link .* is not ours|somebody else/);
    expect(the.kernel.state.find(HOST, LINK)).toBe(stranger);
  });
});
