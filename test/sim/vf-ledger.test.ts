/** Functions of a NIC over the life of endpoints: handed out, given back, lost and found. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { altname, formerMark, formerName, portNames } from '../../src/ir/names.ts';
import { SimCrash } from '../../src/kernel/sim/kernel.ts';
import { EswError } from '../../src/lib/errors.ts';
import { functionKey, type NicFunction } from '../../src/model/nic.ts';
import { CONTEXT } from './sim-harness.ts';
import { idOf, NIC, VfHost } from './vf-host.ts';

const hosts: VfHost[] = [];
const open = async (...given: ConstructorParameters<typeof VfHost>): Promise<VfHost> => {
  const host = new VfHost(...given);
  hosts.push(host);
  await host.start();
  return host;
};

afterEach(async () => {
  for (const host of hosts.splice(0)) await host.stop();
});

const rows = (host: VfHost) =>
  host.store.vfs().map(({ ref, endpoint, state }) => [ref.index, endpoint, state]);
const names = ({ netdev, representor }: NicFunction) => {
  return [netdev?.name, netdev?.altnames, representor?.name, representor?.altnames];
};
const looks = ({ ref, netdev, representor, hwAddr }: NicFunction) => {
  const of = (link: NicFunction['netdev']) => link && [link.name, link.mac, link.mtu, link.up, link.altnames];
  return [functionKey(ref), of(netdev), of(representor), hwAddr];
};

describe('an endpoint on a NIC in switchdev mode', () => {
  it('gets a function, and gives it back as it was', async () => {
    const host = await open();
    const before = (await host.functions()).map(looks);
    const made = await host.create(1);
    expect([made.vf?.index, made.fallback]).toEqual([0, null]);
    expect(rows(host)).toEqual([[0, idOf(1), 'used']]);
    const { rep } = portNames(CONTEXT.identity, idOf(1));
    expect((await host.functions())[0]?.representor?.name).toBe(rep);
    host.run(1);
    host.end(1, true);
    host.delete(1);
    expect(rows(host)).toEqual([[0, null, 'cooling']]);
    await host.settle();
    expect(rows(host)).toEqual([]);
    expect((await host.functions()).map(looks)).toEqual(before);
    expect(host.nics.nic(NIC).vfs[0]?.resets).toBe(1);
    expect(host.wrongResets).toEqual([]);
  });

  it('goes on with a veth pair when there is no function left, and says why', async () => {
    const host = await open();
    for (const n of [1, 2, 3]) expect((await host.create(n)).vf).not.toBeNull();
    const fourth = await host.create(4);
    expect(fourth.vf).toBeNull();
    expect(fourth.fallback).toBe('pci/0000:3b:00.0: no free function: 3 in use');
    host.delete(1);
    expect((await host.create(5)).fallback).toBe(
      'pci/0000:3b:00.0: no free function: 2 in use, 1 being reset',
    );
    await host.settle();
    expect((await host.create(6)).vf?.index).toBe(0);
  });

  it('is refused when it requires hardware and there is none left', async () => {
    const host = await open({ vfs: 1 }, { require: 'hw' });
    await host.create(1);
    const refusal = await host.create(2).catch(error => error);
    expect(refusal).toBeInstanceOf(EswError);
    expect([refusal.code, refusal.message]).toEqual([
      'ESW_ERR_DATAPATH_UNAVAILABLE',
      expect.stringContaining('no free function: 1 in use'),
    ]);
    expect([host.endpoint(2), rows(host)]).toEqual([null, [[0, idOf(1), 'used']]]);
  });

  it('takes the function that was idle longest', async () => {
    const host = await open();
    await host.create(1);
    host.delete(1);
    await host.settle();
    expect((await host.create(2)).vf?.index).toBe(1);
  });

  it('leaves functions alone that somebody uses', async () => {
    const host = await open();
    const [first, second] = await host.functions();
    host.state.links.get(first?.netdev?.ifindex ?? 0)?.addresses.add('192.0.2.1/24' as never);
    const device = second?.device ?? null;
    if (device === null) throw new Error('no device');
    await host.nics.apply([{ verb: 'bind-driver', device, driver: 'vfio-pci', override: true }]);
    expect((await host.create(1)).vf?.index).toBe(2);
    expect((await host.create(2)).fallback).toMatch(
      /1 in use, .*vf0 has address 192.0.2.1\/24, .*vf1 has no netdev/,
    );
  });

  it('goes on with a veth pair when the kernel refuses the function', async () => {
    const host = await open();
    const before = (await host.functions()).map(looks);
    host.nics.failNext('function-mac', 5, '');
    host.outside.addForeignLink(portNames(CONTEXT.identity, idOf(1)).fn);
    await host.create(1).catch(() => null);
    expect(host.endpoint(1)).toBeNull();
    await host.settle();
    expect((await host.functions()).map(looks)).toEqual(before);
  });

  it('is reported with the cause when its function goes, and repaired when it comes back', async () => {
    const host = await open();
    await host.create(1);
    host.run(1);
    await host.settle();
    const [{ device, driver } = { device: null, driver: null }] = await host.functions();
    if (device === null || driver === null) throw new Error('no device');
    await host.nics.apply([{ verb: 'bind-driver', device, driver: null, override: false }]);
    await host.daemon.reconciler.resync('nic').catch(() => {});
    expect(host.daemon.reconciler.status().failures.map(each => each.extack)).toEqual([
      expect.stringContaining('it has no driver'),
    ]);
    await host.nics.apply([{ verb: 'bind-driver', device, driver, override: false }]);
    await host.daemon.reconciler.resync('nic');
    expect(host.daemon.reconciler.status().failures).toEqual([]);
  });

  it('outlives a reset of the NIC that disables its VFs', async () => {
    const host = await open();
    await host.create(1);
    await host.create(2);
    host.nics.vanish(NIC);
    host.delete(2);
    await host.daemon.reconciler.resync('nic').catch(() => {});
    expect(host.daemon.reconciler.status().failures.length).toBeGreaterThan(0);
    host.nics.comeBack(NIC, { mode: 'switchdev', vfs: 3 });
    await host.settle();
    expect(host.daemon.reconciler.status().failures).toEqual([]);
    expect(rows(host)).toEqual([[0, idOf(1), 'used']]);
  });
});

describe('the keeper', () => {
  it('marks a function broken that cannot be given back, and tries again after a restart', async () => {
    const host = await open();
    await host.create(1);
    host.delete(1);
    host.nics.failNext('function-reset', 5, 'the device does not answer', 7);
    await host.settle();
    const [row] = host.store.vfs();
    expect([row?.state, row?.fault]).toEqual(['broken', 'its reset: EIO (the device does not answer)']);
    expect((await host.create(2)).vf?.index).toBe(1);
    expect((await host.create(3)).vf?.index).toBe(2);
    expect((await host.create(4)).fallback).toContain(
      'vf0 is broken (its reset: EIO (the device does not answer))',
    );
    await host.restart();
    await host.settle();
    expect(rows(host).map(([index]) => index)).not.toContain(0);
  });

  it('gives back what a daemon without its store left behind', async () => {
    const host = await open();
    const before = (await host.functions()).map(each => names(each));
    await host.create(1);
    host.run(1);
    await host.loseStore();
    await host.settle();
    expect((await host.functions()).map(each => names(each))).toEqual(before);
    expect([rows(host), host.nics.nic(NIC).vfs[0]?.resets]).toEqual([[], 0]);
  });

  it('finds a function that only its own mark tells of', async () => {
    const host = await open();
    const before = (await host.functions()).map(each => names(each));
    const [first] = await host.functions();
    const link = host.state.links.get(first?.netdev?.ifindex ?? 0);
    link?.altnames.add(formerMark(CONTEXT.identity, 'eth9'));
    link?.altnames.add(altname(CONTEXT.identity, portNames(CONTEXT.identity, idOf(1)).fn));
    expect((await host.create(2)).vf?.index).toBe(1);
    await host.settle();
    expect(rows(host)).toEqual([[1, idOf(2), 'used']]);
    const after = await host.functions();
    expect(names(after[0] as NicFunction)).toEqual(['eth9', [], ...(before[0]?.slice(2) ?? [])]);
    expect(host.nics.nic(NIC).vfs[0]?.resets).toBe(1);
  });
});

type Step = readonly ['create' | 'delete' | 'run' | 'end' | 'kill' | 'settle' | 'restart' | 'bind', number];

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.tuple(
    fc.constantFrom<Step[0][]>(
      'create',
      'create',
      'delete',
      'run',
      'end',
      'kill',
      'settle',
      'restart',
      'bind',
    ),
    fc.integer({ min: 1, max: 5 }),
  ),
  { maxLength: 14 },
);

describe('laws of the ledger', () => {
  it('whatever happens and wherever the daemon dies, it becomes exact and nothing is leaked', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 60 }), async (sequence, fuse) => {
        const host = await open();
        const seen: (each: NicFunction) => unknown = sequence.some(([verb]) => verb === 'bind')
          ? unnamed
          : looks;
        const before = (await host.functions()).map(seen);
        host.fuse = fuse;
        for (const step of sequence) await dying(host, step);
        await host.restart();
        await host.settle();
        await expectExact(host, before, seen);
        for (let n = 1; n <= 5; n++) {
          host.end(n, n % 2 === 0);
          host.delete(n);
        }
        await host.settle();
        expect(host.store.vfs()).toEqual([]);
        expect((await host.functions()).map(seen)).toEqual(before);
        expect(host.wrongResets).toEqual([]);
        await host.stop();
      }),
      { numRuns: 120 },
    );
  });
});

/** Names that a driver gave anew are those that were free then. */
const unnamed = (each: NicFunction) => {
  const { netdev, representor } = each;
  return [netdev?.mac, netdev?.mtu, netdev?.up, netdev?.altnames, representor?.name, representor?.mac];
};

