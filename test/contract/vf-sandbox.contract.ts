/** The part of the contract of NIC functions as ports that is about where the function side is. */
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
  portOf,
  put,
  succeed,
  type VfLab,
  type VfLaw,
  vfExample,
} from './vf-bench.ts';

const law = (name: string, run: (lab: VfLab) => Promise<void>): VfLaw => ({ name, run });

/** An endpoint whose place in `netns` is known, as after Join. */
const placed = (lab: VfLab, netns: string) => vfExample(lab, { sandbox: { key: netns, ifname: 'eth0' } });

export const VF_SANDBOX_LAWS: readonly VfLaw[] = [
  law('a function side that an engine took, renamed and gave back is no difference', async lab => {
    const net = vfExample(lab);
    await succeed(lab, creates(net.all.values()));
    const { rep, fn } = portOf(net);
    const netns = await lab.makeSandbox();
    await lab.moveToSandbox(fn, netns, 'eth0');
    await assertShown(lab.kernel, net);
    assert.equal(await lab.kernel.sandboxIfname(netns, rep), 'eth0');
    await succeed(lab, [{ verb: 'update', resource: portOf(net) }]);
    assert.equal(await lab.inSandbox(netns, lab.refs[0]), 'eth0');
    await lab.returnFromSandbox(netns, 'eth0', fn);
    await assertShown(lab.kernel, net);
    assert.equal(await lab.kernel.sandboxIfname(netns, rep), null);
  }),
  law('a delete takes the function out of a live sandbox', async lab => {
    const before = await functionOf(lab, lab.refs[0]);
    const net = vfExample(lab);
    await succeed(lab, creates(net.all.values()));
    const netns = await lab.makeSandbox();
    await lab.moveToSandbox(portOf(net).fn, netns, 'eth0');
    await succeed(lab, deletes(placed(lab, netns).all.values()));
    assert.equal(await lab.inSandbox(netns, lab.refs[0]), null);
    assert.deepEqual(await lab.kernel.giveBack(lab.refs[0], snapshotOf(before)), { errno: 0, extack: '' });
    assert.deepEqual(looks(await functionOf(lab, lab.refs[0])), looks(before));
  }),
  law('a function that came back under another name when its sandbox ended is put right', async lab => {
    const net = vfExample(lab);
    await succeed(lab, creates(net.all.values()));
    const port = portOf(net);
    const netns = await lab.makeSandbox();
    await lab.moveToSandbox(port.fn, netns, 'lo7');
    await lab.endSandbox(netns);
    await eventually('its return', async () => (await functionOf(lab, lab.refs[0])).netdev !== null);
    assert.equal(await isShown(lab.kernel, port), false);
    const gone = portOf(placed(lab, netns));
    await succeed(lab, [{ verb: 'update', resource: gone }]);
    const { netdev } = await functionOf(lab, lab.refs[0]);
    assert.deepEqual([netdev?.name, netdev?.mac, netdev?.up], [port.fn, port.fnMac, false]);
    assert.equal(await isShown(lab.kernel, port), true);
  }),
  law('a function that came back when its sandbox ended is given back as it was', async lab => {
    const before = await functionOf(lab, lab.refs[0]);
    const net = vfExample(lab);
    await succeed(lab, creates(net.all.values()));
    const netns = await lab.makeSandbox();
    await lab.moveToSandbox(portOf(net).fn, netns, 'eth0');
    await lab.endSandbox(netns);
    await eventually('its return', async () => (await functionOf(lab, lab.refs[0])).netdev !== null);
    await succeed(lab, [{ verb: 'delete', resource: portOf(net) }]);
    assert.deepEqual(await lab.kernel.giveBack(lab.refs[0], snapshotOf(before)), { errno: 0, extack: '' });
    assert.deepEqual(looks(await functionOf(lab, lab.refs[0])), looks(before));
  }),
  law('a function whose driver was bound again goes back into the sandbox, configured', async lab => {
    const netns = await lab.makeSandbox();
    const first = vfExample(lab);
    await succeed(lab, creates(first.all.values()));
    await lab.moveToSandbox(portOf(first).fn, netns, 'eth0');
    const { device, driver } = await functionOf(lab, lab.refs[0]);
    assert.ok(device !== null && driver !== null);
    const port = portOf(placed(lab, netns));
    await lab.nics.apply([{ verb: 'bind-driver', device, driver: null, override: false }]);
    assert.equal(await isShown(lab.kernel, port), false);
    assert.equal((await put(lab, port)).errno, ERRNO.ENODEV);
    await lab.nics.apply([{ verb: 'bind-driver', device, driver, override: false }]);
    await eventually('its new netdev', async () => (await functionOf(lab, lab.refs[0])).netdev !== null);
    await succeed(lab, [{ verb: 'update', resource: port }]);
    assert.equal(await lab.inSandbox(netns, lab.refs[0]), 'eth0');
    assert.equal(await isShown(lab.kernel, port), true);
  }),
];
