/** Changes and damage on the real kernel while packets flow, foreign objects, and scale. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { programs } from '../../src/ir/make.ts';
import type { FibEntry } from '../../src/ir/resource.ts';
import type { PortBinding } from '../../src/model/endpoint.ts';
import { exec, output } from '../lab/exec.ts';
import { type KernelLab, kernelLab } from './kernel-lab.ts';
import { type Container, creates, deletes, makeEndpoint, World } from './kernel-networks.ts';
import { inPrivateNamespaces, ip } from './private.ts';
import { ask, type PingResult, ping, reaches, startEcho } from './traffic.ts';

const PUBLISHED: PortBinding = { proto: 'tcp', containerPort: 80, hostIp: null, hostPort: 8080 };

inPrivateNamespaces(import.meta.url, () => {
  describe.each(['tcx', 'clsact'] as const)('%s hooks', hookMode => {
    let lab: KernelLab;
    let world: World;
    let one: Container;
    let two: Container;

    beforeEach(async () => {
      lab = await kernelLab({ hookMode });
      world = new World(lab);
      const network = world.network(1);
      one = await world.container(network, 1, [PUBLISHED]);
      two = await world.container(network, 2);
      expect(await world.build()).toEqual([]);
    });
    afterEach(() => lab?.cleanup());

    /** Pings every 2 ms while `work` runs, and until at least a second has passed. */
    async function underTraffic(work: () => Promise<void>): Promise<PingResult> {
      await ping(one.ns, two.ip4);
      const traffic = ping(one.ns, two.ip4, { count: 700, everyMs: 2 });
      await work();
      return traffic;
    }

    const missing = async (): Promise<string[]> => {
      const { resources } = await lab.kernel.dump();
      return [...world.desired().keys()].filter(key => !resources.has(key));
    };

    it('loses no packet when programs are loaded anew', async () => {
      const { sent, received } = await underTraffic(async () => {
        for (let i = 0; i < 5; i++) {
          const resource = programs(`${i}`.repeat(64));
          expect(await world.apply([{ verb: 'update', resource }])).toEqual([]);
          const { resources } = await lab.kernel.dump();
          expect(resources.get('programs')).toEqual(resource);
          expect(resources.has(`hook/${one.rep}/ingress`)).toBe(true);
        }
      });
      expect([sent, received]).toEqual([700, 700]);
    });

    it('loses no packet when the forwarding table is swapped, or everything is applied again', async () => {
      const entries = [...world.desired().values()].filter((r): r is FibEntry => r.kind === 'fib-entry');
      const { sent, received } = await underTraffic(async () => {
        for (let i = 0; i < 20; i++)
          expect(await world.apply([{ verb: 'swap-fib', key: 'swap-fib', entries }])).toEqual([]);
        expect(await world.build()).toEqual([]);
      });
      expect([sent, received]).toEqual([700, 700]);
    });

    it('loses no packet when the adapter is closed and opened again', async () => {
      const { sent, received } = await underTraffic(async () => {
        for (let i = 0; i < 3; i++) await lab.reopen();
        expect(await missing()).toEqual([]);
      });
      expect([sent, received]).toEqual([700, 700]);
    });

    it('rebuilds a container port whose link was deleted', async () => {
      await startEcho(lab.scope, one.ns, 80);
      await ip('link', 'del', one.rep);
      expect(await reaches(two.ns, one.ip4)).toBe(false);
      expect(await world.build()).toEqual([]);
      expect(await missing()).toEqual([]);
      for (const to of [one.ip4, one.ip6]) expect(await reaches(two.ns, to), to).toBe(true);
      expect(await ask(null, 'tcp', '127.0.0.1', 8080)).toBe('10.77.1.1');
      expect(await lab.kernel.sandboxIfname(one.ns.path, one.rep)).toBe('eth0');
    });

    it('rebuilds it where IPv6 is disabled by default, as Docker does', async () => {
      await one.ns.sysctl('net/ipv6/conf/all/disable_ipv6', 1);
      await ip('link', 'del', one.rep);
      expect(await world.build()).toEqual([]);
      expect(await reaches(two.ns, one.ip6)).toBe(true);
    });

    it('takes a pair away again when its sandbox has the name already', async () => {
      await ip('link', 'del', one.rep);
      await one.ns.ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'other0');
      expect((await world.build()).some(text => text.startsWith(`port/${one.rep}`))).toBe(true);
      expect(await lab.linkExists(one.rep)).toBe(false);
      await one.ns.ip('link', 'del', 'eth0');
      expect(await world.build()).toEqual([]);
      expect(await reaches(two.ns, one.ip4)).toBe(true);
    });

    it('rebuilds a gateway that was deleted', async () => {
      const gateway = [...world.networks.values()].map(network => world.gateway(network))[0];
      await ip('link', 'del', gateway?.rep ?? '');
      expect(await reaches(one.ns, '10.77.1.1')).toBe(false);
      expect(await world.build()).toEqual([]);
      for (const to of ['10.77.1.1', 'fd00:77:1::1']) expect(await reaches(one.ns, to), to).toBe(true);
    });

    it('gives renamed links their names back', async () => {
      await ip('link', 'set', one.rep, 'down');
      await ip('link', 'set', one.rep, 'name', 'renamed0');
      const { resources } = await lab.kernel.dump();
      expect(resources.get(`port/${one.rep}`)).toMatchObject({ down: true });
      expect(await world.build()).toEqual([]);
      expect(await lab.linkExists('renamed0')).toBe(false);
      expect((await lab.kernel.dump()).resources.get(`port/${one.rep}`)).not.toHaveProperty('down');
      expect(await reaches(two.ns, one.ip4)).toBe(true);
    });

    it('forwards again after every pin was removed', async () => {
      await lab.removePins();
      expect(await world.build()).toEqual([]);
      expect(await missing()).toEqual([]);
      expect(await reaches(two.ns, one.ip4)).toBe(true);
    });
  });

  it('moves ports from clsact to tcx when nothing changes, without losing a packet', async () => {
    const lab = await kernelLab({ hookMode: 'auto', quietMs: 300 });
    try {
      const world = new World(lab);
      const network = world.network(1);
      const [one, two] = [await world.container(network, 1), await world.container(network, 2)];
      expect(await world.build()).toEqual([]);
      expect((await lab.kernel.dump()).hookMode).toBe('clsact');
      const filters = (): Promise<string> => output(['tc', 'filter', 'show', 'dev', one.rep, 'ingress']);
      expect(await filters()).not.toBe('');
      await ping(one.ns, two.ip4);
      const traffic = ping(one.ns, two.ip4, { count: 700, everyMs: 2 });
      await expect.poll(filters, { timeout: 5000 }).toBe('');
      expect(await traffic).toEqual({ sent: 700, received: 700 });
      const { hookMode, resources } = await lab.kernel.dump();
      expect([hookMode, resources.has(`hook/${one.rep}/ingress`)]).toEqual(['tcx', true]);
      // What is on tcx already stays there.
      expect(await world.build()).toEqual([]);
      expect(await filters()).toBe('');
      expect(await world.apply(deletes(world.desired().values()))).toEqual([]);
    } finally {
      await lab.cleanup();
    }
  });

  describe('nftables', () => {
    let lab: KernelLab;
    let world: World;
    beforeEach(async () => {
      lab = await kernelLab();
      world = new World(lab);
      const network = world.network(1);
      const one = await world.container(network, 1, [PUBLISHED]);
      expect(await world.build()).toEqual([]);
      await startEcho(lab.scope, one.ns, 80);
    });
    afterEach(() => lab?.cleanup());
    const table = (): string => lab.context.identity.instance;
    const digest = async (): Promise<string> => {
      const seen = (await lab.kernel.dump()).resources.get('nft-table');
      return seen?.kind === 'nft-table' ? seen.digest : '';
    };

    it.each([
      ['a rule added', ['add', 'rule', 'inet', 'T', 'forward', 'counter', 'drop']],
      ['a chain flushed', ['flush', 'chain', 'inet', 'T', 'publish']],
      ['a policy changed', ['chain', 'inet', 'T', 'forward', '{ policy drop; }']],
      ['a set added', ['add', 'set', 'inet', 'T', 'more', '{ type mark; }']],
    ])('%s by hand is seen and put right, elements and traffic stay', async (_, command) => {
      expect(await ask(null, 'tcp', '127.0.0.1', 8080)).not.toBeNull();
      await exec(['nft', command.join(' ').replace(' T ', ` ${table()} `)]);
      expect(await digest()).toMatch(/^changed:/);
      const resource = world.desired().get('nft-table');
      if (resource === undefined) throw new Error('no table desired');
      expect(await world.apply([{ verb: 'update', resource }])).toEqual([]);
      const { resources } = await lab.kernel.dump();
      expect([...world.desired().keys()].filter(key => !resources.has(key))).toEqual([]);
      expect(await digest()).toBe(lab.context.nftDigest);
      expect(await ask(null, 'tcp', '127.0.0.1', 8080)).not.toBeNull();
    });

    it('elements may come and go in any state of the sets', async () => {
      const elements = [...world.desired().values()].filter(r => r.kind === 'nft-element');
      await lab.flushElements('gateways');
      expect(await world.apply(elements.map(resource => ({ verb: 'delete', resource })))).toEqual([]);
      expect(await world.apply(elements.map(resource => ({ verb: 'update', resource })))).toEqual([]);
      expect(await world.apply(elements.map(resource => ({ verb: 'create', resource })))).toEqual([]);
      const { resources } = await lab.kernel.dump();
      expect(elements.filter(element => !resources.has(element.key))).toEqual([]);
    });

    it("one element that nft refuses fails alone, with nft's words", async () => {
      const good = [...world.desired().values()].filter(r => r.kind === 'nft-element');
      const bad = {
        ...good[0],
        key: 'nft-element/masq4/nonsense',
        set: 'masq4',
        element: 'nonsense',
        value: null,
      };
      const ops = [...good, bad].map(resource => ({ verb: 'create', resource }) as (typeof good)[0] & never);
      const results = await lab.kernel.apply(ops);
      expect(results.slice(0, -1).every(result => result.errno === 0)).toBe(true);
      expect(results.at(-1)?.errno).toBeGreaterThan(0);
      expect(results.at(-1)?.extack).toContain('nonsense');
    });

    it('tables of others stay as they are', async () => {
      const name = `foreign${process.pid}`;
      lab.scope.defer(async () => void (await exec(['nft', 'delete', 'table', 'inet', name])));
      await exec([
        'nft',
        `table inet ${name} { chain c { type filter hook forward priority 5; ct state new accept; }; }`,
      ]);
      const before = await output(['nft', '-a', 'list', 'table', 'inet', name]);
      for (const ops of [creates, deletes])
        expect(await world.apply(ops(world.desired().values()))).toEqual([]);
      expect(await output(['nft', '-a', 'list', 'table', 'inet', name])).toBe(before);
      expect((await lab.kernel.dump()).resources.has('nft-table')).toBe(false);
    });
  });

  describe("a firewall's forward chain", () => {
    let lab: KernelLab;
    let world: World;
    let one: Container;
    beforeEach(async () => {
      lab = await kernelLab();
      world = new World(lab);
      one = await world.container(world.network(1), 1);
      const far = await world.container(world.network(2, { nat: false }), 1, [PUBLISHED]);
      expect(await world.build()).toEqual([]);
      await startEcho(lab.scope, far.ns, 80);
    });
    afterEach(() => lab?.cleanup());
    const published = (): Promise<string | null> => ask(one.ns, 'tcp', '10.77.1.1', 8080);
    const rules = (chain: string): Promise<string> => output(['iptables', '-S', chain]);

    it('with policy DROP gets accept rules, and loses them again', async () => {
      expect(await rules('FORWARD')).toBe('-P FORWARD ACCEPT');
      expect(await published()).not.toBeNull();
      await exec(['iptables', '-P', 'FORWARD', 'DROP']);
      expect(await published()).toBeNull();
      expect((await lab.kernel.dump()).resources.has('forward-accept/ip')).toBe(false);
      expect(await world.build()).toEqual([]);
      expect((await lab.kernel.dump()).resources.has('forward-accept/ip')).toBe(true);
      expect(await published()).not.toBeNull();
      expect(await world.build()).toEqual([]);
      expect((await rules('FORWARD')).split('\n')).toHaveLength(3);
      expect(await world.apply(deletes(world.desired().values()))).toEqual([]);
      expect(await rules('FORWARD')).toBe('-P FORWARD DROP');
    });

    it("gives way to Docker's chain when that appears", async () => {
      await exec(['iptables', '-P', 'FORWARD', 'DROP']);
      expect(await world.build()).toEqual([]);
      await exec(['iptables', '-N', 'DOCKER-USER']);
      await exec(['iptables', '-A', 'DOCKER-USER', '-s', '203.0.113.0/24', '-j', 'DROP']);
      await exec(['iptables', '-A', 'DOCKER-USER', '-j', 'RETURN']);
      await exec(['iptables', '-I', 'FORWARD', '-j', 'DOCKER-USER']);
      expect(await world.build()).toEqual([]);
      expect(await rules('FORWARD')).toBe('-P FORWARD DROP\n-A FORWARD -j DOCKER-USER');
      const chain = (await rules('DOCKER-USER')).split('\n');
      expect(chain.map(rule => rule.split(' ').at(-1))).toEqual([
        'DOCKER-USER',
        'DROP',
        'ACCEPT',
        'ACCEPT',
        'RETURN',
      ]);
      expect(await published()).not.toBeNull();
      expect((await lab.kernel.dump()).resources.has('forward-accept/ip')).toBe(true);
    });
  });

  it('makes, shows and deletes 1,000 ports', { timeout: 120_000 }, async () => {
    const lab = await kernelLab();
    try {
      const world = new World(lab);
      const network = world.network(1, {
        subnets: [{ pool: '10.77.0.0/16', gateway: '10.77.255.1' } as never],
      });
      for (let i = 0; i < 1000; i++) {
        const endpoint = makeEndpoint(network, 1, null);
        const id = i.toString(16).padStart(64, 'a');
        const tail = `${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`;
        const ip4 = `10.77.${i >> 8}.${i & 255}/16`;
        world.endpoints.set(id, {
          ...endpoint,
          id,
          slot: 1000 + i,
          mac: `02:42:00:01:${tail}`,
          ip4,
          ip6: null,
        } as never);
      }
      const time = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
        const started = performance.now();
        const result = await work();
        console.log(`[figure] ${what}: ${(performance.now() - started).toFixed(0)} ms`);
        return result;
      };
      expect(await time('1,000 ports created in one apply', () => world.build())).toEqual([]);
      const snapshot = await time('dump of 1,000 ports', () => lab.kernel.dump());
      expect([...world.desired().keys()].filter(key => !snapshot.resources.has(key))).toEqual([]);
      expect(await time('1,000 ports applied again', () => world.build())).toEqual([]);
      const ops = deletes(world.desired().values());
      expect(await time('1,000 ports deleted', () => world.apply(ops))).toEqual([]);
    } finally {
      await lab.cleanup();
    }
  });
});
