/** Ports without a host side: macvlan children of a link that leads out, and its sub-interfaces. */
import { beforeEach, describe, expect, it } from 'vitest';
import { directPort, vlanLink } from '../../src/ir/make.ts';
import { portNames, vlanLinkName } from '../../src/ir/names.ts';
import type { DirectPort, VlanLink } from '../../src/ir/resource.ts';
import type { Mac } from '../../src/lib/brand.ts';
import { ERRNO } from '../../src/lib/errno.ts';
import { type Bench, expectShown, extra, succeed } from './kernel-bench.ts';
import { endpoint, NETWORK } from './kernel-harness.ts';

export function directContract(the: Bench): void {
  let wanted: DirectPort;
  let rep = '';

  beforeEach(() => {
    const { identity } = the.harness.context;
    const names = portNames(identity, endpoint(1).id);
    rep = names.rep;
    wanted = directPort({
      ...{ fn: names.fn, mac: '02:00:00:00:02:01' as Mac, mtu: 1400 },
      ...{ via: { kind: 'macvlan', parent: 'zzout0' }, sandbox: null },
    });
  });

  const made = async (): Promise<void> => {
    await the.harness.addForeignLink('zzout0');
    await succeed(the.kernel, [{ verb: 'create', resource: wanted }]);
  };

  const joined = async (): Promise<string> => {
    await made();
    const path = await the.harness.makeSandbox();
    await the.harness.moveToSandbox(wanted.fn, path, 'eth0');
    return path;
  };

  const placed = (path: string): DirectPort => {
    const { ip4, ip6 } = endpoint(1);
    const addresses = [ip4, ip6].filter(cidr => cidr !== null);
    const gateways = NETWORK.subnets.flatMap(subnet => subnet.gateway ?? []);
    return { ...wanted, sandbox: { netns: path, ifname: 'eth0', addresses, gateways } };
  };

  describe('direct ports', () => {
    it('are shown as asked, and made once', async () => {
      await made();
      await succeed(the.kernel, [{ verb: 'create', resource: wanted }]);
      const snapshot = await the.kernel.dump();
      expectShown(snapshot, [wanted]);
      expect(snapshot.resources.get(wanted.key)).toMatchObject({ mac: wanted.mac, mtu: 1400 });
      expect(extra(snapshot, new Map([[wanted.key, wanted]]))).toEqual([]);
      expect([...snapshot.homeFunctions]).toEqual([wanted.fn]);
      expectShown(await (await the.harness.reopen()).dump(), [wanted]);
    });

    it('are refused without the link below, or with an MTU that it does not carry', async () => {
      const [missing] = await the.kernel.apply([{ verb: 'create', resource: wanted }]);
      expect(missing).toMatchObject({ errno: ERRNO.ENODEV, extack: expect.stringContaining('zzout0') });
      await the.harness.addForeignLink('zzout0');
      const [large] = await the.kernel.apply([{ verb: 'create', resource: { ...wanted, mtu: 9000 } }]);
      expect(large?.errno).toBe(ERRNO.EINVAL);
      expect(await the.harness.linkExists(wanted.fn)).toBe(false);
    });

    it('are not made over a link of somebody else, which is reported and kept', async () => {
      await the.harness.addForeignLink(wanted.fn);
      await the.harness.addForeignLink('zzout0');
      const [result] = await the.kernel.apply([{ verb: 'create', resource: wanted }]);
      expect(result?.errno).toBe(ERRNO.EEXIST);
      const [deleted] = await the.kernel.apply([{ verb: 'delete', resource: wanted }]);
      expect(deleted?.errno).toBe(ERRNO.EEXIST);
      expect(await the.harness.linkExists(wanted.fn)).toBe(true);
      expect((await the.kernel.dump()).foreign).toHaveLength(1);
    });

    it('move to another link below when asked', async () => {
      await made();
      await the.harness.addForeignLink('zzout1');
      const moved: DirectPort = { ...wanted, via: { kind: 'macvlan', parent: 'zzout1' } };
      await succeed(the.kernel, [{ verb: 'update', resource: moved }]);
      expectShown(await the.kernel.dump(), [moved]);
    });

    it('are seen in a sandbox that is named, and only there', async () => {
      const path = await joined();
      expect((await the.kernel.dump()).resources.has(wanted.key)).toBe(false);
      expectShown(await the.kernel.dump(() => [path, '/run/docker/netns/none']), [wanted]);
      expect(await the.kernel.sandboxIfname(path, rep)).toBe('eth0');
    });

    it('in their sandbox are left alone when they are asked for again', async () => {
      const path = await joined();
      await succeed(the.kernel, [{ verb: 'create', resource: placed(path) }]);
      expect(await the.harness.linkExists(wanted.fn)).toBe(false);
      expectShown(await the.kernel.dump(() => [path]), [wanted]);
    });

    it('announce their addresses while they are up, and say so when they are not', async () => {
      const path = await joined();
      const { mac } = wanted;
      const addresses = [endpoint(1).ip4, endpoint(1).ip6].filter(cidr => cidr !== null);
      await the.harness.setLink('zzout0', { up: true });
      expect(await the.kernel.announce({ netns: path, ifname: 'eth0', mac, addresses })).toBe(true);
      for (const [netns, ifname] of [
        [path, 'eth9'],
        ['/run/docker/netns/none', 'eth0'],
      ] as const) {
        expect(await the.kernel.announce({ netns, ifname, mac, addresses })).toBe(false);
      }
    });

    it('that were lost are rebuilt in the sandbox', async () => {
      const path = await joined();
      await the.harness.deleteLink('zzout0');
      expect((await the.kernel.dump(() => [path])).resources.has(wanted.key)).toBe(false);
      await the.harness.addForeignLink('zzout0');
      await succeed(the.kernel, [{ verb: 'create', resource: placed(path) }]);
      expectShown(await the.kernel.dump(() => [path]), [wanted]);
      expect(await the.kernel.sandboxIfname(path, rep)).toBe('eth0');
    });

    it('are not left behind at home when the sandbox is gone', async () => {
      await the.harness.addForeignLink('zzout0');
      const [result] = await the.kernel.apply([
        { verb: 'create', resource: placed('/run/docker/netns/none') },
      ]);
      expect(result?.errno).toBeGreaterThan(0);
      expect(await the.harness.linkExists(wanted.fn)).toBe(false);
    });

    it('are deleted at home and in the sandbox, and again without complaint', async () => {
      const path = await joined();
      const remove = { verb: 'delete', resource: placed(path) } as const;
      await succeed(the.kernel, [remove]);
      expect((await the.kernel.dump(() => [path])).resources.has(wanted.key)).toBe(false);
      await succeed(the.kernel, [{ verb: 'create', resource: wanted }, remove, remove]);
      expect(await the.harness.linkExists(wanted.fn)).toBe(false);
    });
  });

  describe('sub-interfaces', () => {
    const linkOf = (vlan: number, parent = 'zzout0'): VlanLink => {
      const link = vlanLinkName(the.harness.context.identity, NETWORK.id);
      return vlanLink({ link, parent, vlan, mtu: 1400 });
    };

    it('are made, changed, stood upon and deleted with all that; or the missing module is named', async () => {
      await the.harness.addForeignLink('zzout0');
      await the.harness.setLink('zzout0', { up: true });
      const link = linkOf(100);
      const [result] = await the.kernel.apply([{ verb: 'create', resource: link }]);
      if (result?.errno === ERRNO.EOPNOTSUPP) {
        expect(result.extack).toContain('8021q');
        return;
      }
      const upon: DirectPort = { ...wanted, via: { kind: 'macvlan', parent: link.link } };
      await succeed(the.kernel, [
        { verb: 'create', resource: link },
        { verb: 'create', resource: upon },
      ]);
      expectShown(await the.kernel.dump(), [link, upon]);
      await the.harness.setLink(link.link, { up: false });
      expect((await the.kernel.dump()).resources.get(link.key)).toMatchObject({ down: true });
      await succeed(the.kernel, [{ verb: 'update', resource: link }]);
      expectShown(await the.kernel.dump(), [link, upon]);
      await succeed(the.kernel, [{ verb: 'update', resource: linkOf(7) }]);
      expectShown(await the.kernel.dump(), [linkOf(7)]);
      await succeed(the.kernel, [{ verb: 'delete', resource: link }]);
      expect(await the.harness.linkExists(link.link)).toBe(false);
    });

    it('are refused without the link they would stand on', async () => {
      const [result] = await the.kernel.apply([{ verb: 'create', resource: linkOf(100, 'zzgone') }]);
      expect(result).toMatchObject({ errno: ERRNO.ENODEV, extack: expect.stringContaining('zzgone') });
    });
  });
}
