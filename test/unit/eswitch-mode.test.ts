import { describe, expect, it } from 'vitest';
import { type SimNicSpec, SimNics } from '../../src/kernel/sim/nics.ts';
import { type DevlinkHandle, functionKey } from '../../src/model/nic.ts';
import {
  type EswitchSituation,
  type EswitchWish,
  MODE_QUIRK,
  planEswitch,
  stepText,
} from '../../src/plan/eswitch-mode.ts';

const HANDLE = 'pci/0000:3b:00.0' as DevlinkHandle;
const KNOWN = new Map<string, string>();
const NEEDS_NO_VFS = new Map([[MODE_QUIRK.needsNoVfs, 'sriov_numvfs must be 0']]);
const SWITCHDEV: EswitchWish = { mode: 'switchdev', vfs: null, encap: null };
const LEGACY: EswitchWish = { mode: 'legacy', vfs: null, encap: null };

async function situation(
  spec: Partial<SimNicSpec>,
  change: Partial<EswitchSituation> = {},
): Promise<EswitchSituation> {
  const [nic] = (await new SimNics([{ handle: HANDLE, ...spec }]).inventory()).nics;
  if (nic === undefined) throw new Error('no NIC');
  return { nic, rateNodes: [], flows: { ours: 0, others: 0 }, users: [], quirks: KNOWN, ...change };
}

function steps(seen: EswitchSituation, wish: EswitchWish, force = false): readonly string[] {
  const verdict = planEswitch(seen, wish, force);
  if (verdict.verdict !== 'change') throw new Error(`${verdict.verdict}: ${verdict.why}`);
  return verdict.steps.map(stepText);
}

describe('the way to switchdev', () => {
  it('keeps VFs where the family is known to take it', async () => {
    expect(steps(await situation({ vfs: 2 }), SWITCHDEV)).toEqual([
      'eswitch mode switchdev',
      'hw-tc-offload on',
    ]);
  });

  it.each([
    ['the profile says so', NEEDS_NO_VFS],
    ['nobody knows the family', null],
  ])('removes VFs first and brings them back where %s', async (_why, quirks) => {
    expect(steps(await situation({ vfs: 2 }, { quirks }), SWITCHDEV)).toEqual([
      ...['sriov_numvfs 0', 'eswitch mode switchdev', 'sriov_numvfs 2', 'hw-tc-offload on'],
    ]);
  });

  it('makes VFs afterwards, when their representors come with them', async () => {
    expect(steps(await situation({}), { ...SWITCHDEV, vfs: 4 })).toEqual([
      ...['eswitch mode switchdev', 'sriov_numvfs 4', 'hw-tc-offload on'],
    ]);
  });

  it('sets encap while no rule can be in the NIC yet', async () => {
    expect(steps(await situation({}), { ...SWITCHDEV, encap: false })).toEqual([
      ...['eswitch encap off', 'eswitch mode switchdev', 'hw-tc-offload on'],
    ]);
  });

  it('only switches offload on when that is all that is missing', async () => {
    const seen = await situation({ mode: 'switchdev', vfs: 1, tcOffload: false });
    expect(steps(seen, SWITCHDEV)).toEqual(['pause offload', 'hw-tc-offload on']);
  });
});

