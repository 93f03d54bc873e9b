/** A host with three NICs, and control of them, for the tests of what operators see. */
import { createNicControl, type NicKernel } from '../../src/daemon/nic-part.ts';
import { SimNics } from '../../src/kernel/sim/nics.ts';
import { EswError } from '../../src/lib/errors.ts';
import type { LedgerRow } from '../../src/model/function-use.ts';
import type { Intent } from '../../src/model/intent.ts';
import type { DeviceName, DevlinkHandle } from '../../src/model/nic.ts';
import type { NicControl } from '../../src/model/nic-control.ts';
import type { NicProfile } from '../../src/model/nic-profile.ts';
import { InventoryKeeper } from '../../src/nic/inventory-keeper.ts';
import { ALPHA, INTENT } from './observe-fixture.ts';

export const SMART = 'pci/0000:3b:00.0' as DevlinkHandle;
export const PLAIN_NIC = 'pci/0000:01:00.0' as DevlinkHandle;

export interface NicHost {
  readonly sim: SimNics;
  readonly control: NicControl;
  readonly intent: Intent;
  readonly paused: string[];
}

/** SMART offloads and has a VF of ALPHA, one that cools down, one that is broken and one of a machine. */
export async function nicHost(): Promise<NicHost> {
  const sim = new SimNics([
    {
      ...{ handle: SMART, uplink: 'enp59s0f0np0', mode: 'switchdev', vfs: 5 },
      resources: [{ name: 'flows', size: 65_536, occupancy: 0 }],
    },
    { handle: 'pci/0000:3b:00.1', pf: 1, uplink: 'enp59s0f1np1' },
    {
      handle: PLAIN_NIC,
      devlink: false,
      driver: 'igb',
      vfDriver: 'igbvf',
      uplink: 'eno1',
      vfs: 2,
      vfsTotal: 7,
    },
  ]);
  const { vfs } = sim.nic(SMART);
  sim.moveToSandbox(vfs[0]?.device as DeviceName, '/run/docker/netns/aaaaaaaaaaaa', 'eth0');
  await sim.apply([
    { verb: 'bind-driver', device: vfs[3]?.device as DeviceName, driver: 'vfio-pci', override: true },
  ]);
  const ref = (index: number) => sim.nic(SMART).ref(index);
  const ledger: LedgerRow[] = [
    { ref: ref(1), state: 'cooling', endpoint: null, fault: null },
    { ref: ref(2), state: 'broken', endpoint: null, fault: 'reset: Inappropriate ioctl for device' },
  ];
  const alpha = INTENT.endpoints.get(ALPHA);
  if (alpha === undefined) throw new EswError('ESW_ERR_INTERNAL', 'the fixture has ALPHA');
  const intent: Intent = {
    ...INTENT,
    endpoints: new Map([...INTENT.endpoints, [ALPHA, { ...alpha, vf: ref(0) }]]),
  };
  const keeper = new InventoryKeeper();
  await keeper.start(sim);
  keeper.stop = () => undefined;
  const paused: string[] = [];
  const kernel: NicKernel = {
    nics: sim,
    flows: {
      put: async () => [],
      delete: async () => [],
      read: async () => [],
      dump: async () => ({ count: 0 }) as never,
    },
    engine: {
      pause: async (nic, why, clear) => void paused.push(`${nic}: ${why}${clear ? ', cleared' : ''}`),
      resume: nic => void paused.push(`${nic}: resumed`),
    },
  };
  const profile = { id: 'mlx5', title: 'NVIDIA ConnectX-6 and later (mlx5_core)', quirks: [] };
  const control = createNicControl({
    keeper,
    knowledge: { profileOf: () => profile as unknown as NicProfile },
    intent: () => intent,
    ledger: () => ledger,
    kernel: () => kernel,
  });
  return { sim, control, intent, paused };
}
