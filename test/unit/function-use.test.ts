import { describe, expect, it } from 'vitest';
import { SimNics } from '../../src/kernel/sim/nics.ts';
import type { EndpointId } from '../../src/lib/brand.ts';
import { functionUses, type LedgerRow } from '../../src/model/function-use.ts';
import { type DeviceName, type DevlinkHandle, functionKey } from '../../src/model/nic.ts';

const HANDLE = 'pci/0000:3b:00.0' as DevlinkHandle;
const ID = 'a1' as EndpointId;

describe('uses of functions', () => {
  it('come from endpoints, the ledger and what is seen', async () => {
    const sim = new SimNics([{ handle: HANDLE, mode: 'switchdev', vfs: 6 }]);
    const ref = (index: number) => sim.nic(HANDLE).ref(index);
    const device = (index: number) => sim.nic(HANDLE).vfs[index]?.device as DeviceName;
    const row = (index: number, state: LedgerRow['state'], fault: string | null): LedgerRow => ({
      ...{ ref: ref(index), state, endpoint: null, fault },
    });
    sim.moveToSandbox(device(3), '/run/netns/x', 'net0');
    await sim.apply([{ verb: 'bind-driver', device: device(4), driver: 'vfio-pci', override: true }]);
    const { nics } = await sim.inventory();
    const uses = functionUses(nics, {
      endpoints: [{ id: ID, vf: ref(0) }],
      ledger: [row(1, 'cooling', null), row(2, 'broken', 'reset: EIO')],
    });
    expect([...Array(6).keys()].map(index => uses.get(functionKey(ref(index))))).toEqual([
      { state: 'used', endpoint: ID, why: '' },
      { state: 'cooling', endpoint: null, why: 'given back, being restored' },
      { state: 'broken', endpoint: null, why: 'could not be restored: reset: EIO' },
      { state: 'foreign', endpoint: null, why: 'its netdev is in another network namespace' },
      { state: 'foreign', endpoint: null, why: 'driver vfio-pci has it' },
      { state: 'free', endpoint: null, why: '' },
    ]);
  });

  it('are broken without a representor in switchdev mode', async () => {
    const { nics } = await new SimNics([{ handle: HANDLE, mode: 'switchdev', vfs: 1 }]).inventory();
    const bare = nics.map(nic => ({
      ...nic,
      functions: nic.functions.map(f => ({ ...f, representor: null })),
    }));
    expect([...functionUses(bare, { endpoints: [], ledger: [] }).values()][0]?.state).toBe('broken');
  });
});
