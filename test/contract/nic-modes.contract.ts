/** The part of the NicPort contract that is about eswitch modes and representors. */
import assert from 'node:assert/strict';
import { find, mode, type NicLab, type NicLaw, numVfs, refused, succeed, vf } from './nic-bench.ts';

const law = (name: string, run: (lab: NicLab) => Promise<void>): NicLaw => ({ name, run });

const encap = (lab: NicLab, on: boolean) => ({ verb: 'eswitch-encap', nic: lab.nic, encap: on }) as const;

export const NIC_MODE_LAWS: readonly NicLaw[] = [
  law('in switchdev mode every VF has a representor, in legacy mode none', async lab => {
    await succeed(lab, numVfs(lab, 3), mode(lab, 'switchdev'), mode(lab, 'switchdev'));
    const nic = await find(lab);
    assert.equal(nic.eswitch?.mode, 'switchdev');
    assert.notEqual(nic.switchId, null);
    assert.equal(nic.uplinks.length, 1);
    assert.equal(nic.functions.length, 3);
    const reps = nic.functions.map(each => each.representor?.ifindex);
    assert.ok(!reps.includes(undefined));
    assert.equal(new Set(reps).size, 3);
    assert.ok(!reps.includes(nic.uplinks[0]?.ifindex));
    assert.ok(nic.functions.every(each => each.netdev && each.hwAddr));
    await succeed(lab, mode(lab, 'legacy'));
    const after = await find(lab);
    assert.ok(after.functions.every(each => each.representor === null && each.vf !== null));
    assert.deepEqual(
      after.functions.map(each => each.ref),
      nic.functions.map(each => each.ref),
    );
  }),
  law('a representor is known by its tuple, whatever it is called', async lab => {
    await succeed(lab, mode(lab, 'switchdev'), numVfs(lab, 2));
    const [first, second] = [(await vf(lab, 0)).representor, (await vf(lab, 1)).representor];
    assert.ok(first && second);
    await lab.renameLink(first.name, 'nicswap');
    await lab.renameLink(second.name, first.name);
    await lab.renameLink('nicswap', second.name);
    assert.deepEqual(
      [(await vf(lab, 0)).representor, (await vf(lab, 1)).representor].map(rep => [rep?.ifindex, rep?.name]),
      [
        [first.ifindex, second.name],
        [second.ifindex, first.name],
      ],
    );
  }),
  law('two NICs with VFs of the same number are kept apart', async lab => {
    const there = { ...lab, nic: lab.other };
    await succeed(lab, mode(lab, 'switchdev'), numVfs(lab, 2));
    await succeed(there, mode(there, 'switchdev'), numVfs(there, 2));
    const reps = [await vf(lab, 0), await vf(there, 0)].map(each => each.representor?.ifindex);
    assert.equal(new Set(reps).size, 2);
    const [here, beyond] = [await find(lab), await find(lab, lab.other)];
    assert.notEqual(here.switchId, beyond.switchId);
    assert.notEqual(here.uplinks[0]?.ifindex, beyond.uplinks[0]?.ifindex);
  }),
  law('a NIC that takes no switchdev mode while VFs exist says so', async lab => {
    await lab.setQuirks({ switchdevNeedsNoVfs: true });
    await succeed(lab, numVfs(lab, 2));
    assert.notEqual((await refused(lab, mode(lab, 'switchdev'))).extack, '');
    assert.equal((await find(lab)).eswitch?.mode, 'legacy');
    await succeed(lab, numVfs(lab, 0), mode(lab, 'switchdev'), numVfs(lab, 2));
    assert.ok((await find(lab)).functions.every(each => each.representor !== null));
  }),
  law('rate nodes are counted, stand in the way of a mode change and can be deleted', async lab => {
    await succeed(lab, mode(lab, 'switchdev'), numVfs(lab, 1));
    await lab.addRateNode('nodea');
    await lab.addRateNode('nodeb');
    assert.deepEqual([...(await lab.port.rateNodes(lab.nic))].sort(), ['nodea', 'nodeb']);
    assert.ok((await find(lab)).rateNodes >= 2);
    assert.match((await refused(lab, mode(lab, 'legacy'))).extack, /[Rr]ate/);
    for (const node of ['nodea', 'nodeb'])
      await succeed(lab, { verb: 'rate-node-delete', nic: lab.nic, node });
    await succeed(lab, mode(lab, 'legacy'));
    assert.deepEqual(await lab.port.rateNodes(lab.nic), []);
  }),
  law('a NIC that takes no other encap mode while flows exist says so', async lab => {
    await lab.setQuirks({ encapNeedsNoFlows: true });
    await succeed(lab, mode(lab, 'switchdev'), numVfs(lab, 2));
    const before = (await find(lab)).eswitch?.encap;
    assert.notEqual(before, null);
    await lab.addFlow();
    assert.notEqual((await refused(lab, encap(lab, !before))).extack, '');
    await lab.removeFlows();
    await succeed(lab, encap(lab, !before));
    assert.equal((await find(lab)).eswitch?.encap, !before);
    await succeed(lab, encap(lab, before === true));
  }),
];
