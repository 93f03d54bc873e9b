/**
 * Behaviour that every implementation of KernelPort must show for ports that are functions of a NIC: the
 * model, the real kernel with a stand-in for a NIC, and a guest with one. No test runner in here, so
 * that it runs inside a guest as it is.
 */
import assert from 'node:assert/strict';
import { ERRNO } from '../../src/lib/errno.ts';
import { snapshotOf } from '../../src/model/vf-lease.ts';
import {
  assertShown,
  creates,
  deletes,
  eventually,
  functionOf,
  isShown,
  looks,
  marksOn,
  portOf,
  put,
  succeed,
  type VfLab,
  type VfLaw,
  vfExample,
} from './vf-bench.ts';
import { VF_SANDBOX_LAWS } from './vf-sandbox.contract.ts';

const law = (name: string, run: (lab: VfLab) => Promise<void>): VfLaw => ({ name, run });

const MADE: readonly VfLaw[] = [
  law(
    'a function becomes a port: both sides named, addressed and marked, the former name kept',
    async lab => {
      const [ref] = lab.refs;
      const before = await functionOf(lab, ref);
      const net = vfExample(lab);
      await succeed(lab, creates(net.all.values()));
      await assertShown(lab.kernel, net);
      const port = portOf(net);
      const { netdev, representor } = await functionOf(lab, ref);
      assert.deepEqual(
        [representor?.name, representor?.mac, representor?.mtu, representor?.up],
        [port.rep, port.repMac, port.mtu, true],
      );
      assert.deepEqual(
        [netdev?.name, netdev?.mac, netdev?.mtu, netdev?.up],
        [port.fn, port.fnMac, port.mtu, false],
      );
      assert.equal(marksOn(lab, netdev).length, 2);
      assert.ok(representor?.altnames.includes(before.representor?.name ?? ''), 'found by its old name too');
    },
  ),
  law('doing it again changes nothing, and a restarted daemon sees the same', async lab => {
    const net = vfExample(lab);
    await succeed(lab, creates(net.all.values()));
    const before = await functionOf(lab, lab.refs[0]);
    await succeed(lab, creates(net.all.values()));
    assert.deepEqual(await functionOf(lab, lab.refs[0]), before);
    await assertShown(await lab.reopen(), net);
  }),
  law('deleting gives the names back and leaves nothing of ours', async lab => {
    const [ref] = lab.refs;
    const before = await functionOf(lab, ref);
    const net = vfExample(lab);
    await succeed(lab, creates(net.all.values()));
    await succeed(lab, deletes(net.all.values()));
    const after = await functionOf(lab, ref);
    assert.deepEqual(
      [
        after.netdev?.name,
        after.representor?.name,
        marksOn(lab, after.netdev),
        marksOn(lab, after.representor),
      ],
      [before.netdev?.name, before.representor?.name, [], []],
    );
    assert.equal(after.representor?.up, false, 'nothing handles what it would receive');
    const left = [...(await lab.kernel.dump()).resources.values()].filter(r => r.kind !== 'sysctl');
    assert.deepEqual(left, []);
    await succeed(lab, [{ verb: 'delete', resource: portOf(net) }]);
  }),
  law('giving back restores names, MACs, MTUs and up states, and may be done again', async lab => {
    const [ref] = lab.refs;
    const before = await functionOf(lab, ref);
    const net = vfExample(lab);
    await succeed(lab, creates(net.all.values()));
    await succeed(lab, [{ verb: 'delete', resource: portOf(net) }]);
    for (let times = 0; times < 2; times++) {
      assert.deepEqual(await lab.kernel.giveBack(ref, snapshotOf(before)), { errno: 0, extack: '' });
      assert.deepEqual(looks(await functionOf(lab, ref)), looks(before));
    }
  }),
  law('giving back does by itself what a delete would have done', async lab => {
    const [ref] = lab.refs;
    const before = await functionOf(lab, ref);
    await succeed(lab, creates(vfExample(lab).all.values()));
    assert.deepEqual(await lab.kernel.giveBack(ref, snapshotOf(before)), { errno: 0, extack: '' });
    assert.deepEqual(looks(await functionOf(lab, ref)), looks(before));
  }),
  law('a function that is another port by now is left alone by the delete of the first', async lab => {
    const [ref] = lab.refs;
    const net = vfExample(lab);
    await succeed(lab, creates([...net.all.values()].filter(r => r.kind === 'programs')));
    const first = portOf(net);
    const second = { ...portOf(net, 1), vf: ref };
    await succeed(lab, [{ verb: 'create', resource: first }]);
    assert.equal((await lab.kernel.giveBack(ref, null)).errno, 0);
    await succeed(lab, [{ verb: 'create', resource: second }]);
    await succeed(lab, [{ verb: 'delete', resource: first }]);
    assert.equal(await isShown(lab.kernel, second), true);
  }),
  law('a changed MAC, MTU or state of the representor is drift, and put right', async lab => {
    const net = vfExample(lab);
    await succeed(lab, creates(net.all.values()));
    const port = portOf(net);
    await lab.renameLink(port.rep, 'lost0');
    assert.equal(await isShown(lab.kernel, port), false);
    await succeed(lab, [{ verb: 'update', resource: port }]);
    await assertShown(lab.kernel, net);
    await succeed(lab, [{ verb: 'update', resource: { ...port, mtu: 1400 } }]);
    assert.equal(await isShown(lab.kernel, port), false);
    await succeed(lab, [{ verb: 'update', resource: port }]);
    await assertShown(lab.kernel, net);
  }),
];

