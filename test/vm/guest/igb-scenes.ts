/** NicPort on a NIC with real SR-IOV and without devlink: QEMU's igb, which is in legacy mode for ever. */
import assert from 'node:assert/strict';
import type { NicOp, NicPort } from '../../../src/kernel/nic-port.ts';
import type { Mac } from '../../../src/lib/brand.ts';
import type { DeviceName, DevlinkHandle, Nic } from '../../../src/model/nic.ts';
import { eventually } from '../../contract/nic-bench.ts';
import { exec } from '../../lab/exec.ts';

const nic = 'pci/0000:01:00.0' as DevlinkHandle;
const device = 'pci/0000:01:10.0' as DeviceName;
const ref = { nic, controller: 0, pf: 0, kind: 'vf', index: 1 } as const;

async function seen(port: NicPort): Promise<Nic> {
  const [found] = (await port.inventory()).nics;
  assert.ok(found);
  return found;
}

const apply = async (port: NicPort, ...ops: readonly NicOp[]) =>
  (await port.apply(ops)).map(({ errno, extack }) => [errno, extack]);

/** In this order: each goes on where the one before ended. */
export const IGB_SCENES: readonly { readonly name: string; run(port: NicPort): Promise<void> }[] = [
  {
    name: 'is in legacy mode, known by its PCI device',
    run: async port => {
      const { uplinks, pci, ...rest } = await seen(port);
      assert.deepEqual([rest.handle, rest.devlink, rest.driver], [nic, false, 'igb']);
      assert.deepEqual([rest.eswitch, rest.switchId, rest.problems], [null, null, []]);
      assert.deepEqual([rest.vfsTotal, rest.vfsEnabled, rest.functions], [7, 0, []]);
      assert.deepEqual([pci?.vendor, pci?.device], ['8086', '10c9']);
      assert.deepEqual(
        uplinks.map(({ name }) => name),
        ['eth0'],
      );
    },
  },
  {
    name: 'makes VFs that have attributes, and says what it cannot',
    run: async port => {
      const config = { mac: '02:00:00:00:00:55' as Mac, vlan: 5, vlanQos: 2, trust: true, spoofchk: false };
      const results = await apply(
        port,
        { verb: 'num-vfs', nic, count: 2 },
        { verb: 'vf-config', ref, config },
        { verb: 'num-vfs', nic, count: 3 },
        { verb: 'eswitch-mode', nic, mode: 'switchdev' },
        { verb: 'vf-config', ref: { ...ref, index: 6 }, config },
      );
      assert.deepEqual(results, [
        [0, ''],
        [0, ''],
        [16, '2 VFs are enabled already: they must be disabled first'],
        [19, `no devlink instance ${nic}`],
        [19, `no function ${nic}/c0pf0vf6`],
      ]);
      const { functions, vfsEnabled } = await seen(port);
      assert.equal(vfsEnabled, 2);
      assert.deepEqual(
        functions.map(each => [each.device, each.driver, each.netdev !== null, each.representor]),
        [
          [device, 'igbvf', true, null],
          ['pci/0000:01:10.2', 'igbvf', true, null],
        ],
      );
      assert.deepEqual(functions[1]?.ref, ref);
      assert.deepEqual({ ...functions[1]?.vf, ...config }, functions[1]?.vf);
    },
  },
  {
    name: 'loses the netdev of a VF without driver and finds it again',
    run: async port => {
      const bind = { verb: 'bind-driver', device, override: false } as const;
      assert.deepEqual(await apply(port, { ...bind, driver: null }), [[0, '']]);
      const without = (await seen(port)).functions[0];
      assert.deepEqual([without?.driver, without?.netdev], [null, null]);
      assert.deepEqual(await apply(port, { ...bind, driver: 'igbvf' }), [[0, '']]);
      assert.ok((await seen(port)).functions[0]?.netdev);
    },
  },
  {
    name: 'finds a VF in a namespace, and at home under the name that the kernel gave it',
    run: async port => {
      const name = (await seen(port)).functions[0]?.netdev?.name ?? '';
      await exec(['ip', 'netns', 'add', 'box']);
      // As a container would have it: under a name that its host has too.
      await exec(['ip', 'link', 'set', name, 'netns', 'box', 'name', 'eth0']);
      assert.equal(await port.functionIn('/run/netns/box', device), 'eth0');
      assert.equal((await seen(port)).functions[0]?.netdev, null);
      await exec(['ip', 'netns', 'del', 'box']);
      const home = await eventually(
        'the netdev at home',
        async () => (await seen(port)).functions[0]?.netdev ?? null,
      );
      assert.match(home.name, /^dev\d+$/);
    },
  },
  {
    name: 'resets a VF and takes its VFs away',
    run: async port => {
      assert.deepEqual(
        await apply(
          port,
          { verb: 'function-reset', ref: { ...ref, index: 0 }, device },
          { verb: 'function-reset', ref, device },
          { verb: 'num-vfs', nic, count: 0 },
        ),
        [
          [0, ''],
          [19, `${device} is not VF 1 of ${nic}`],
          [0, ''],
        ],
      );
      assert.deepEqual((await seen(port)).functions, []);
    },
  },
];
