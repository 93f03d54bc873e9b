/** The rules that are measured, and the same for `tc -batch`. */
import { compilePair, type PairPort } from '../../../src/compile/pair.ts';
import type { FlowRule } from '../../../src/ir/flow.ts';
import { printFieldValue } from '../../../src/ir/flow-print.ts';
import type { Ip, Mac, PortSlot } from '../../../src/lib/brand.ts';

export const LINK = 'ewbench0';
export const TARGET = 'ewbench1';
const CHAIN = 'chain 0';

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** Destination MAC, redirect: the least that a switch needs. */
export function redirectRules(count: number): FlowRule[] {
  return Array.from({ length: count }, (_, i) => ({
    ...{ link: LINK, chain: 0, prio: 10, protocol: 0x0003, handle: i + 1 },
    match: [{ field: 'eth_dst', value: `0200${hex(i + 1, 8)}`, mask: 'ffffffffffff' }],
    actions: [{ kind: 'redirect', link: TARGET }],
    where: 'sw',
  }));
}

/** The same into a tunnel: tunnel_key set, then redirect. */
export function encapRules(count: number): FlowRule[] {
  return redirectRules(count).map((rule, i) => ({
    ...rule,
    actions: [
      {
        ...{ kind: 'tunnel-set', vni: 100 + (i % 1000), src: '192.0.2.1', dst: `192.0.2.${2 + (i % 200)}` },
        ...{ dstPort: 4789, tos: null, ttl: 64, csum: false },
      },
      ...rule.actions,
    ],
  }));
}

const port = (slot: number): PairPort => ({
  slot: slot as PortSlot,
  rep: slot === 0 ? LINK : TARGET,
  mac: `02:00:00:00:${hex(slot >> 8, 2)}:${hex(slot & 0xff, 2)}` as Mac,
  ip4: `10.${slot >> 16}.${(slot >> 8) & 0xff}.${slot & 0xff}` as Ip,
  ip6: null,
});

/** From one endpoint to `count` others, as the product compiles it. */
export function pairRules(count: number): FlowRule[] {
  const switchMac = '02:ee:ee:ee:ee:ee' as Mac;
  return Array.from({ length: count }, (_, i) => {
    const rule = compilePair(switchMac, port(0), port(i + 1), 'ip4');
    if (rule === null) throw new Error('a pair of IPv4 endpoints has a rule');
    return { ...rule, where: 'sw' };
  });
}

/** One line of a batch file. Only of rules that this file makes. */
export function tcLine(verb: 'add' | 'delete', rule: FlowRule): string {
  const head = `filter ${verb} dev ${rule.link} ingress ${CHAIN} prio ${rule.prio} protocol all handle ${rule.handle} flower`;
  if (verb === 'delete') return head;
  const mac = rule.match.find(({ field }) => field === 'eth_dst')?.value ?? '';
  const actions = rule.actions.map(action => {
    if (action.kind === 'redirect') return `action mirred egress redirect dev ${action.link}`;
    if (action.kind !== 'tunnel-set') throw new Error(`${action.kind} is not measured`);
    const { vni, src, dst, dstPort, ttl } = action;
    return `action tunnel_key set id ${vni} src_ip ${src} dst_ip ${dst} dst_port ${dstPort} ttl ${ttl} nocsum pipe`;
  });
  return `${head} skip_hw dst_mac ${printFieldValue('eth_dst', mac)} ${actions.join(' ')}`;
}
