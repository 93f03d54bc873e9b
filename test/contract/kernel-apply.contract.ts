/** Operations: create, update, swap, delete and what they refuse. */
import { describe, expect, it } from 'vitest';
import { fibEntry, port } from '../../src/ir/make.ts';
import type { FibEntry, Port } from '../../src/ir/resource.ts';
import type { Ip, Mac, PortSlot } from '../../src/lib/brand.ts';
import { ERRNO } from '../../src/lib/errno.ts';
import {
  type Bench,
  creates,
  deletes,
  expectShown,
  extra,
  first,
  OK,
  pick,
  succeed,
} from './kernel-bench.ts';
import { example } from './kernel-harness.ts';

export function applyContract(the: Bench): void {
  describe('empty', () => {
    it('shows nothing of ours', async () => {
      const snapshot = await the.kernel.dump();
      expect(extra(snapshot, new Map())).toEqual([]);
      expect([snapshot.foreign, snapshot.homeFunctions.size, snapshot.generation]).toEqual([[], 0, 0]);
      expect(snapshot.hookMode).toBe('none');
    });

    it('answers an empty batch', async () => expect(await the.kernel.apply([])).toEqual([]));

    it('names every probe once, with a reason for each that is not yes', async () => {
      const probes = await the.kernel.probe();
      expect(new Set(probes.map(probe => probe.name)).size).toBe(probes.length);
      for (const probe of probes) if (probe.answer !== 'yes') expect(probe.reason, probe.name).not.toBe('');
      expect(probes.map(probe => probe.name)).toEqual(
        expect.arrayContaining(['tcx', 'veth', 'nf_tables', 'flower']),
      );
    });

    it('deletes what is absent', async () => {
      await succeed(the.kernel, deletes([...the.net.all.values()].filter(r => r.kind !== 'forward-accept')));
    });

    it('refuses entries before the programs, and goes on with the rest of the batch', async () => {
      const gateway = first(pick(the.net.all.values(), 'port').filter(p => p.role === 'gateway'));
      const entry = first(pick(the.net.all.values(), 'net-entry'));
      const [made, refused, again] = await the.kernel.apply([
        { verb: 'create', resource: gateway },
        { verb: 'create', resource: entry },
        { verb: 'create', resource: gateway },
      ]);
      expect([made, again]).toEqual([OK, OK]);
      expect(refused?.errno).toBe(ERRNO.ENOENT);
    });
  });

  describe('create', () => {
    it('shows a whole network as asked, and nothing else', async () => {
      await the.build();
      const snapshot = await the.kernel.dump();
      expectShown(snapshot, the.net.all.values());
      expect(extra(snapshot, the.net.all)).toEqual([]);
      expect(snapshot.hookMode).toMatch(/^(tcx|clsact)$/);
      expect(snapshot.generation).toBeGreaterThan(0);
    });

    it('is idempotent', async () => {
      await the.build();
      const before = await the.kernel.dump();
      await the.build();
      const after = await the.kernel.dump();
      expect([...after.resources.keys()].sort()).toEqual([...before.resources.keys()].sort());
      expectShown(after, the.net.all.values());
    });

    it('leaves both sides at home', async () => {
      await the.build();
      const { homeFunctions } = await the.kernel.dump();
      expect([...homeFunctions].sort()).toEqual([the.net.gateway.fn, ...the.net.ports.map(p => p.fn)].sort());
    });

    it('is seen by another handle on the same kernel', async () => {
      await the.build();
      const snapshot = await (await the.harness.reopen()).dump();
      expectShown(snapshot, the.net.all.values());
      expect(extra(snapshot, the.net.all)).toEqual([]);
    });

    it.each([0, 67, 65536])('refuses MTU %i with words and leaves no half pair', async mtu => {
      const wanted = port({
        ...first(pick(the.net.all.values(), 'port').filter(p => p.role === 'endpoint')),
        mtu,
      });
      const [result] = await the.kernel.apply([{ verb: 'create', resource: wanted }]);
      expect(result?.errno).toBeGreaterThan(0);
      expect(await the.harness.linkExists(wanted.rep)).toBe(false);
      expect(await the.harness.linkExists(wanted.fn)).toBe(false);
    });

    it('refuses a hook, a port entry and a forwarding entry for a link that is not there', async () => {
      await succeed(the.kernel, creates(pick(the.net.all.values(), 'programs')));
      const entries = [...the.net.all.values()].filter(r =>
        ['hook', 'port-entry', 'fib-entry'].includes(r.kind),
      );
      const results = await the.kernel.apply(creates(entries));
      expect(new Set(results.map(result => result.errno))).toEqual(new Set([ERRNO.ENODEV]));
    });

    it('refuses an element before the table', async () => {
      const results = await the.kernel.apply(creates(pick(the.net.all.values(), 'nft-element')));
      for (const result of results) {
        expect(result.errno).toBeGreaterThan(0);
        expect(result.extack).not.toBe('');
      }
    });
  });

  describe('update', () => {
    it('changes MTU and MAC of a port in place', async () => {
      await the.build();
      const old = first(pick(the.net.all.values(), 'port').filter(p => p.role === 'endpoint'));
      const wanted: Port = { ...old, mtu: 1400, repMac: '02:00:00:00:09:09' as Mac };
      await succeed(the.kernel, [{ verb: 'update', resource: wanted }]);
      const snapshot = await the.kernel.dump();
      expectShown(snapshot, [
        wanted,
        ...pick(the.net.all.values(), 'hook'),
        ...pick(the.net.all.values(), 'fib-entry'),
      ]);
    });

    it('changes a forwarding entry', async () => {
      await the.build();
      const old = first(pick(the.net.all.values(), 'fib-entry').filter(entry => entry.delivery === 'peer'));
      const wanted: FibEntry = { ...old, mac: '02:00:00:00:09:0a' as Mac, slot: 7 as PortSlot };
      await succeed(the.kernel, [{ verb: 'update', resource: wanted }]);
      expectShown(await the.kernel.dump(), [wanted]);
    });

    it('changes a port entry and a network entry', async () => {
      await the.build();
      const ports = pick(the.net.all.values(), 'port-entry').map(entry => ({
        ...entry,
        ip4: '10.211.7.99' as Ip,
        trusted: false,
      }));
      const nets = pick(the.net.all.values(), 'net-entry').map(entry => ({ ...entry, internal: true }));
      await succeed(
        the.kernel,
        [...ports, ...nets].map(resource => ({ verb: 'update', resource })),
      );
      expectShown(await the.kernel.dump(), [...ports, ...nets]);
    });

    it('changes the value of a published port', async () => {
      await the.build();
      const old = first(pick(the.net.all.values(), 'nft-element').filter(e => e.set === 'pub4any'));
      const wanted = { ...old, value: '10.211.7.9 . 8080' };
      await succeed(the.kernel, [{ verb: 'update', resource: wanted }]);
      expectShown(await the.kernel.dump(), [wanted]);
    });
  });

  describe('swap', () => {
    it('replaces the whole forwarding table by a new generation', async () => {
      await the.build();
      const before = await the.kernel.dump();
      const kept = pick(the.net.all.values(), 'fib-entry').slice(0, 2);
      await succeed(the.kernel, [{ verb: 'swap-fib', key: 'swap-fib', entries: kept }]);
      const after = await the.kernel.dump();
      expect(after.generation).not.toBe(before.generation);
      expect(
        pick(after.resources.values(), 'fib-entry')
          .map(e => e.key)
          .sort(),
      ).toEqual(kept.map(e => e.key).sort());
      expectShown(after, kept);
    });

    it('changes nothing when one entry names a link that is not there', async () => {
      await the.build();
      const before = await the.kernel.dump();
      const entries = pick(the.net.all.values(), 'fib-entry');
      const stray = fibEntry({ ...first(entries), addr: '10.211.7.200' as Ip, link: 'nosuchlink0' });
      const [result] = await the.kernel.apply([
        { verb: 'swap-fib', key: 'swap-fib', entries: [...entries, stray] },
      ]);
      expect(result?.errno).toBe(ERRNO.ENODEV);
      const after = await the.kernel.dump();
      expect(after.generation).toBe(before.generation);
      expectShown(after, entries);
    });

    it('takes an empty table, and single entries after it', async () => {
      await the.build();
      const entries = pick(the.net.all.values(), 'fib-entry');
      await succeed(the.kernel, [{ verb: 'swap-fib', key: 'swap-fib', entries: [] }]);
      expect(pick((await the.kernel.dump()).resources.values(), 'fib-entry')).toEqual([]);
      await succeed(the.kernel, creates(entries));
      expectShown(await the.kernel.dump(), entries);
    });
  });

  describe('delete', () => {
    it('removes everything, and again without complaint', async () => {
      await the.build();
      await succeed(the.kernel, deletes(the.net.all.values()));
      const snapshot = await the.kernel.dump();
      expect(extra(snapshot, new Map())).toEqual([]);
      await succeed(the.kernel, deletes(the.net.all.values()));
    });

    it('removes one endpoint and leaves the other alone', async () => {
      await the.build();
      const rest = example(the.harness.context, 1).all;
      await succeed(the.kernel, deletes([...the.net.all.values()].filter(r => !rest.has(r.key))));
      const snapshot = await the.kernel.dump();
      expectShown(snapshot, rest.values());
      expect(extra(snapshot, rest)).toEqual([]);
    });

    it('takes a hook away with its port, and gives the next port of that name its own', async () => {
      await the.build();
      const { rep } = first(the.net.ports);
      await succeed(the.kernel, deletes(pick(the.net.all.values(), 'port').filter(p => p.rep === rep)));
      expect((await the.kernel.dump()).resources.has(`hook/${rep}/ingress`)).toBe(false);
      await the.build();
      expectShown(await the.kernel.dump(), the.net.all.values());
    });

    it('removes entries left behind by a link that is gone', async () => {
      await the.build();
      const { rep } = first(the.net.ports);
      await the.harness.deleteLink(rep);
      const orphans = pick((await the.kernel.dump()).resources.values(), 'port-entry').filter(e =>
        e.rep.startsWith('#'),
      );
      expect(orphans).toHaveLength(1);
      await succeed(the.kernel, deletes(orphans));
      expect(
        pick((await the.kernel.dump()).resources.values(), 'port-entry').some(e => e.rep.startsWith('#')),
      ).toBe(false);
    });
  });
}
