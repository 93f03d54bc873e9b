/** Packets on the real kernel: forwarding, checks, isolation, NAT, published ports, repairs under load. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PortSlot } from '../../src/lib/brand.ts';
import type { PortBinding } from '../../src/model/endpoint.ts';
import { makeNetns, type Netns } from '../lab/netns.ts';
import { type KernelLab, kernelLab } from './kernel-lab.ts';
import { type Container, World } from './kernel-networks.ts';
import { inPrivateNamespaces, ip } from './private.ts';
import { ask, reaches, startEcho } from './traffic.ts';

const OUTSIDE4 = '192.0.2.2';
const OUTSIDE6 = '2001:db8::2';
const HOST4 = '192.0.2.1';
const HOST6 = '2001:db8::1';

const binding = (hostPort: number, proto: PortBinding['proto'], hostIp: string | null = null): PortBinding =>
  ({ proto, containerPort: 80, hostIp, hostPort }) as PortBinding;

inPrivateNamespaces(import.meta.url, () => {
  describe.each(['tcx', 'clsact'] as const)('traffic with %s hooks', hookMode => {
    let lab: KernelLab;
    let world: World;
    let outside: Netns;
    let [a1, a2, b1, c1, c2, d1]: Container[] = [];
    const c = (container: Container | undefined): Container => {
      if (container === undefined) throw new Error('not made');
      return container;
    };

    beforeAll(async () => {
      lab = await kernelLab({ hookMode });
      world = new World(lab);
      outside = await makeNetns(lab.scope, 'outside');
      await ip('link', 'add', 'out0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(outside.pid));
      for (const address of [`${HOST4}/24`, `${HOST6}/64`])
        await ip('addr', 'add', address, 'dev', 'out0', ...nodad(address));
      await ip('link', 'set', 'out0', 'up');
      for (const address of [`${OUTSIDE4}/24`, `${OUTSIDE6}/64`])
        await outside.ip('addr', 'add', address, 'dev', 'eth0', ...nodad(address));
      await outside.ip('link', 'set', 'eth0', 'up');
      const [a, b] = [world.network(1), world.network(2)];
      const internal = world.network(3, { internal: true });
      const routed = world.network(4, { nat: false });
      a1 = await world.container(a, 1, [
        binding(8080, 'tcp'),
        binding(8080, 'udp'),
        binding(8081, 'tcp', HOST4),
        binding(8082, 'tcp', HOST6),
      ]);
      a2 = await world.container(a, 2);
      b1 = await world.container(b, 1);
      c1 = await world.container(internal, 1);
      c2 = await world.container(internal, 2);
      d1 = await world.container(routed, 1);
      expect(await world.build()).toEqual([]);
      for (const ns of [a1, b1, c1, d1].map(c).map(each => each.ns)) await startEcho(lab.scope, ns, 80);
      await startEcho(lab.scope, outside, 80);
    });
    afterAll(() => lab?.cleanup());

    it('is attached as asked', async () => {
      const { hookMode: seen, resources } = await lab.kernel.dump();
      expect(seen).toBe(hookMode);
      expect([...world.desired().keys()].filter(key => !resources.has(key))).toEqual([]);
    });

    describe('inside a network', () => {
      it('containers reach each other and their gateway, both families', async () => {
        const [one, two] = [c(a1), c(a2)];
        for (const to of [two.ip4, two.ip6, '10.77.1.1', 'fd00:77:1::1'])
          expect(await reaches(one.ns, to), to).toBe(true);
        for (const to of [one.ip4, one.ip6]) expect(await reaches(two.ns, to), to).toBe(true);
      });

      it('the host reaches containers', async () => {
        for (const to of [c(a1).ip4, c(a1).ip6, c(c1).ip4]) expect(await reaches(null, to), to).toBe(true);
      });

      it('link-local addresses reach each other', async () => {
        const two = c(a2);
        const text = await two.ns.ip('-6', 'addr', 'show', 'dev', 'eth0', 'scope', 'link');
        const to = `${/fe80::[0-9a-f:]+/.exec(text)?.[0]}%eth0`;
        // Both ends must first have waited for duplicates of their own address.
        await expect.poll(() => reaches(c(a1).ns, to), { timeout: 5000 }).toBe(true);
      });

      it('every peer shows the switch MAC', async () => {
        await reaches(c(a1).ns, c(a2).ip4);
        const entry = await c(a1).ns.ip('neigh', 'show', c(a2).ip4);
        expect(entry).toContain('02:00:00:77:01:01');
      });
    });

    describe('checks', () => {
      const drops = async (slot: PortSlot, reason: string): Promise<bigint> => {
        const { drops: list } = await lab.kernel.counters();
        return list.find(each => each.slot === slot && each.reason === reason)?.packets ?? 0n;
      };

      it('a spoofed IPv4 or IPv6 source is dropped and counted', async () => {
        const { ns, endpoint } = c(a2);
        for (const [address, to] of [
          ['10.77.1.99/24', c(a1).ip4],
          ['fd00:77:1::99/64', c(a1).ip6],
        ] as const) {
          const before = await drops(endpoint.slot, 'src_ip');
          await ns.ip('addr', 'add', address, 'dev', 'eth0', ...nodad(address));
          expect(await reaches(ns, to, ['-I', address.split('/')[0] ?? ''])).toBe(false);
          await ns.ip('addr', 'del', address, 'dev', 'eth0');
          expect(await drops(endpoint.slot, 'src_ip')).toBeGreaterThan(before);
        }
      });

      it('a spoofed MAC is dropped and counted', async () => {
        const { ns, endpoint } = c(a2);
        const before = await drops(endpoint.slot, 'src_mac');
        await ns.ip('link', 'set', 'eth0', 'address', '02:42:00:00:00:99');
        expect(await reaches(ns, c(a1).ip4)).toBe(false);
        await ns.ip('link', 'set', 'eth0', 'address', endpoint.mac);
        expect(await drops(endpoint.slot, 'src_mac')).toBeGreaterThan(before);
        expect(await reaches(ns, c(a1).ip4)).toBe(true);
      });

      it('traffic is counted on both ports, and forgotten on request', async () => {
        const [one, two] = [c(a1).endpoint.slot, c(a2).endpoint.slot];
        await lab.kernel.resetCounters([one, two]);
        await reaches(c(a1).ns, c(a2).ip4);
        const { ports } = await lab.kernel.counters();
        expect(ports.get(one)?.rxPackets).toBeGreaterThanOrEqual(2n);
        expect(ports.get(two)?.txPackets).toBeGreaterThanOrEqual(2n);
        await lab.kernel.resetCounters([one, two]);
        const after = await lab.kernel.counters();
        expect([after.ports.get(one), after.ports.get(two)]).toEqual([undefined, undefined]);
        expect(after.drops.filter(drop => drop.slot === two)).toEqual([]);
      });
    });

    describe('isolation', () => {
      it('networks do not reach each other', async () => {
        for (const to of [c(b1).ip4, c(b1).ip6, c(c1).ip4])
          expect(await reaches(c(a1).ns, to), to).toBe(false);
        expect(await reaches(c(b1).ns, c(a1).ip4)).toBe(false);
      });

      it('an internal network stays inside, and reaches itself', async () => {
        for (const to of [OUTSIDE4, OUTSIDE6, c(a1).ip4]) expect(await reaches(c(c1).ns, to), to).toBe(false);
        expect(await reaches(c(c1).ns, c(c2).ip4)).toBe(true);
      });

      it('nobody outside reaches a container, except of a routed network', async () => {
        for (const [pool, via] of [
          ['10.77.0.0/16', HOST4],
          ['fd00:77::/32', HOST6],
        ] as const)
          await outside.ip('route', 'add', pool, 'via', via);
        for (const to of [c(a1).ip4, c(a1).ip6, c(c1).ip4])
          expect(await reaches(outside, to), to).toBe(false);
        for (const to of [c(d1).ip4, c(d1).ip6]) expect(await reaches(outside, to), to).toBe(true);
        for (const pool of ['10.77.0.0/16', 'fd00:77::/32']) await outside.ip('route', 'del', pool);
      });

      it('loopback addresses do not come from a container', async () => {
        const { ns } = c(a1);
        await ns.ip('route', 'add', '127.0.0.0/9', 'via', '10.77.1.1');
        expect(await ask(ns, 'tcp', '127.0.0.1', 8080)).toBeNull();
        await ns.ip('route', 'del', '127.0.0.0/9');
      });
    });

    describe('outbound', () => {
      it('leaves with an address of the host', async () => {
        for (const proto of ['tcp', 'udp'] as const) {
          expect(await ask(c(a1).ns, proto, OUTSIDE4, 80), proto).toBe(HOST4);
          expect(await ask(c(a1).ns, proto, OUTSIDE6, 80), proto).toBe(HOST6);
        }
      });

      it('leaves a routed network with its own', async () => {
        await outside.ip('route', 'add', '10.77.4.0/24', 'via', HOST4);
        expect(await ask(c(d1).ns, 'tcp', OUTSIDE4, 80)).toBe(c(d1).ip4);
        await outside.ip('route', 'del', '10.77.4.0/24');
      });
    });

    describe('published ports', () => {
      it.each(['tcp', 'udp'] as const)('answer from outside with the client address (%s)', async proto => {
        expect(await ask(outside, proto, HOST4, 8080)).toBe(OUTSIDE4);
        expect(await ask(outside, proto, HOST6, 8080)).toBe(OUTSIDE6);
      });

      it.each(['tcp', 'udp'] as const)('answer on localhost, both families (%s)', async proto => {
        expect(await ask(null, proto, '127.0.0.1', 8080)).toBe('10.77.1.1');
        expect(await ask(null, proto, '::1', 8080)).toBe('fd00:77:1::1');
      });

      it("answer on the host's own addresses from the host", async () => {
        for (const host of [HOST4, HOST6, '10.77.1.1', 'fd00:77:1::1'])
          expect(await ask(null, 'tcp', host, 8080), host).not.toBeNull();
      });

      it.each(['tcp', 'udp'] as const)(
        'answer a sibling, the container itself and another network (%s)',
        async proto => {
          for (const from of [a2, a1, b1].map(c)) {
            for (const host of [HOST4, HOST6])
              expect(await ask(from.ns, proto, host, 8080), `${from.ip4} ${host}`).not.toBeNull();
          }
          expect(await ask(c(a2).ns, proto, '10.77.1.1', 8080)).not.toBeNull();
        },
      );

      it('answer on the address they were bound to only', async () => {
        expect(await ask(outside, 'tcp', HOST4, 8081)).toBe(OUTSIDE4);
        expect(await ask(null, 'tcp', '127.0.0.1', 8081)).toBeNull();
        expect(await ask(outside, 'tcp', HOST6, 8082)).toBe(OUTSIDE6);
        expect(await ask(null, 'tcp', '::1', 8082)).toBeNull();
      });

      it('are not open to an internal network', async () => {
        expect(await ask(c(c1).ns, 'tcp', '10.77.3.1', 8080)).toBeNull();
      });
    });
  });
});

/** IPv6 addresses skip duplicate address detection, which would make tests wait. */
function nodad(address: string): string[] {
  return address.includes(':') ? ['nodad'] : [];
}
