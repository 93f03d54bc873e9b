/** The laboratory of NIC functions as ports over the models of kernel and NICs. */
import { SimKernel } from '../../src/kernel/sim/kernel.ts';
import { SimNics } from '../../src/kernel/sim/nics.ts';
import { Outside } from '../../src/kernel/sim/outside.ts';
import { SimState } from '../../src/kernel/sim/state.ts';
import { type DeviceName, parseFunctionKey } from '../../src/model/nic.ts';
import type { VfLab } from '../contract/vf-bench.ts';
import { CONTEXT } from './sim-harness.ts';

const NIC = 'pci/0000:3b:00.0';

export function simVfLab(): VfLab {
  const state = new SimState();
  const nics = new SimNics([{ handle: NIC, uplink: 'up0', mode: 'switchdev', vfs: 4 }], state);
  const outside = new Outside(state);
  const open = (): SimKernel => new SimKernel(CONTEXT.identity, { state, nics });
  const [a, b] = [0, 2].map(index => parseFunctionKey(`${NIC}/c0pf0vf${index}`));
  if (a === undefined || a === null || b === undefined || b === null) throw new Error('no such tuple');
  let sandboxes = 0;
  return {
    ...{ kernel: open(), context: CONTEXT, nics, refs: [a, b] },
    reopen: async () => open(),
    makeSandbox: async () => {
      const path = `/run/docker/netns/vf${++sandboxes}`;
      outside.makeSandbox(path);
      return path;
    },
    moveToSandbox: async (fn, netns, ifname) => outside.moveToSandbox(fn, netns, ifname),
    returnFromSandbox: async (netns, ifname, fn) => outside.returnFromSandbox(netns, ifname, fn),
    endSandbox: async netns => outside.destroySandbox(netns),
    inSandbox: (netns, ref) => nics.functionIn(netns, nics.find(ref)?.device ?? ('' as DeviceName)),
    renameLink: async (from, to) => nics.renameLink(from, to),
    addForeignLink: async name => void outside.addForeignLink(name),
  };
}
