import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import type { DROP_REASONS } from '../../src/ir/drop-reason.ts';
import { evaluate, tablesOf } from '../../src/ir/eval.ts';
import { fingerprint, same } from '../../src/ir/fingerprint.ts';
import { fibEntry, portEntry } from '../../src/ir/make.ts';
import { gatewayNames, portNames } from '../../src/ir/names.ts';
import type { Packet, Payload } from '../../src/ir/packet.ts';
import { printOp, printResource } from '../../src/ir/print.ts';
import { KIND_ORDER, type Resource } from '../../src/ir/resource.ts';
import type { Ip, Mac, NetSlot, PortSlot } from '../../src/lib/brand.ts';
import { linkLocalOf } from '../../src/lib/ip.ts';
import { endpoint, intentOf, intents, network } from '../sim/arbitrary.ts';
import { CONTEXT } from '../sim/sim-harness.ts';

const net = network(1);
const [a, b] = [endpoint(net, 1), endpoint(net, 2)];
const rep = portNames(CONTEXT.identity, a.id).rep;
const gateway = gatewayNames(CONTEXT.identity, net.id);

describe('equality', () => {
  it('is what fingerprints say', () => {
    fc.assert(
      fc.property(intents, intents, (x, y) => {
        const [left, right] = [compile(CONTEXT, x), compile(CONTEXT, y)];
        for (const [key, one] of left) {
          const other = right.get(key);
          if (other !== undefined) expect(same(one, other)).toBe(fingerprint(one) === fingerprint(other));
        }
      }),
    );
  });

  it('ignores of a port what a dump cannot see, and nothing else', () => {
    const port = [...compile(CONTEXT, intentOf([net], [a])).values()].find(r => r.kind === 'port');
    if (port?.kind !== 'port') throw new Error('no port');
    const sandbox = { netns: '/x', ifname: 'eth0', addresses: [], gateways: [] };
    expect(same(port, { ...port, fn: 'x', fnMac: a.mac, sandbox })).toBe(true);
    for (const change of [
      { mtu: 1400 },
      { repMac: a.mac },
      { down: true as const },
      { role: 'endpoint' as const },
    ]) {
      expect(same(port, { ...port, ...change }), JSON.stringify(change)).toBe(false);
    }
  });

  it('derives the key of a changed resource', () => {
    const entry = {
      net: 1 as NetSlot,
      addr: '10.0.0.1' as Ip,
      link: 'x',
      slot: 1 as PortSlot,
      mac: a.mac,
      delivery: 'peer' as const,
    };
    const first = fibEntry(entry);
    expect(fibEntry({ ...first, net: 2 as NetSlot }).key).toBe('fib-entry/2/10.0.0.1');
    expect(first.key).toBe('fib-entry/1/10.0.0.1');
  });
});

describe('text', () => {
  it('is one line per resource, different for different ones', () => {
    fc.assert(
      fc.property(intents, intent => {
        const all = [...compile(CONTEXT, intent).values()];
        const texts = all.map(printResource);
        expect(new Set(texts).size).toBe(all.length);
        for (const [i, text] of texts.entries()) {
          expect(text).not.toMatch(/\n|undefined|null|false|true|\s\s|\s$/);
          expect(text.startsWith(all[i]?.kind ?? '')).toBe(true);
        }
      }),
    );
  });

  it('shows what an operation does', () => {
    const resource: Resource = { kind: 'nft-table', key: 'nft-table', digest: 'abc' };
    expect(printOp({ verb: 'create', resource })).toBe('+ nft-table abc');
    expect(printOp({ verb: 'update', resource })).toBe('~ nft-table abc');
    expect(printOp({ verb: 'delete', resource })).toBe('- nft-table abc');
    expect(printOp({ verb: 'swap-fib', key: 'swap-fib', entries: [] })).toBe('= swap-fib 0 entries');
  });

  it('knows an order for every kind', () => {
    const orders = Object.values(KIND_ORDER);
    expect(new Set(orders).size).toBe(orders.length);
  });
});

