/** The model of flower keeps the contract, and does what tests of the offload need of it. */
import { describe, expect, it } from 'vitest';
import type { FlowRule } from '../../src/ir/flow.ts';
import { FLOW_FLAG } from '../../src/kernel/flow-port.ts';
import { SimFlows } from '../../src/kernel/sim/flows.ts';
import { ERRNO } from '../../src/lib/errno.ts';
import { flowPortContract } from './flow-port.contract.ts';
import { macRule } from './flow-rules.ts';

flowPortContract('model', async () => {
  const flows = new SimFlows();
  flows.addLink('ewa0', 'plain');
  flows.addLink('ewb0', 'plain');
  return {
    ...{ flows, a: 'ewa0', b: 'ewb0' },
    addForeign: async rule => flows.addForeign(rule),
    removeLink: async name => flows.removeLink(name),
    cleanup: async () => undefined,
  };
});

describe('the model of a NIC', () => {
  const rule = (handle: number) => ({ ...macRule('rep0', 'rep1', handle), where: 'hw' }) as const;
  const nic = (options: ConstructorParameters<typeof SimFlows>[0]): SimFlows => {
    const flows = new SimFlows(options);
    flows.addLink('rep0', 'representor');
    flows.addLink('rep1', 'representor');
    flows.addLink('vx0', 'vxlan');
    return flows;
  };

  it('fills up, and has room again after a delete', async () => {
    const flows = nic({ capacity: 2 });
    const results = await flows.put([rule(1), rule(2), rule(3), { ...rule(4), where: 'both' }]);
    expect(results.map(({ errno, inHw }) => [errno, inHw])).toEqual([
      [0, true],
      [0, true],
      [ERRNO.ENOSPC, false],
      [0, false],
    ]);
    await flows.delete([rule(1)]);
    expect((await flows.put([rule(3)])).map(({ inHw }) => inHw)).toEqual([true]);
    expect(flows.inHardware).toBe(2);
  });

  it('refuses by shape, with its sentence', async () => {
    const refuse = ({ match }: FlowRule): string | null =>
      match.some(({ field }) => field === 'eth_dst') ? 'eth_dst cannot be matched' : null;
    const [result] = await nic({ refuse }).put([rule(1)]);
    expect(result).toEqual({ errno: ERRNO.EOPNOTSUPP, extack: 'eth_dst cannot be matched', inHw: false });
  });

  it('takes no skip_sw on a vxlan device', async () => {
    const flows = nic({});
    const results = await flows.put([
      { ...rule(1), link: 'vx0' },
      { ...rule(1), link: 'vx0', where: 'both' },
    ]);
    expect(results.map(({ errno, inHw }) => [errno, inHw])).toEqual([
      [ERRNO.EOPNOTSUPP, false],
      [0, true],
    ]);
  });

  it('counts, idles, evicts and fails when told to', async () => {
    const flows = nic({});
    await flows.put([rule(1)]);
    flows.count(rule(1), { hw: [10n, 640n], sw: [1n, 64n] });
    flows.idle(250);
    flows.evict(rule(1));
    const dump = await flows.dump(['rep0'], { idle: true });
    expect([dump.hwPackets[0], dump.hwBytes[0], dump.swPackets[0], dump.idleMs[0]]).toEqual([
      10n,
      640n,
      1n,
      250,
    ]);
    expect((dump.flags[0] ?? 0) & FLOW_FLAG.inHw).toBe(0);
    flows.failNext(ERRNO.ENOMEM, 'no memory');
    const results = await flows.put([rule(2), rule(3)]);
    expect(results.map(({ errno }) => errno)).toEqual([ERRNO.ENOMEM, 0]);
  });
});
