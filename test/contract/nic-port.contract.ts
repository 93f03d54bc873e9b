/**
 * Behaviour that every implementation of NicPort must show: the model, and a real kernel in a guest.
 * No test runner in here, so that it runs inside a guest as it is.
 */
import assert from 'node:assert/strict';
import type { Mac } from '../../src/lib/brand.ts';
import { type DeviceName, type DevlinkHandle, functionKey } from '../../src/model/nic.ts';
import {
  eventually,
  find,
  mode,
  type NicLab,
  type NicLaw,
  numVfs,
  refused,
  succeed,
  vf,
} from './nic-bench.ts';
import { NIC_MODE_LAWS } from './nic-modes.contract.ts';

const law = (name: string, run: (lab: NicLab) => Promise<void>): NicLaw => ({ name, run });

const SEEN: readonly NicLaw[] = [
  law('a NIC is shown with its uplink and what it can have', async lab => {
    const nic = await find(lab);
    assert.deepEqual(nic.problems, []);
    assert.equal(nic.devlink, true);
    assert.equal(nic.eswitch?.mode, 'legacy');
    assert.equal(nic.switchId, null);
    assert.ok(nic.vfsTotal >= 4);
    assert.equal(nic.vfsEnabled, 0);
    assert.deepEqual(nic.functions, []);
    assert.equal(nic.uplinks.length, 1);
    assert.notEqual(nic.driver, '');
    assert.ok(nic.firmware.some(each => each.kind === 'running'));
  }),
  law('VFs have a tuple, a device, a driver and a netdev', async lab => {
    await succeed(lab, numVfs(lab, 3));
    const nic = await find(lab);
    assert.equal(nic.vfsEnabled, 3);
    assert.deepEqual(
      nic.functions.map(each => [each.ref.nic, each.ref.kind, each.ref.index]),
      [0, 1, 2].map(index => [lab.nic, 'vf', index]),
    );
    assert.equal(new Set(nic.functions.map(each => each.device)).size, 3);
    for (const each of nic.functions) {
      assert.ok(each.driver);
      assert.ok(each.netdev, `${functionKey(each.ref)} has a netdev`);
      assert.equal(each.representor, null);
      assert.ok(each.vf, 'the PF keeps its attributes');
    }
  }),
  law('another number of VFs is refused until there are none', async lab => {
    await succeed(lab, numVfs(lab, 2), numVfs(lab, 2));
    assert.notEqual((await refused(lab, numVfs(lab, 4))).extack, '');
    assert.equal((await find(lab)).vfsEnabled, 2);
    await succeed(lab, numVfs(lab, 0), numVfs(lab, 4));
    assert.equal((await find(lab)).vfsEnabled, 4);
    await succeed(lab, numVfs(lab, 0));
    assert.deepEqual((await find(lab)).functions, []);
    assert.notEqual((await refused(lab, numVfs(lab, 60_000))).errno, 0);
  }),
  law('what is not there is a result, not an exception', async lab => {
    const nic = 'pci/ffff:ff:1f.7' as DevlinkHandle;
    const device = 'pci/ffff:ff:1f.6' as DeviceName;
    const ref = { nic: lab.nic, controller: 0, pf: 0, kind: 'vf', index: 3 } as const;
    for (const op of [
      { verb: 'eswitch-mode', nic, mode: 'switchdev' },
      { verb: 'num-vfs', nic, count: 1 },
      { verb: 'function-mac', ref, mac: '02:00:00:00:00:09' as Mac },
      { verb: 'bind-driver', device, driver: null, override: false },
      { verb: 'function-reset', ref, device },
    ] as const)
      await refused(lab, op);
    // Deleting what is absent is success.
    await succeed(lab, { verb: 'rate-node-delete', nic: lab.nic, node: 'nobody' });
    assert.equal(await lab.port.functionIn('/run/netns/nobody', device), null);
  }),
];