/** A step that ends in the death of the daemon is followed by the next daemon. */
async function dying(host: VfHost, [verb, n]: Step): Promise<void> {
  try {
    if (verb === 'create') await host.create(n);
    else if (verb === 'delete') host.delete(n);
    else if (verb === 'run') host.run(n);
    else if (verb === 'end') host.end(n, true);
    else if (verb === 'kill') host.end(n, false);
    else if (verb === 'settle') await host.settle();
    else if (verb === 'bind') await rebind(host, n % 3);
    else await host.restart();
  } catch (error) {
    if (!(error instanceof SimCrash) && !(error instanceof EswError)) throw error;
    await host.restart();
  }
}

async function rebind(host: VfHost, index: number): Promise<void> {
  const { device, driver } = (await host.functions())[index] ?? { device: null, driver: null };
  if (device === null) return;
  await host.nics.apply([
    { verb: 'bind-driver', device, driver: null, override: false },
    { verb: 'bind-driver', device, driver, override: false },
  ]);
}

async function expectExact(
  host: VfHost,
  before: unknown[],
  seen: (each: NicFunction) => unknown,
): Promise<void> {
  const endpoints = [...host.store.intent().endpoints.values()];
  const used = endpoints.flatMap(({ id, vf }) => (vf === null ? [] : [[vf.index, id, 'used']]));
  expect(rows(host).sort()).toEqual(used.sort());
  expect(host.daemon.reconciler.status().failures).toEqual([]);
  for (const each of await host.functions()) {
    const { index } = each.ref;
    const holder = endpoints.find(({ vf }) => vf?.index === index);
    if (holder === undefined) {
      expect(seen(each)).toEqual(before[index]);
      continue;
    }
    expect(each.representor?.name).toBe(portNames(CONTEXT.identity, holder.id).rep);
    expect(formerName(CONTEXT.identity, each.representor?.altnames ?? [])).not.toBeNull();
  }
}