describe('the interpreter', () => {
  const tables = tablesOf(compile(CONTEXT, intentOf([net, network(2)], [a, b])).values());
  const ip = (src: string, dst: string): Payload => ({ type: 'ip', src: src as Ip, dst: dst as Ip });
  const ask = (sender: string, target: string, senderMac = a.mac): Payload => {
    return { type: 'resolve', senderMac, sender: sender as Ip, target: target as Ip };
  };
  const packet = (payload: Payload, change: Partial<Packet> = {}): Packet => {
    return { link: rep, srcMac: a.mac, dstMac: net.switchMac, tagged: false, payload, ...change };
  };
  const to = (payload: Payload, change: Partial<Packet> = {}): unknown =>
    evaluate(tables, packet(payload, change));
  const dropped = (reason: (typeof DROP_REASONS)[number]): unknown => ({ action: 'drop', reason });

  it("delivers to a neighbour with its MAC and the switch's", () => {
    const link = portNames(CONTEXT.identity, b.id).rep;
    const delivery = { action: 'deliver', link, mac: b.mac, srcMac: net.switchMac, delivery: 'peer' };
    expect(to(ip('10.1.0.3', '10.1.0.4'))).toEqual(delivery);
    expect(to(ip('fd00:1::3', 'fd00:1::4'))).toEqual(delivery);
    expect(to(ip(linkLocalOf(a.mac), linkLocalOf(b.mac)))).toEqual(delivery);
  });

  it('hands what leaves to the gateway', () => {
    const out = {
      action: 'deliver',
      link: gateway.fn,
      mac: net.gatewayMac,
      srcMac: net.switchMac,
      delivery: 'host',
    };
    expect(to(ip('10.1.0.3', '192.0.2.1'))).toEqual(out);
    expect(to(ip('10.1.0.3', '10.1.0.1'))).toEqual(out);
    expect(to(ip('10.1.0.3', '10.2.0.1'))).toEqual(out);
  });

  it.each([
    ['a neighbour nobody has', ip('10.1.0.3', '10.1.9.9'), {}, 'no_destination'],
    ["a stranger's link-local", ip('fd00:1::3', 'fe80::9'), {}, 'no_destination'],
    ["another's address", ip('10.1.0.4', '10.1.0.1'), {}, 'src_ip'],
    ["another's MAC", ip('10.1.0.3', '10.1.0.1'), { srcMac: b.mac }, 'src_mac'],
    ['multicast', ip('10.1.0.3', '224.0.0.1'), {}, 'multicast'],
    ['broadcast', ip('10.1.0.3', '255.255.255.255'), {}, 'multicast'],
    ['to loopback', ip('10.1.0.3', '127.0.0.1'), {}, 'loopback'],
    ['from loopback', ip('::1', 'fd00:1::1'), {}, 'loopback'],
    ['from the unspecified address', ip('::', 'fd00:1::1'), {}, 'src_ip'],
    [
      'a unicast in a broadcast frame',
      ip('10.1.0.3', '10.1.0.4'),
      { dstMac: 'ff:ff:ff:ff:ff:ff' as Mac },
      'multicast',
    ],
    ['two families at once', ip('10.1.0.3', 'fd00:1::1'), {}, 'malformed'],
    ['a question across families', ask('10.1.0.3', 'fd00:1::1'), {}, 'malformed'],
    ['a tag', ip('10.1.0.3', '10.1.0.4'), { tagged: true }, 'vlan'],
    ['another ethertype', { type: 'other' }, {}, 'ethertype'],
    ['a question for nobody', ask('10.1.0.3', '10.1.9.9'), {}, 'arp_unknown'],
    ["a question in another's name", ask('10.1.0.4', '10.1.0.1'), {}, 'arp_spoof'],
    ["a question with another's MAC", ask('10.1.0.3', '10.1.0.1', b.mac), {}, 'arp_spoof'],
    ['a probe for its own address', ask('0.0.0.0', '10.1.0.3'), {}, 'nd_ignored'],
  ] as const)('drops %s', (_, payload, change, reason) => {
    expect(to(payload as Payload, change)).toEqual(dropped(reason));
  });

  it("answers questions for whoever is there with the switch's MAC", () => {
    expect(to(ask('10.1.0.3', '10.1.0.4'))).toEqual({ action: 'answer', mac: net.switchMac });
    expect(to(ask('fd00:1::3', 'fd00:1::1'))).toEqual({ action: 'answer', mac: net.switchMac });
  });

  it('lets the gateway speak for others, but not back out', () => {
    const from = { link: gateway.rep, srcMac: net.gatewayMac };
    expect(to(ip('192.0.2.1', '10.1.0.3'), from)).toMatchObject({ action: 'deliver', mac: a.mac });
    expect(to(ip('192.0.2.1', '198.51.100.1'), from)).toEqual(dropped('no_destination'));
  });

  it('drops on a port without entry, a network without entry, and sees nothing without a hook', () => {
    const all = [...compile(CONTEXT, intentOf([net], [a])).values()];
    const without = (kind: Resource['kind']): unknown =>
      evaluate(tablesOf(all.filter(r => r.kind !== kind)), packet(ip('10.1.0.3', '10.1.0.1')));
    expect(without('port-entry')).toEqual(dropped('no_port'));
    expect(without('net-entry')).toEqual(dropped('no_network'));
    expect(without('hook')).toEqual({ action: 'unhooked' });
  });

  it('keeps an internal network inside', () => {
    const closed = tablesOf(compile(CONTEXT, intentOf([network(1, { internal: true })], [a])).values());
    expect(evaluate(closed, packet(ip('10.1.0.3', '192.0.2.1')))).toEqual(dropped('internal'));
  });

  it('reads the entry of a port as it is', () => {
    const entry = portEntry({
      rep,
      slot: 1 as PortSlot,
      net: 1 as NetSlot,
      mac: '02:00:00:00:00:01' as Mac,
      ip4: null,
      ip6: null,
      trusted: false,
      countPairs: false,
    });
    const all = [...compile(CONTEXT, intentOf([net], [a])).values()].map(r =>
      r.key === entry.key ? entry : r,
    );
    expect(evaluate(tablesOf(all), packet(ip('10.1.0.3', '10.1.0.1')))).toEqual(dropped('src_mac'));
  });
});