const FUNCTIONS: readonly NicLaw[] = [
  law('legacy attributes are set field by field', async lab => {
    await succeed(lab, numVfs(lab, 2));
    const { ref } = await vf(lab, 1);
    const first = { mac: '02:00:00:00:00:77' as Mac, vlan: 12, vlanQos: 3, maxTxRate: 200 };
    await succeed(lab, { verb: 'vf-config', ref, config: first });
    const second = { spoofchk: false, trust: true, linkState: 'enable' } as const;
    await succeed(lab, { verb: 'vf-config', ref, config: second });
    const seen = (await vf(lab, 1)).vf;
    assert.deepEqual({ ...seen, ...first, ...second }, seen);
    const beside = (await vf(lab, 0)).vf;
    assert.deepEqual([beside?.vlan, beside?.trust, beside?.maxTxRate], [0, false, 0]);
    await succeed(lab, { verb: 'vf-config', ref, config: { vlan: 0, vlanQos: 0, maxTxRate: 0 } });
    const after = (await vf(lab, 1)).vf;
    assert.deepEqual([after?.vlan, after?.maxTxRate, after?.trust], [0, 0, true]);
  }),
  law('a function gets the MAC it is given, at the latest with its driver bound again', async lab => {
    const mac = '02:00:00:00:00:88' as Mac;
    await succeed(lab, mode(lab, 'switchdev'), numVfs(lab, 1));
    const { ref, device, driver } = await vf(lab, 0);
    assert.ok(device && driver);
    await succeed(lab, { verb: 'function-mac', ref, mac });
    assert.equal((await vf(lab, 0)).hwAddr, mac);
    await succeed(lab, { verb: 'bind-driver', device, driver: null, override: false });
    const without = await vf(lab, 0);
    assert.deepEqual([without.driver, without.netdev, without.hwAddr], [null, null, mac]);
    await succeed(
      lab,
      { verb: 'bind-driver', device, driver, override: false },
      { verb: 'bind-driver', device, driver, override: false },
    );
    const again = await eventually('a netdev', async () => {
      const seen = await vf(lab, 0);
      return seen.netdev === null ? null : seen;
    });
    assert.deepEqual([again.driver, again.netdev?.mac], [driver, mac]);
  }),
  law('a function can be reset', async lab => {
    await succeed(lab, numVfs(lab, 2));
    const { ref, device } = await vf(lab, 1);
    assert.ok(device);
    await succeed(lab, { verb: 'function-reset', ref, device });
    assert.equal((await vf(lab, 1)).device, device);
  }),
  law('a function in a sandbox is away from the host, and found again however it is named', async lab => {
    await succeed(lab, numVfs(lab, 2));
    const { device } = await vf(lab, 0);
    const uplink = (await find(lab)).uplinks[0]?.name;
    assert.ok(device && uplink);
    const netns = await lab.makeSandbox();
    assert.equal(await lab.port.functionIn(netns, device), null);
    // The name that its host's own link has: it cannot come home under that.
    await lab.moveToSandbox(device, netns, uplink);
    assert.equal((await vf(lab, 0)).netdev, null);
    assert.equal(await lab.port.functionIn(netns, device), uplink);
    const other = await vf(lab, 1);
    assert.ok(other.netdev && other.device);
    assert.equal(await lab.port.functionIn(netns, other.device), null);
    await lab.endSandbox(netns);
    const home = await eventually('the netdev at home', async () => (await vf(lab, 0)).netdev);
    assert.notEqual(home.name, uplink);
    assert.equal((await find(lab)).uplinks[0]?.name, uplink);
  }),
  law('changes are told', async lab => {
    let told = 0;
    const stop = lab.port.watch(() => {
      told++;
    });
    // Streams open behind the call.
    await new Promise(resolve => setTimeout(resolve, 50));
    await succeed(lab, numVfs(lab, 1));
    await eventually('an event', async () => (told > 0 ? told : null));
    await succeed(lab, mode(lab, 'switchdev'));
    stop();
  }),
];

const DEVLINK: readonly NicLaw[] = [
  law('a parameter shows what it was set to', async lab => {
    const { name, cmode, value } = lab.param;
    const read = async () =>
      (await lab.port.params(lab.nic))
        .find(each => each.name === name)
        ?.values.find(each => each.cmode === cmode)?.value;
    assert.notEqual(await read(), value);
    await succeed(lab, { verb: 'param-set', nic: lab.nic, name, cmode, value });
    assert.equal(await read(), value);
    await refused(lab, { verb: 'param-set', nic: lab.nic, name: 'no_such_parameter', cmode, value });
  }),
  law('firmware is stored by a flash and runs after its activation', async lab => {
    const { file, version } = lab.firmware;
    const versions = async (kind: string) =>
      (await find(lab)).firmware.filter(each => each.kind === kind).map(each => each.value);
    await succeed(lab, { verb: 'flash', nic: lab.nic, file, component: null });
    assert.ok((await versions('stored')).includes(version));
    assert.ok(!(await versions('running')).includes(version));
    await succeed(lab, { verb: 'reload', nic: lab.nic, action: 'fw_activate' });
    assert.ok((await versions('running')).includes(version));
  }),
];

export const NIC_LAWS: readonly NicLaw[] = [...SEEN, ...FUNCTIONS, ...NIC_MODE_LAWS, ...DEVLINK];
