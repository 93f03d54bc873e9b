/**
 * What happens to an eswitch on a real kernel: the lifecycle with rules, rate nodes and sandboxes in the
 * way, and NICs that go and come. Each scene begins with NICs plugged anew.
 */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import type { FlowRule } from '../../../src/ir/flow.ts';
import type { FlowPort } from '../../../src/kernel/flow-port.ts';
import { functionUses } from '../../../src/model/function-use.ts';
import { functionKey, type Nic } from '../../../src/model/nic.ts';
import { EswitchLifecycle, type EswitchOutcome } from '../../../src/nic/eswitch-lifecycle.ts';
import { InventoryKeeper } from '../../../src/nic/inventory-keeper.ts';
import { stepText } from '../../../src/plan/eswitch-mode.ts';
import { eventually, find, type NicLab, numVfs, succeed, vf } from '../../contract/nic-bench.ts';

export interface NicScene {
  readonly name: string;
  run(lab: NicLab, flows: FlowPort): Promise<void>;
}

const SWITCHDEV = { mode: 'switchdev', vfs: null, encap: null } as const;
const LEGACY = { mode: 'legacy', vfs: null, encap: null } as const;
const DO = { dryRun: false, force: false };

interface Stage {
  readonly keeper: InventoryKeeper;
  readonly eswitch: EswitchLifecycle;
  readonly told: string[];
}

/** The lifecycle as the daemon has it; `isKnown`: the profile of the family has been read. */
async function stage(lab: NicLab, flows: FlowPort, isKnown: boolean): Promise<Stage> {
  const keeper = new InventoryKeeper();
  await keeper.start(lab.port);
  const told: string[] = [];
  const users = (nic: Nic) => {
    const uses = functionUses([nic], { endpoints: [], ledger: [] });
    return [...uses]
      .filter(([, use]) => use.state === 'foreign')
      .map(([key, use]) => ({ key, who: use.why }));
  };
  const eswitch = new EswitchLifecycle({
    ...{ nics: lab.port, keeper, flows, users, quirks: () => (isKnown ? new Map() : null) },
    onModeChange: async () => {
      told.push('paused');
      return () => void told.push('resumed');
    },
  });
  return { keeper, eswitch, told };
}

const done = ({ steps }: EswitchOutcome): string[] =>
  steps.map(({ step, state }) => `${stepText(step)}: ${state}`);

/** A rule of ours on the uplink, into the representor of VF 0. */
async function putRule(lab: NicLab, flows: FlowPort): Promise<FlowRule> {
  const nic = await find(lab);
  const rule: FlowRule = {
    ...{ link: nic.uplinks[0]?.name ?? '', chain: 0, prio: 10, protocol: 0x0800, handle: 1, where: 'hw' },
    match: [{ field: 'ipv4_dst', value: '0a000002', mask: 'ffffffff' }],
    actions: [{ kind: 'redirect', link: nic.functions[0]?.representor?.name ?? '' }],
  };
  const [result] = await flows.put([rule]);
  assert.equal(result?.errno, 0, result?.extack ?? 'no result');
  assert.equal(result?.inHw, true);
  return rule;
}

const scene = (name: string, run: NicScene['run']): NicScene => ({ name, run });

