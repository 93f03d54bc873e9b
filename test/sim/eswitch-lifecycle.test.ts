import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FlowRef } from '../../src/ir/flow.ts';
import { FLOW_FLAG, type FlowDump, type FlowPort } from '../../src/kernel/flow-port.ts';
import { type SimNicSpec, SimNics } from '../../src/kernel/sim/nics.ts';
import { type DevlinkHandle, functionKey, type Nic } from '../../src/model/nic.ts';
import { EswitchLifecycle, type LifecycleDeps } from '../../src/nic/eswitch-lifecycle.ts';
import { InventoryKeeper } from '../../src/nic/inventory-keeper.ts';
import { type FunctionUser, stepText } from '../../src/plan/eswitch-mode.ts';

const HANDLE = 'pci/0000:3b:00.0' as DevlinkHandle;
const DO = { dryRun: false, force: false };
const SWITCHDEV = { mode: 'switchdev', vfs: null, encap: null } as const;
const LEGACY = { mode: 'legacy', vfs: null, encap: null } as const;

/** Rules in a list; the model of NICs learns how many there are. */
function flowsOn(sim: SimNics, rules: { ours: boolean; handle: number }[]): FlowPort {
  return {
    put: async () => [],
    read: async () => [],
    delete: async (refs: readonly FlowRef[]) => {
      for (const { handle } of refs)
        rules.splice(
          rules.findIndex(each => each.handle === handle),
          1,
        );
      sim.setFlows(HANDLE, rules.length);
      return refs.map(() => ({ errno: 0, extack: '' }));
    },
    dump: async () =>
      ({
        count: rules.length,
        ifindex: Uint32Array.from(rules, () => sim.nic(HANDLE).uplink.ifindex),
        handle: Uint32Array.from(rules, each => each.handle),
        flags: Uint16Array.from(rules, each => (each.ours ? FLOW_FLAG.ours : 0)),
        chain: new Uint32Array(rules.length),
        prio: new Uint16Array(rules.length),
        protocol: new Uint16Array(rules.length),
      }) as unknown as FlowDump,
  };
}

