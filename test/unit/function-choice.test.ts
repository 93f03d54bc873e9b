import { describe, expect, it } from 'vitest';
import { type SimNicSpec, SimNics } from '../../src/kernel/sim/nics.ts';
import { SimState } from '../../src/kernel/sim/state.ts';
import type { Cidr, EndpointId, Ifindex } from '../../src/lib/brand.ts';
import { type DevlinkHandle, type FunctionKey, functionKey, type NicFunction } from '../../src/model/nic.ts';
import { type LeaseState, snapshotOf, type VfLease } from '../../src/model/vf-lease.ts';
import { chooseFunction, type FunctionView, isNamed } from '../../src/place/function-choice.ts';

const IDENTITY = { instance: 'eswitchd', linkPrefix: 'ew' };
const A = 'pci/0000:3b:00.0';
const B = 'pci/0000:5e:00.0';
const NIC: SimNicSpec = { handle: A, uplink: 'up0', mode: 'switchdev', vfs: 3 };

async function lab(...specs: readonly SimNicSpec[]) {
  const state = new SimState();
  const nics = new SimNics(specs, state);
  const inventory = await nics.inventory();
  const view: FunctionView = { inventory, addresses: new Map(), lastUsed: new Map() };
  return { state, nics, view, functions: inventory.nics.flatMap(nic => nic.functions) };
}

const rowsOf = (list: readonly (readonly [NicFunction | undefined, LeaseState])[]) => {
  const rows = new Map<FunctionKey, VfLease>();
  for (const [each, state] of list) {
    if (each === undefined) continue;
    const endpoint = state === 'used' ? ('e' as EndpointId) : null;
    const fault = state === 'broken' ? 'EIO' : null;
    rows.set(functionKey(each.ref), {
      ...{ ref: each.ref, endpoint, state, sinceMs: 0 },
      ...{ snapshot: snapshotOf(each), fault },
    });
  }
  return rows;
};

const choose = (
  view: FunctionView,
  rows: ReadonlyMap<FunctionKey, VfLease> = new Map(),
  nic: string | null = null,
  near: readonly (readonly [string, number])[] = [],
): string => {
  const counts = new Map(near.map(([handle, count]) => [handle as DevlinkHandle, count]));
  const wish = { mode: 'switchdev', nic, near: counts } as const;
  const choice = chooseFunction(IDENTITY, view, key => rows.get(key) ?? null, wish);
  return choice.verdict === 'chosen' ? functionKey(choice.function.ref) : choice.why;
};

describe('a function for a new endpoint', () => {
  it('is a free one, the first at first', async () => {
    const { view, functions } = await lab(NIC);
    expect(choose(view)).toBe(`${A}/c0pf0vf0`);
    expect(choose(view, rowsOf([[functions[0], 'used']]))).toBe(`${A}/c0pf0vf1`);
  });

  it('is the one that was idle longest', async () => {
    const { view, functions } = await lab(NIC);
    const keys = functions.map(each => functionKey(each.ref));
    const lastUsed = new Map([
      [keys[0] as FunctionKey, 30],
      [keys[1] as FunctionKey, 10],
      [keys[2] as FunctionKey, 20],
    ]);
    expect(choose({ ...view, lastUsed })).toBe(keys[1]);
  });

  it('is on the NIC that the network uses already, else on the emptiest', async () => {
    const { view } = await lab({ ...NIC, vfs: 2 }, { ...NIC, handle: B, uplink: 'up1', vfs: 4 });
    expect(choose(view)).toBe(`${B}/c0pf0vf0`);
    expect(choose(view, new Map(), null, [[A, 1]])).toBe(`${A}/c0pf0vf0`);
  });

  it('is on the NIC that was asked for, by whatever name', async () => {
    const { view } = await lab(NIC, { ...NIC, handle: B, uplink: 'up1', vfs: 4 });
    for (const name of [A, '0000:3b:00.0', 'up0'])
      expect(choose(view, new Map(), name)).toBe(`${A}/c0pf0vf0`);
    expect(choose(view, new Map(), 'eth9')).toBe(`no NIC eth9; there are ${A} (up0), ${B} (up1)`);
    const [nic] = view.inventory.nics;
    expect(nic !== undefined && isNamed(nic, 'up1')).toBe(false);
  });

  it('is none of a NIC that offloads nothing', async () => {
    const { view } = await lab({ ...NIC, mode: 'legacy' });
    expect(choose(view)).toBe(`${A}: it is in legacy mode`);
    expect(choose((await lab()).view)).toBe('this host has no NIC');
  });

  it('is none that is taken, and the reasons are told', async () => {
    const { view, functions } = await lab({ ...NIC, vfs: 4, vfsTotal: 8 });
    const rows = rowsOf([
      [functions[0], 'used'],
      [functions[1], 'used'],
      [functions[2], 'cooling'],
      [functions[3], 'broken'],
    ]);
    expect(choose(view, rows)).toBe(
      `${A}: no free function: 2 in use, 1 being reset, ${A}/c0pf0vf3 is broken (EIO)`,
    );
  });

  it('is none that somebody else uses', async () => {
    const { state, nics, functions } = await lab({ ...NIC, vfs: 5 });
    const link = (each: NicFunction | undefined) => state.links.get(each?.netdev?.ifindex ?? 0);
    link(functions[0])?.altnames.add('other.ewf0123456789');
    link(functions[1])?.altnames.add('eswitchd~eth7');
    const device = functions[2]?.device;
    if (device == null) throw new Error('no device');
    await nics.apply([{ verb: 'bind-driver', device, driver: null, override: false }]);
    nics.moveToSandbox(functions[3]?.device ?? device, '/run/netns/x', 'eth0');
    const inventory = await nics.inventory();
    const addresses = new Map([[functions[4]?.netdev?.ifindex as Ifindex, ['192.0.2.1/24' as Cidr]]]);
    expect(choose({ inventory, addresses, lastUsed: new Map() })).toBe(
      [
        `${A}: no free function: ${A}/c0pf0vf0 belongs to other`,
        `${A}/c0pf0vf1 is being given back`,
        `${A}/c0pf0vf2 has no driver`,
        'and 2 more',
      ].join(', '),
    );
  });
});
