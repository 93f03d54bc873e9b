/** Flow rules as values: normal form, fingerprint, text, checks. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flowProblem } from '../../src/ir/flow-check.ts';
import { flowFingerprint } from '../../src/ir/flow-fingerprint.ts';
import { normalFlow } from '../../src/ir/flow-normal.ts';
import { printFlow } from '../../src/ir/flow-print.ts';
import { macRule, wideRule } from '../contract/flow-rules.ts';
import { flowRules } from './flow-arbitrary.ts';

describe('a flow rule', () => {
  it('is printed in one stable line', () => {
    expect(printFlow(macRule('rep0', 'rep1', 0x2a))).toBe(
      'dev rep0 chain 0 prio 1 protocol all handle 0x2a skip_hw eth_dst 02:00:00:00:00:2a ' +
        'action mirred egress redirect dev rep1',
    );
    expect(printFlow(wideRule('rep0', 'rep1', 7))).toMatchInlineSnapshot(
      `"dev rep0 chain 3 prio 7 protocol ip handle 0x7 skip_hw eth_src 02:00:00:00:00:00/0xff0000000000 ip_proto 6 ip_ttl 0 ipv4_dst 10.1.2.0/24 dst_port 80/0xfff0 action pedit eth_dst set 02:aa:bb:cc:dd:ee action pedit ipv4_src set 192.168.0.1 action csum ipv4 tcp action police rate 80000000bit burst 65536b action mirred egress mirror dev rep1 action vlan push id 0 protocol 802.1Q priority 3 action tunnel_key set id 0 src_ip 192.0.2.1 dst_ip 198.51.100.2 dst_port 4789 tos 8 csum action mirred egress redirect dev rep1"`,
    );
  });

  it.each([
    ['20010db8000000000000000000000001', '2001:db8::1'],
    ['00000000000000000000000000000000', '::'],
    ['fe800000000000000000000000000000', 'fe80::'],
    ['20010000000000010000000000000001', '2001:0:0:1::1'],
  ])('prints the address %s as %s', (value, text) => {
    const rule = { ...macRule('a', 'b', 1), protocol: 0x86dd };
    const match = [{ field: 'ipv6_dst', value, mask: 'f'.repeat(32) }] as const;
    expect(printFlow({ ...rule, match })).toContain(` ipv6_dst ${text} `);
  });

  it('has a normal form that is its own', () => {
    fc.assert(
      fc.property(flowRules, rule => {
        expect(flowProblem(rule)).toBeNull();
        const normal = normalFlow(rule);
        expect(normalFlow(normal)).toEqual(normal);
        expect(flowFingerprint(normal)).toBe(flowFingerprint(rule));
        expect(printFlow(normal)).toBe(printFlow(rule));
      }),
    );
  });

  it('has a fingerprint of what it does, whatever the order it is written in', () => {
    const rule = wideRule('a', 'b', 1);
    const same = [
      { ...rule, match: [...rule.match].reverse() },
      { ...rule, link: 'c', handle: 9, prio: 2, chain: 1 },
    ];
    for (const other of same) expect(flowFingerprint(other)).toBe(flowFingerprint(rule));
    const others = [
      { ...rule, actions: rule.actions.slice(1) },
      { ...rule, actions: [...rule.actions].reverse() },
      { ...rule, match: rule.match.slice(1) },
      { ...rule, where: 'hw' as const },
      { ...rule, protocol: 0x86dd },
    ];
    expect(new Set([rule, ...others].map(flowFingerprint)).size).toBe(others.length + 1);
  });

  it.each([
    ['src_port needs', { protocol: 0x0800, match: [{ field: 'src_port', value: '0001', mask: 'ffff' }] }],
    ['takes no mask', { protocol: 0x8100, match: [{ field: 'vlan_id', value: '0001', mask: '00ff' }] }],
    [
      'given twice',
      { match: [1, 2].map(() => ({ field: 'eth_src', value: '020000000001', mask: 'ffffffffffff' })) },
    ],
    ['not 4 hex digits', { match: [{ field: 'vlan_id', value: '1', mask: 'ffff' }] }],
    ['nothing can follow drop', { actions: [{ kind: 'drop' }, { kind: 'redirect', link: 'b' }] }],
    ['changes nothing', { actions: [{ kind: 'pedit', field: 'ip_ttl', value: '00', mask: '00' }] }],
    ['not a link name', { link: 'a/b' }],
    ['handle 0', { handle: 0 }],
    [
      'VNI',
      {
        actions: [
          {
            kind: 'tunnel-set',
            vni: 2 ** 24,
            src: '1.1.1.1',
            dst: '1.1.1.2',
            dstPort: 1,
            tos: null,
            ttl: null,
            csum: false,
          },
        ],
      },
    ],
  ])('is refused: %s', (text, change) => {
    expect(flowProblem({ ...macRule('a', 'b', 1), ...(change as object) })).toContain(text);
  });

  it.each([
    ...['1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '1..2.3', '1.2.3.', 'a.b.c.d', ''],
    ...['fd00::0:1', 'FD00::1', 'fd00', '::g'],
  ])('is refused for a tunnel to %j', dst => {
    const tunnel = {
      kind: 'tunnel-set',
      vni: 1,
      src: dst.includes(':') ? 'fd00::1' : '1.1.1.1',
      dst,
    } as const;
    const action = { ...tunnel, dstPort: 4789, tos: null, ttl: null, csum: false };
    expect(flowProblem({ ...macRule('a', 'b', 1), actions: [action] })).toContain('no addresses');
  });

  it('may match VLAN 0 and ttl 0', () => {
    const match = [{ field: 'vlan_id', value: '0000', mask: 'ffff' }] as const;
    const rule = { ...macRule('a', 'b', 1), protocol: 0x8100, match };
    expect(flowProblem(rule)).toBeNull();
    expect(printFlow(rule)).toContain(' vlan_id 0 ');
  });
});