export const NIC_SCENES: readonly NicScene[] = [
  scene('a driver that refuses switchdev while VFs exist is believed', async (lab, flows) => {
    await lab.setQuirks({ switchdevNeedsNoVfs: true });
    await succeed(lab, numVfs(lab, 3));
    const { eswitch, keeper } = await stage(lab, flows, true);
    const outcome = await eswitch.change(lab.nic, SWITCHDEV, DO);
    assert.deepEqual(done(outcome), [
      'eswitch mode switchdev: failed',
      'sriov_numvfs 0: done',
      'eswitch mode switchdev: done',
      'sriov_numvfs 3: done',
      'hw-tc-offload on: done',
    ]);
    assert.equal(outcome.nic.functions.length, 3);
    assert.ok(outcome.nic.functions.every(each => each.representor !== null));
    keeper.stop();
  }),
  scene('rules and rate nodes are taken out, and offload is told', async (lab, flows) => {
    await succeed(lab, { verb: 'eswitch-mode', nic: lab.nic, mode: 'switchdev' }, numVfs(lab, 2));
    await putRule(lab, flows);
    await lab.addRateNode('gold');
    const { eswitch, keeper, told } = await stage(lab, flows, true);
    assert.deepEqual(done(await eswitch.change(lab.nic, LEGACY, { dryRun: true, force: false })), [
      'pause offload: planned',
      'remove 1 flow rule: planned',
      'sriov_numvfs 0: planned',
      'delete rate node gold: planned',
      'eswitch mode legacy: planned',
      'sriov_numvfs 2: planned',
    ]);
    assert.deepEqual(told, []);
    const { nic } = await eswitch.change(lab.nic, LEGACY, DO);
    assert.deepEqual([nic.eswitch?.mode, nic.vfsEnabled, nic.rateNodes], ['legacy', 2, 0]);
    assert.equal((await flows.dump(nic.uplinks.map(link => link.name))).count, 0);
    assert.deepEqual(told, ['paused', 'resumed']);
    keeper.stop();
  }),
  scene('the encap mode changes although our rules are in the NIC', async (lab, flows) => {
    await lab.setQuirks({ encapNeedsNoFlows: true });
    await succeed(lab, { verb: 'eswitch-mode', nic: lab.nic, mode: 'switchdev' }, numVfs(lab, 1));
    await putRule(lab, flows);
    const { eswitch, keeper } = await stage(lab, flows, true);
    const { nic } = await eswitch.change(lab.nic, { ...SWITCHDEV, encap: false }, DO);
    assert.deepEqual([nic.eswitch?.encap, nic.vfsEnabled], [false, 1]);
    await eswitch.change(lab.nic, { ...SWITCHDEV, encap: true }, DO);
    keeper.stop();
  }),
  scene('a function in a namespace stands in the way of everything but force', async (lab, flows) => {
    await succeed(lab, numVfs(lab, 2));
    const { device, ref } = await vf(lab, 1);
    assert.ok(device);
    const netns = await lab.makeSandbox();
    await lab.moveToSandbox(device, netns, 'eth9');
    const { eswitch, keeper } = await stage(lab, flows, false);
    await assert.rejects(eswitch.change(lab.nic, SWITCHDEV, DO), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ESW_ERR_NIC_BUSY');
      assert.ok(error.message.includes(functionKey(ref)), error.message);
      return true;
    });
    assert.equal((await find(lab)).vfsEnabled, 2);
    const { nic } = await eswitch.change(lab.nic, { ...SWITCHDEV, vfs: 4 }, { dryRun: false, force: true });
    assert.deepEqual([nic.eswitch?.mode, nic.vfsEnabled], ['switchdev', 4]);
    await lab.endSandbox(netns);
    keeper.stop();
  }),
  scene(
    'a NIC whose driver is bound anew is seen to go and to come back in its defaults',
    async (lab, flows) => {
      const { keeper } = await stage(lab, flows, true);
      await succeed(lab, { verb: 'eswitch-mode', nic: lab.nic, mode: 'switchdev' }, numVfs(lab, 2));
      const [bus = '', dev = ''] = lab.nic.split('/');
      await eventually('the keeper sees VFs', async () =>
        keeper.nic(lab.nic)?.functions.length === 2 ? true : null,
      );
      const driver = `/sys/bus/${bus}/drivers/${bus === 'pci' ? 'simnic_pci' : 'simnic'}`;
      appendFileSync(`${driver}/unbind`, dev);
      await eventually('the keeper sees it go', async () =>
        (keeper.nic(lab.nic)?.uplinks.length ?? 0) === 0 ? true : null,
      );
      assert.ok(keeper.nic(lab.other), 'the other one stays');
      appendFileSync(`${driver}/bind`, dev);
      const back = await eventually('the keeper sees it come', async () => {
        const nic = keeper.nic(lab.nic);
        return nic !== undefined && nic.uplinks.length === 1 ? nic : null;
      });
      assert.deepEqual([back.eswitch?.mode, back.vfsEnabled, back.problems], ['legacy', 0, []]);
      keeper.stop();
    },
  ),
  scene('VFs come and go while the keeper looks on', async (lab, flows) => {
    const { keeper } = await stage(lab, flows, true);
    await succeed(lab, { verb: 'eswitch-mode', nic: lab.nic, mode: 'switchdev' });
    for (const count of [7, 0, 2]) {
      await succeed(lab, numVfs(lab, count));
      await eventually(`${count} functions`, async () =>
        keeper.nic(lab.nic)?.functions.length === count ? true : null,
      );
    }
    const nic = keeper.nic(lab.nic);
    assert.ok(nic?.functions.every(each => each.representor !== null && each.netdev !== null));
    keeper.stop();
  }),
];
