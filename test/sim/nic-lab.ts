/** The NicPort contract's laboratory over the model. */
import { SimNics } from '../../src/kernel/sim/nics.ts';
import type { DevlinkHandle } from '../../src/model/nic.ts';
import type { LabQuirks, NicLab } from '../contract/nic-bench.ts';

const NIC = 'pci/0000:3b:00.0' as DevlinkHandle;
const OTHER = 'pci/0000:3b:00.1' as DevlinkHandle;

/** Two PFs of one device, the trap of peers that look at VF numbers alone. */
function nics(quirks: LabQuirks): SimNics {
  const params = [
    { name: 'enable_sriov', type: 'bool', values: [{ cmode: 'permanent', value: 'false' }] },
  ] as const;
  const shape = { quirks, params };
  return new SimNics([
    { handle: NIC, pf: 0, uplink: 'eth0', ...shape },
    { handle: OTHER, pf: 1, uplink: 'eth1', ...shape },
  ]);
}

export function simNicLab(): NicLab {
  let sim = nics({});
  let sandboxes = 0;
  return {
    get port() {
      return sim;
    },
    nic: NIC,
    other: OTHER,
    param: { name: 'enable_sriov', cmode: 'permanent', value: 'true' },
    firmware: { file: 'fw-2.0.bin', version: 'fw-2.0.bin' },
    setQuirks: async quirks => {
      sim = nics(quirks);
    },
    makeSandbox: async () => `/run/netns/sim${++sandboxes}`,
    moveToSandbox: async (device, netns, ifname) => sim.moveToSandbox(device, netns, ifname),
    endSandbox: async netns => sim.endNamespace(netns),
    renameLink: async (from, to) => sim.renameLink(from, to),
    addRateNode: async name => sim.addRateNode(NIC, name),
    addFlow: async () => sim.setFlows(NIC, 1),
    removeFlows: async () => sim.setFlows(NIC, 0),
  };
}