describe('the lifecycle of an eswitch', () => {
  let sim: SimNics;
  let keeper: InventoryKeeper;
  let users: readonly FunctionUser[];
  let paused: string[];

  async function lifecycle(spec: Partial<SimNicSpec>, change: Partial<LifecycleDeps> = {}) {
    sim = new SimNics([{ handle: HANDLE, ...spec }]);
    await keeper.start(sim);
    return new EswitchLifecycle({
      ...{ nics: sim, keeper, flows: null, users: () => users, quirks: () => new Map(), appearMs: 300 },
      onModeChange: async ({ handle }) => {
        paused.push(`pause ${handle}`);
        return () => void paused.push('resume');
      },
      ...change,
    });
  }

  beforeEach(() => {
    keeper = new InventoryKeeper();
    users = [];
    paused = [];
  });
  afterEach(() => keeper.stop());

  const verbs = () => sim.log.map(op => op.verb);

  it('goes to switchdev with VFs and back', async () => {
    const eswitch = await lifecycle({ vfs: 2 });
    const there = await eswitch.change(HANDLE, { ...SWITCHDEV, vfs: 3 }, DO);
    expect(there.steps.map(each => `${stepText(each.step)}: ${each.state}`)).toEqual([
      ...[
        'sriov_numvfs 0: done',
        'eswitch mode switchdev: done',
        'sriov_numvfs 3: done',
        'hw-tc-offload on: done',
      ],
    ]);
    expect(there.nic.functions.map(each => each.representor !== null)).toEqual([true, true, true]);
    const back = await eswitch.change(HANDLE, LEGACY, DO);
    expect([back.nic.eswitch?.mode, back.nic.vfsEnabled]).toEqual(['legacy', 3]);
    expect(paused).toEqual([`pause ${HANDLE}`, 'resume', `pause ${HANDLE}`, 'resume']);
  });

  it('only says what it would do when asked so', async () => {
    const eswitch = await lifecycle({ vfs: 2 });
    const { steps, nic } = await eswitch.change(HANDLE, SWITCHDEV, { dryRun: true, force: false });
    expect(steps.map(each => each.state)).toEqual(['planned', 'planned']);
    expect([nic.eswitch?.mode, sim.log, paused]).toEqual(['legacy', [], []]);
  });

  it('learns from a driver that takes no mode while VFs exist', async () => {
    const eswitch = await lifecycle({ vfs: 2, quirks: { switchdevNeedsNoVfs: true } });
    const { steps, nic } = await eswitch.change(HANDLE, SWITCHDEV, DO);
    expect(steps.map(each => each.state)).toEqual(['failed', 'done', 'done', 'done', 'done']);
    expect([nic.eswitch?.mode, nic.vfsEnabled]).toEqual(['switchdev', 2]);
  });

  it('removes rate nodes and our rules, and leaves those of others', async () => {
    const rules = [
      { ours: true, handle: 1 },
      { ours: false, handle: 2 },
      { ours: true, handle: 3 },
    ];
    const spec = { mode: 'switchdev', vfs: 1 } as const;
    // The port is asked of the model that `lifecycle` makes.
    const flows: FlowPort = {
      ...{ put: async () => [], read: async () => [] },
      dump: links => flowsOn(sim, rules).dump(links),
      delete: refs => flowsOn(sim, rules).delete(refs),
    };
    const eswitch = await lifecycle(spec, { flows });
    sim.addRateNode(HANDLE, 'gold');
    const { verdict, nic } = await eswitch.change(HANDLE, LEGACY, DO);
    expect(verdict).toMatchObject({ notes: [expect.stringContaining('1 rules of others')] });
    expect(rules.map(each => each.handle)).toEqual([2]);
    expect([nic.eswitch?.mode, nic.rateNodes, nic.vfsEnabled]).toEqual(['legacy', 0, 1]);
    expect(verbs()).toEqual(['num-vfs', 'rate-node-delete', 'eswitch-mode', 'num-vfs']);
  });

  it('names who is in the way, and goes through them with force', async () => {
    const eswitch = await lifecycle({ vfs: 1 });
    const key = functionKey(sim.nic(HANDLE).ref(0));
    users = [{ key, who: 'endpoint a1b2c3' }];
    await expect(eswitch.change(HANDLE, SWITCHDEV, DO)).rejects.toMatchObject({
      code: 'ESW_ERR_NIC_BUSY',
      message: expect.stringContaining(`${key} (endpoint a1b2c3)`),
    });
    expect(sim.log).toEqual([]);
    const { nic } = await eswitch.change(HANDLE, SWITCHDEV, { dryRun: false, force: true });
    expect(nic.eswitch?.mode).toBe('switchdev');
  });

  it('brings VFs back when the driver refuses, and tells how far it came', async () => {
    const eswitch = await lifecycle({ vfs: 2 }, { quirks: () => null });
    sim.failNext('eswitch-mode', 5, 'firmware says no');
    await expect(eswitch.change(HANDLE, SWITCHDEV, DO)).rejects.toMatchObject({
      code: 'ESW_ERR_KERNEL_REFUSED',
      message: `${HANDLE}: eswitch mode switchdev: firmware says no (EIO); done before: sriov_numvfs 0; 2 steps left out`,
    });
    expect(keeper.nic(HANDLE)).toMatchObject({ vfsEnabled: 2, eswitch: { mode: 'legacy' } });
    expect(paused).toEqual([`pause ${HANDLE}`, 'resume']);
  });

  it('does one change of a NIC at a time', async () => {
    const eswitch = await lifecycle({});
    const first = eswitch.change(HANDLE, SWITCHDEV, DO);
    await expect(eswitch.change(HANDLE, LEGACY, DO)).rejects.toMatchObject({ code: 'ESW_ERR_NIC_BUSY' });
    await first;
    await eswitch.change(HANDLE, LEGACY, DO);
  });

  it('knows only NICs that are there, and what they cannot', async () => {
    const eswitch = await lifecycle({ devlink: false, driver: 'igb' });
    await expect(eswitch.change('pci/none' as DevlinkHandle, LEGACY, DO)).rejects.toMatchObject({
      code: 'ESW_ERR_NIC_UNKNOWN',
      message: `no NIC pci/none; there are ${HANDLE}`,
    });
    await expect(eswitch.change(HANDLE, SWITCHDEV, DO)).rejects.toMatchObject({ code: 'ESW_ERR_NIC_MODE' });
    const { verdict } = await eswitch.change(HANDLE, LEGACY, DO);
    expect(verdict.verdict).toBe('nothing');
  });

  it('waits for representors that come late, but not for ever', async () => {
    const eswitch = await lifecycle({ vfs: 1 });
    const inventory = sim.inventory.bind(sim);
    let looks = 0;
    const without = (nic: Nic): Nic => ({
      ...nic,
      functions: nic.functions.map(each => ({ ...each, representor: null })),
    });
    sim.inventory = async () => {
      const { nics } = await inventory();
      return { nics: ++looks < 3 ? nics.map(without) : nics };
    };
    const { nic } = await eswitch.change(HANDLE, SWITCHDEV, DO);
    expect(nic.functions[0]?.representor).not.toBeNull();
    expect(looks).toBeGreaterThanOrEqual(3);
  });
});
