/** What others do to the kernel, and how it shows: ownership, damage, sandboxes, events. */
import { beforeEach, describe, expect, it } from 'vitest';
import { same } from '../../src/ir/fingerprint.ts';
import { fibEntry, portEntry, sysctl } from '../../src/ir/make.ts';
import type { KernelEvent } from '../../src/kernel/port.ts';
import type { Cidr, Mac, NetSlot, PortSlot } from '../../src/lib/brand.ts';
import { ERRNO } from '../../src/lib/errno.ts';
import { type Bench, creates, deletes, expectShown, first, pick, succeed } from './kernel-bench.ts';
import { endpoint, NETWORK } from './kernel-harness.ts';

export function outsideContract(the: Bench): void {
  describe('ownership', () => {
    it('reports a link of somebody else under our name and neither changes nor deletes it', async () => {
      const { rep } = first(the.net.ports);
      await the.harness.addForeignLink(rep);
      const wanted = first(pick(the.net.all.values(), 'port').filter(p => p.rep === rep));
      const [made] = await the.kernel.apply([{ verb: 'create', resource: wanted }]);
      const [removed] = await the.kernel.apply([{ verb: 'delete', resource: wanted }]);
      expect([made?.errno, removed?.errno]).toEqual([ERRNO.EEXIST, ERRNO.EEXIST]);
      const snapshot = await the.kernel.dump();
      expect(snapshot.foreign.map(each => each.key)).toContain(wanted.key);
      expect(snapshot.resources.has(wanted.key)).toBe(false);
      expect(await the.harness.linkExists(rep)).toBe(true);
    });

    it('attaches nothing to a link of somebody else and points no entry at it', async () => {
      const { rep } = first(the.net.ports);
      await the.harness.addForeignLink(rep);
      const mine = [...the.net.all.values()].filter(
        r => r.key.includes(rep) || (r.kind === 'fib-entry' && r.link === rep),
      );
      await succeed(the.kernel, creates([...the.net.all.values()].filter(r => !mine.includes(r))));
      for (const result of await the.kernel.apply(creates(mine))) expect(result.errno).toBeGreaterThan(0);
      const { resources } = await the.kernel.dump();
      expect(mine.filter(r => resources.has(r.key))).toEqual([]);
    });

    it("makes no pair when the function side's name is taken", async () => {
      const { rep, fn } = first(the.net.ports);
      await the.harness.addForeignLink(fn);
      const wanted = first(pick(the.net.all.values(), 'port').filter(p => p.rep === rep));
      const [made] = await the.kernel.apply([{ verb: 'create', resource: wanted }]);
      expect(made?.errno).toBe(ERRNO.EEXIST);
      expect([await the.harness.linkExists(rep), await the.harness.linkExists(fn)]).toEqual([false, true]);
    });
  });

  describe('damage is seen', () => {
    beforeEach(() => the.build());

    it('a link deleted: port and hook missing, entries stale', async () => {
      const { rep } = first(the.net.ports);
      await the.harness.deleteLink(rep);
      const { resources } = await the.kernel.dump();
      expect([resources.has(`port/${rep}`), resources.has(`hook/${rep}/ingress`)]).toEqual([false, false]);
      expect(resources.has(`port-entry/${rep}`)).toBe(false);
      const stale = pick(resources.values(), 'fib-entry').filter(entry => entry.link.startsWith('#'));
      expect(stale.length).toBe(
        pick(the.net.all.values(), 'fib-entry').filter(entry => entry.link === rep).length,
      );
      await the.build();
      expectShown(await the.kernel.dump(), the.net.all.values());
    });

    it('a gateway link deleted: its entry stale, its addresses gone', async () => {
      await the.harness.deleteLink(the.net.gateway.fn);
      const { resources } = await the.kernel.dump();
      expect(pick(resources.values(), 'address')).toEqual([]);
      expect(first(pick(resources.values(), 'net-entry')).gateway).toMatch(/^#\d+$/);
      await the.build();
      expectShown(await the.kernel.dump(), the.net.all.values());
    });

    it('MTU changed, link down', async () => {
      const { rep } = first(the.net.ports);
      await the.harness.setLink(rep, { mtu: 1300 });
      await the.harness.setLink(the.net.gateway.fn, { up: false });
      const { resources } = await the.kernel.dump();
      expect(resources.get(`port/${rep}`)).toMatchObject({ mtu: 1300 });
      expect(resources.get(`port/${the.net.gateway.rep}`)).toMatchObject({ down: true });
      await the.build();
      expectShown(await the.kernel.dump(), the.net.all.values());
    });

    it('the table deleted', async () => {
      await the.harness.deleteTable();
      const { resources } = await the.kernel.dump();
      expect(resources.has('nft-table')).toBe(false);
      expect(pick(resources.values(), 'nft-element')).toEqual([]);
      await the.build();
      expectShown(await the.kernel.dump(), the.net.all.values());
    });

    it('a set flushed', async () => {
      await the.harness.flushElements('gateways');
      const { resources } = await the.kernel.dump();
      expect(pick(resources.values(), 'nft-element').filter(e => e.set === 'gateways')).toEqual([]);
      expect(resources.has('nft-table')).toBe(true);
    });

    it('pins removed', async () => {
      await the.harness.removePins();
      const { resources, generation } = await the.kernel.dump();
      const left = new Set([...resources.values()].map(r => r.kind));
      for (const kind of ['programs', 'port-entry', 'net-entry', 'subnet-entry', 'fib-entry'] as const) {
        expect(left.has(kind), kind).toBe(false);
      }
      expect(generation).toBe(0);
      await the.build();
      expectShown(await the.kernel.dump(), the.net.all.values());
    });

    it('a hook detached', async () => {
      const { rep } = first(the.net.ports);
      await the.harness.detachHook(rep);
      expect((await the.kernel.dump()).resources.has(`hook/${rep}/ingress`)).toBe(false);
      await the.build();
      expectShown(await the.kernel.dump(), the.net.all.values());
    });

    it('an address removed, a sysctl changed', async () => {
      const cidr = '10.211.7.1/24' as Cidr;
      const path = `net/ipv4/conf/${the.net.gateway.fn}/route_localnet`;
      await the.harness.removeAddress(the.net.gateway.fn, cidr);
      await the.harness.setSysctl(path, '0');
      const { resources } = await the.kernel.dump();
      expect(resources.has(`address/${the.net.gateway.fn}/${cidr}`)).toBe(false);
      const seen = resources.get(`sysctl/${path}`);
      expect(seen === undefined || !same(seen, sysctl(path, '1'))).toBe(true);
      await the.build();
      expectShown(await the.kernel.dump(), the.net.all.values());
    });

    it('forward rules removed', async () => {
      await the.harness.removeForwardRules();
      await the.build();
      expectShown(await the.kernel.dump(), pick(the.net.all.values(), 'forward-accept'));
    });
  });

  describe('sandboxes', () => {
    const joined = async (): Promise<{ rep: string; fn: string; path: string }> => {
      await the.build();
      const path = await the.harness.makeSandbox();
      const { rep, fn } = first(the.net.ports);
      await the.harness.moveToSandbox(fn, path, 'eth0');
      return { rep, fn, path };
    };

    it('knows the name inside, and that the function side is away', async () => {
      const { rep, fn, path } = await joined();
      expect(await the.kernel.sandboxIfname(path, rep)).toBe('eth0');
      const snapshot = await the.kernel.dump();
      expect(snapshot.homeFunctions.has(fn)).toBe(false);
      expectShown(snapshot, the.net.all.values());
    });

    it('knows when it came back, or never went', async () => {
      const { rep, fn, path } = await joined();
      expect(await the.kernel.sandboxIfname(path, the.net.ports[1]?.rep ?? '')).toBeNull();
      await the.harness.returnFromSandbox(path, 'eth0', fn);
      expect(await the.kernel.sandboxIfname(path, rep)).toBeNull();
      expect((await the.kernel.dump()).homeFunctions.has(fn)).toBe(true);
    });

    it('answers null for a sandbox that is gone', async () => {
      expect(await the.kernel.sandboxIfname('/run/docker/netns/none', first(the.net.ports).rep)).toBeNull();
    });

    it('loses the port with the sandbox', async () => {
      const { rep, path } = await joined();
      await the.harness.destroySandbox(path);
      expect((await the.kernel.dump()).resources.has(`port/${rep}`)).toBe(false);
    });

    it('deletes a port whose function side is in a sandbox', async () => {
      const { rep, path } = await joined();
      await succeed(the.kernel, deletes(pick(the.net.all.values(), 'port').filter(p => p.rep === rep)));
      expect(await the.harness.linkExists(rep)).toBe(false);
      expect(await the.kernel.sandboxIfname(path, rep)).toBeNull();
    });

    it('rebuilds a lost pair inside the sandbox', async () => {
      const { rep, path } = await joined();
      await the.harness.deleteLink(rep);
      const lost = first(pick(the.net.all.values(), 'port').filter(p => p.rep === rep));
      const { ip4, ip6 } = endpoint(1);
      const addresses = [ip4, ip6].filter(cidr => cidr !== null);
      const gateways = NETWORK.subnets.flatMap(subnet => subnet.gateway ?? []);
      const sandbox = { netns: path, ifname: 'eth0', addresses, gateways };
      await succeed(
        the.kernel,
        creates([...the.net.all.values()].map(r => (r === lost ? { ...lost, sandbox } : r))),
      );
      expect(await the.kernel.sandboxIfname(path, rep)).toBe('eth0');
      expectShown(await the.kernel.dump(), the.net.all.values());
    });

    it('refuses a sandbox that is gone and leaves no half pair', async () => {
      const lost = first(pick(the.net.all.values(), 'port').filter(p => p.role === 'endpoint'));
      const sandbox = { netns: '/run/docker/netns/none', ifname: 'eth0', addresses: [], gateways: [] };
      const [result] = await the.kernel.apply([{ verb: 'create', resource: { ...lost, sandbox } }]);
      expect(result?.errno).toBeGreaterThan(0);
      expect([await the.harness.linkExists(lost.rep), await the.harness.linkExists(lost.fn)]).toEqual([
        false,
        false,
      ]);
    });
  });

  describe('events and counters', () => {
    it('tells of a link that was deleted, until it is told to stop', async () => {
      await the.build();
      const events: KernelEvent[] = [];
      const stop = the.kernel.watch(event => events.push(event));
      const { rep } = first(the.net.ports);
      await the.harness.deleteLink(rep);
      await expect
        .poll(() => events.some(e => (e.link === rep && e.gone === true) || e.kind === 'lost'))
        .toBe(true);
      stop();
      const count = events.length;
      await the.harness.deleteLink(the.net.ports[1]?.rep ?? '');
      await new Promise(resolve => setTimeout(resolve, 50));
      expect(events).toHaveLength(count);
    });

    it('has no counters before traffic, and resets slots that never counted', async () => {
      await the.build();
      await the.kernel.resetCounters([1 as PortSlot, 2 as PortSlot]);
      const { ports } = await the.kernel.counters();
      expect(ports.get(1 as PortSlot)?.txPackets ?? 0n).toBe(0n);
    });

    it('keeps IPv4 and IPv6 entries of two networks apart', async () => {
      await the.build();
      const other = pick(the.net.all.values(), 'fib-entry').map(entry =>
        fibEntry({ ...entry, net: 2 as NetSlot }),
      );
      await succeed(the.kernel, creates(other));
      expectShown(await the.kernel.dump(), [...other, ...pick(the.net.all.values(), 'fib-entry')]);
      await succeed(the.kernel, deletes(other));
      expectShown(await the.kernel.dump(), pick(the.net.all.values(), 'fib-entry'));
    });

    it('stores every field of a port entry', async () => {
      await the.build();
      const base = first(pick(the.net.all.values(), 'port-entry').filter(entry => !entry.trusted));
      const variants = [
        portEntry({ ...base, ip4: null }),
        portEntry({ ...base, ip6: null }),
        portEntry({ ...base, slot: 4095 as PortSlot, net: 65535 as NetSlot }),
        portEntry({ ...base, trusted: true, mac: '02:ff:ff:ff:ff:fe' as Mac }),
      ];
      for (const variant of variants) {
        await succeed(the.kernel, [{ verb: 'update', resource: variant }]);
        expectShown(await the.kernel.dump(), [variant]);
      }
    });
  });
}