describe('the way back, and changes within switchdev', () => {
  it('takes rules, VFs and rate nodes out before the mode', async () => {
    const seen = await situation(
      { mode: 'switchdev', vfs: 2 },
      { flows: { ours: 7, others: 0 }, rateNodes: ['child', 'parent'] },
    );
    expect(steps(seen, LEGACY)).toEqual([
      ...['pause offload', 'remove 7 flow rules', 'sriov_numvfs 0', 'delete rate node child'],
      ...['delete rate node parent', 'eswitch mode legacy', 'sriov_numvfs 2'],
    ]);
  });

  it('takes rules out before the encap mode, and leaves VFs alone', async () => {
    const seen = await situation({ mode: 'switchdev', vfs: 2 }, { flows: { ours: 1, others: 3 } });
    const verdict = planEswitch(seen, { ...SWITCHDEV, encap: false }, false);
    expect(verdict).toMatchObject({
      disturbed: [],
      notes: ['3 rules of others are on its links: they are left alone, and the driver may refuse'],
    });
    expect(steps(seen, { ...SWITCHDEV, encap: false })).toEqual([
      ...['pause offload', 'remove 1 flow rule', 'eswitch encap off'],
    ]);
  });

  it('goes by way of none to another number of VFs, and leaves rules when VFs only come', async () => {
    const some = await situation({ mode: 'switchdev', vfs: 2 });
    expect(steps(some, { ...SWITCHDEV, vfs: 5 })).toEqual([
      'pause offload',
      'sriov_numvfs 0',
      'sriov_numvfs 5',
    ]);
    const none = await situation({ mode: 'switchdev' }, { flows: { ours: 2, others: 0 } });
    expect(steps(none, { ...SWITCHDEV, vfs: 5 })).toEqual(['pause offload', 'sriov_numvfs 5']);
  });

  it('believes a driver that has refused', async () => {
    expect(steps(await situation({ vfs: 2 }, { refusedWithVfs: true }), SWITCHDEV)[0]).toBe('sriov_numvfs 0');
  });

  it('has a reason for every step', async () => {
    const seen = await situation(
      { mode: 'switchdev', vfs: 2 },
      { flows: { ours: 1, others: 0 }, rateNodes: ['a'], quirks: NEEDS_NO_VFS },
    );
    const verdict = planEswitch(seen, { mode: 'legacy', vfs: 3, encap: false }, false);
    if (verdict.verdict !== 'change') throw new Error(verdict.why);
    for (const step of verdict.steps) expect(step.why, stepText(step)).not.toBe('');
  });
});

describe('what is refused', () => {
  const users = (seen: EswitchSituation) =>
    seen.nic.functions.map(each => ({ key: functionKey(each.ref), who: 'endpoint a1b2' }));

  it('is a change under running containers, unless it is forced', async () => {
    const seen = await situation({ vfs: 1 });
    const busy = { ...seen, users: users(seen) };
    const verdict = planEswitch(busy, SWITCHDEV, false);
    expect(verdict).toMatchObject({
      verdict: 'refused',
      reason: 'in-use',
      why: `in use: ${HANDLE}/c0pf0vf0 (endpoint a1b2); they would lose their traffic`,
    });
    expect(planEswitch(busy, SWITCHDEV, true)).toMatchObject({ verdict: 'change', disturbed: busy.users });
    // Nothing happens to them when only encap changes.
    expect(planEswitch(busy, { mode: 'legacy', vfs: null, encap: false }, false)).toMatchObject({
      verdict: 'change',
    });
  });

  it.each<[Partial<SimNicSpec>, EswitchWish, RegExp]>([
    [{ devlink: false, driver: 'igb' }, SWITCHDEV, /driver igb has no devlink: .* legacy mode for ever/],
    [{}, { ...LEGACY, vfs: 9 }, /8 VFs at most/],
    [{}, { ...LEGACY, vfs: 1.5 }, /no number/],
    [{ devlink: false }, { ...LEGACY, encap: true }, /no encap mode/],
  ])('is what %o cannot: %o', async (spec, wish, why) => {
    const verdict = planEswitch(await situation(spec), wish, true);
    expect(verdict).toMatchObject({ verdict: 'refused', reason: 'cannot', why: expect.stringMatching(why) });
  });

  it('is a mode that the firmware decides, in the words of the profile', async () => {
    const quirks = new Map([[MODE_QUIRK.byFirmware, 'the flower firmware is switchdev']]);
    expect(planEswitch(await situation({}, { quirks }), SWITCHDEV, true)).toMatchObject({
      why: 'the flower firmware is switchdev',
    });
  });

  it('is nothing when it is so already', async () => {
    expect(planEswitch(await situation({ mode: 'switchdev', vfs: 2 }), SWITCHDEV, false)).toEqual({
      verdict: 'nothing',
      why: 'it is so already: switchdev mode, encap on, 2 VFs',
    });
  });

  it('says what of a known family may come in the way', async () => {
    const quirks = new Map([['mode-needs-no-ipsec', 'not while IPsec is offloaded']]);
    expect(planEswitch(await situation({}, { quirks }), SWITCHDEV, false)).toMatchObject({
      notes: ['not while IPsec is offloaded'],
    });
  });

  it('is no VF change of a NIC without devlink', async () => {
    expect(steps(await situation({ devlink: false }), { ...LEGACY, vfs: 3 })).toEqual(['sriov_numvfs 3']);
  });
});
