import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SimNics } from '../../src/kernel/sim/nics.ts';
import type { DevlinkHandle, Inventory } from '../../src/model/nic.ts';
import { InventoryKeeper } from '../../src/nic/inventory-keeper.ts';

const NIC = 'pci/0000:3b:00.0' as DevlinkHandle;

describe('the inventory keeper', () => {
  let sim: SimNics;
  let keeper: InventoryKeeper;
  let looks: number;

  beforeEach(() => {
    vi.useFakeTimers();
    sim = new SimNics([{ handle: NIC }]);
    looks = 0;
    const inventory = sim.inventory.bind(sim);
    sim.inventory = async () => {
      looks++;
      return inventory();
    };
    keeper = new InventoryKeeper({ settleMs: 100, everyMs: 10_000 });
  });
  afterEach(() => {
    keeper.stop();
    vi.useRealTimers();
  });

  const vfs = (count: number) => sim.apply([{ verb: 'num-vfs', nic: NIC, count }]);

  it('knows nothing before it starts, and says why', async () => {
    expect(keeper.inventory).toEqual({ nics: [] });
    expect(keeper.problem?.message).toBe('the daemon is starting');
    await expect(keeper.refresh()).rejects.toThrow('starting');
    await keeper.start(sim);
    expect(keeper.nic(NIC)?.vfsTotal).toBe(8);
    expect(keeper.problem).toBeNull();
  });

  it('looks once after many events, and tells what changed', async () => {
    const seen: [number, number][] = [];
    const count = ({ nics }: Inventory): number => nics[0]?.functions.length ?? -1;
    await keeper.start(sim);
    keeper.subscribe(({ now, before }) => seen.push([count(before), count(now)]));
    await vfs(2);
    await vfs(0);
    await vfs(3);
    expect(looks).toBe(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(looks).toBe(2);
    expect(seen).toEqual([[0, 3]]);
    // Nothing different: nobody is told.
    sim.settle();
    await vi.advanceTimersByTimeAsync(100);
    expect([looks, seen.length]).toEqual([3, 1]);
  });

  it('follows how full a table is, and tells nobody', async () => {
    sim = new SimNics([{ handle: NIC, resources: [{ name: 'flows', size: 8, occupancy: 0 }] }]);
    await keeper.start(sim);
    let told = 0;
    keeper.subscribe(() => told++);
    sim.setFlows(NIC, 5);
    await keeper.refresh();
    expect([keeper.nic(NIC)?.resources[0]?.occupancy, told]).toEqual([5, 0]);
  });

  it('looks in time even when events never end', async () => {
    await keeper.start(sim);
    for (let at = 0; at < 3000; at += 50) {
      sim.settle();
      await vi.advanceTimersByTimeAsync(50);
    }
    expect(looks).toBeGreaterThan(1);
    expect(looks).toBeLessThan(5);
  });

  it('looks from time to time without any event', async () => {
    await keeper.start(sim);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(looks).toBe(4);
    keeper.stop();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(looks).toBe(4);
  });

  it('gives a caller a look that began after the call', async () => {
    await keeper.start(sim);
    const early = keeper.refresh();
    const [late, shared] = [keeper.refresh(), keeper.refresh()];
    await vfs(1);
    await early;
    expect((await late).nics[0]?.functions).toHaveLength(1);
    expect(await shared).toBe(await late);
    expect(looks).toBe(3);
  });

  it('keeps the last inventory when a look fails', async () => {
    await keeper.start(sim);
    const good = sim.inventory;
    sim.inventory = async () => {
      throw new Error('no memory');
    };
    await expect(keeper.refresh()).rejects.toThrow('no memory');
    expect(keeper.nic(NIC)).toBeDefined();
    expect(keeper.problem?.message).toBe('no memory');
    sim.inventory = good;
    await keeper.refresh();
    expect(keeper.problem).toBeNull();
  });
});
