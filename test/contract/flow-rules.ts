/** Flow rules for tests. */
import type { FlowRule } from '../../src/ir/flow.ts';

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** Exact destination MAC, redirected: the commonest rule of a switch. `handle` makes the MAC, too. */
export function macRule(link: string, to: string, handle: number): FlowRule {
  return {
    ...{ link, chain: 0, prio: 1, protocol: 0x0003, handle },
    match: [{ field: 'eth_dst', value: `0200${hex(handle, 8)}`, mask: 'ffffffffffff' }],
    actions: [{ kind: 'redirect', link: to }],
    where: 'sw',
  };
}

/** Many fields and many actions, in an order that is not the kernel's. */
export function wideRule(link: string, to: string, handle: number): FlowRule {
  return {
    ...{ link, chain: 3, prio: 7, protocol: 0x0800, handle },
    match: [
      { field: 'dst_port', value: '0050', mask: 'fff0' },
      { field: 'ip_proto', value: '06', mask: 'ff' },
      { field: 'ipv4_dst', value: '0a010203', mask: 'ffffff00' },
      { field: 'eth_src', value: '020000000000', mask: 'ff0000000000' },
      { field: 'ip_ttl', value: '00', mask: 'ff' },
    ],
    actions: [
      { kind: 'pedit', field: 'eth_dst', value: '02aabbccddee', mask: 'ffffffffffff' },
      { kind: 'pedit', field: 'ipv4_src', value: 'c0a80001', mask: 'ffffffff' },
      { kind: 'csum', of: ['tcp', 'ipv4'] },
      { kind: 'police', rateBps: 80_000_000, burstBytes: 65_536 },
      { kind: 'mirror', link: to },
      { kind: 'vlan-push', id: 0, prio: 3, tpid: 0x8100 },
      {
        ...{ kind: 'tunnel-set', vni: 0, src: '192.0.2.1', dst: '198.51.100.2', dstPort: 4789 },
        ...{ tos: 8, ttl: null, csum: true },
      },
      { kind: 'redirect', link: to },
    ],
    where: 'sw',
  };
}