const REFUSED: readonly VfLaw[] = [
  law('a function that is not there is refused, by its tuple', async lab => {
    const port = portOf(vfExample(lab));
    const ref = { ...lab.refs[0], index: 99 };
    const { errno, extack } = await put(lab, { ...port, vf: ref });
    assert.equal(errno, ERRNO.ENODEV);
    assert.match(extack, /vf99/);
  }),
  law('a function without a driver is refused, and seen as such when it was a port', async lab => {
    const net = vfExample(lab);
    await succeed(lab, creates(net.all.values()));
    const { device, driver } = await functionOf(lab, lab.refs[0]);
    assert.ok(device !== null && driver !== null);
    await lab.nics.apply([{ verb: 'bind-driver', device, driver: null, override: false }]);
    const port = portOf(net);
    assert.equal(await isShown(lab.kernel, port), false);
    const { errno, extack } = await put(lab, port);
    assert.equal(errno, ERRNO.ENODEV);
    assert.match(extack, /driver/);
    await lab.nics.apply([{ verb: 'bind-driver', device, driver, override: false }]);
    await eventually('its netdev', async () => (await functionOf(lab, lab.refs[0])).netdev !== null);
    await succeed(lab, [{ verb: 'update', resource: port }]);
    await assertShown(lab.kernel, net);
  }),
  law(
    "a name of ours that somebody else's link has is refused, and the function left as it was",
    async lab => {
      const [ref] = lab.refs;
      const before = await functionOf(lab, ref);
      const port = portOf(vfExample(lab));
      await lab.addForeignLink(port.rep);
      assert.equal((await put(lab, port)).errno, ERRNO.EEXIST);
      const { netdev, representor } = await functionOf(lab, ref);
      assert.deepEqual(
        [netdev?.name, representor?.name, marksOn(lab, netdev), marksOn(lab, representor)],
        [before.netdev?.name, before.representor?.name, [], []],
      );
    },
  ),
  law('an endpoint goes from a function to a veth pair and back under the same names', async lab => {
    const net = vfExample(lab);
    const before = await functionOf(lab, lab.refs[0]);
    await succeed(lab, creates(net.all.values()));
    const port = portOf(net);
    const pair = { ...port, vf: null };
    await succeed(lab, [{ verb: 'update', resource: pair }]);
    assert.equal(await isShown(lab.kernel, pair), true);
    const between = await functionOf(lab, lab.refs[0]);
    assert.equal(between.representor?.name, before.representor?.name);
    assert.deepEqual(await lab.kernel.giveBack(lab.refs[0], snapshotOf(before)), { errno: 0, extack: '' });
    assert.deepEqual(looks(await functionOf(lab, lab.refs[0])), looks(before));
    await succeed(lab, [{ verb: 'update', resource: port }]);
    assert.equal(await isShown(lab.kernel, port), true);
  }),
];

export const VF_PORT_LAWS: readonly VfLaw[] = [...MADE, ...VF_SANDBOX_LAWS, ...REFUSED];
