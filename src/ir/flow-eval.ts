/**
 * Reference interpreter of flow rules: what a NIC (or the kernel's flower) does with a packet. The
 * oracle of the tests and the walk of `explain`. Checksums and lengths are not modelled.
 */
import type { Mac } from '../lib/brand.ts';
import { ipFamily, ipToBytes } from '../lib/ip.ts';
import type { FieldMatch, FlowAction, FlowField, FlowRule, PeditField } from './flow.ts';
import { ETH_P_ARP, ETH_P_IP, ETH_P_IPV6 } from './flow-prio.ts';
import type { Packet, Verdict } from './packet.ts';

/** A packet as flower's dissector sees it: fields that the packet lacks are absent. Lower-case hex. */
export interface FlowPacket {
  readonly link: string;
  readonly protocol: number;
  readonly fields: ReadonlyMap<FlowField, string>;
}

/** What became of a packet in one table; null where no rule matched, so that the next table decides. */
export type FlowVerdict =
  | {
      readonly action: 'redirect';
      readonly link: string;
      readonly fields: ReadonlyMap<FlowField, string>;
      readonly tunnel: Extract<FlowAction, { kind: 'tunnel-set' }> | null;
    }
  | { readonly action: 'drop' };

export interface FlowOutcome {
  /** The last rule that matched. */
  readonly rule: FlowRule;
  /** null: given back to software (`trap`, or actions that end nowhere). */
  readonly verdict: FlowVerdict | null;
}

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');

export const macHex = (mac: Mac): string => mac.replaceAll(':', '');
export const ipHex = (ip: Parameters<typeof ipToBytes>[0]): string =>
  hexOf(ipToBytes(ip).subarray(ipFamily(ip) === 4 ? 12 : 0));
const byteHex = (value: number): string => value.toString(16).padStart(2, '0');

/** (packet ^ value) & mask = 0, on hex digits of one length. */
export function matches({ value, mask }: FieldMatch, seen: string): boolean {
  if (seen.length !== value.length) return false;
  for (let i = 0; i < value.length; i++) {
    const differ = Number.parseInt(seen[i] ?? '0', 16) ^ Number.parseInt(value[i] ?? '0', 16);
    if ((differ & Number.parseInt(mask[i] ?? '0', 16)) !== 0) return false;
  }
  return true;
}

/** ETH_P_ALL takes any packet. */
const ANY_PROTOCOL = 0x0003;

export function ruleMatches(rule: FlowRule, packet: FlowPacket): boolean {
  if (rule.link !== packet.link) return false;
  if (rule.protocol !== packet.protocol && rule.protocol !== ANY_PROTOCOL) return false;
  return rule.match.every(match => {
    const seen = packet.fields.get(match.field);
    return seen !== undefined && matches(match, seen);
  });
}

/** The first match by priority, chain by chain; null when nothing matches. */
export function evaluateFlow(rules: Iterable<FlowRule>, packet: FlowPacket): FlowOutcome | null {
  const table = [...rules].sort((a, b) => a.prio - b.prio || a.handle - b.handle);
  let chain = 0;
  let now = packet;
  let last: FlowOutcome | null = null;
  // A chain is visited once at most: goto leads on, or the rules are a loop and the kernel refuses them.
  for (let steps = 0; steps <= table.length; steps++) {
    const rule = table.find(each => each.chain === chain && ruleMatches(each, now));
    if (rule === undefined) return last;
    const run = runActions(rule, now);
    last = { rule, verdict: run.verdict };
    if (run.goto === null) return last;
    chain = run.goto;
    now = { ...now, fields: run.fields };
  }
  return last;
}

interface Run {
  readonly verdict: FlowVerdict | null;
  readonly goto: number | null;
  readonly fields: ReadonlyMap<FlowField, string>;
}

function runActions(rule: FlowRule, packet: FlowPacket): Run {
  const fields = new Map(packet.fields);
  let tunnel: Extract<FlowAction, { kind: 'tunnel-set' }> | null = null;
  const end = (verdict: FlowVerdict | null): Run => ({ verdict, goto: null, fields });
  for (const action of rule.actions) {
    switch (action.kind) {
      case 'redirect':
        return end({ action: 'redirect', link: action.link, fields, tunnel });
      case 'drop':
        return end({ action: 'drop' });
      case 'pass':
      case 'trap':
        return end(null);
      case 'goto':
        return { verdict: null, goto: action.chain, fields };
      case 'pedit':
        rewrite(fields, action);
        break;
      case 'vlan-push':
      case 'vlan-modify':
        fields.set('vlan_id', action.id.toString(16).padStart(4, '0'));
        fields.set('vlan_prio', byteHex(action.prio));
        break;
      case 'vlan-pop':
        fields.delete('vlan_id');
        fields.delete('vlan_prio');
        break;
      case 'tunnel-set':
        tunnel = action;
        break;
      case 'tunnel-unset':
        tunnel = null;
        break;
      case 'mirror':
      case 'csum':
      case 'police':
        break;
    }
  }
  return end(null);
}

const PEDIT_TARGET: Readonly<Record<PeditField, FlowField>> = {
  eth_dst: 'eth_dst',
  eth_src: 'eth_src',
  ipv4_src: 'ipv4_src',
  ipv4_dst: 'ipv4_dst',
  ip_ttl: 'ip_ttl',
  ip_tos: 'ip_tos',
  ipv6_src: 'ipv6_src',
  ipv6_dst: 'ipv6_dst',
  ipv6_hoplimit: 'ip_ttl',
  tcp_sport: 'src_port',
  tcp_dport: 'dst_port',
  udp_sport: 'src_port',
  udp_dport: 'dst_port',
};

function rewrite(fields: Map<FlowField, string>, action: Extract<FlowAction, { kind: 'pedit' }>): void {
  const field = PEDIT_TARGET[action.field];
  const old = fields.get(field) ?? '0'.repeat(action.value.length);
  const digit = (text: string, i: number): number => Number.parseInt(text[i] ?? '0', 16);
  const changed = Array.from(action.value, (_, i) => {
    const mask = digit(action.mask, i);
    return ((digit(old, i) & ~mask) | (digit(action.value, i) & mask)).toString(16);
  });
  fields.set(field, changed.join(''));
}

/** IPPROTO_ICMPV6 of include/uapi/linux/in6.h: what carries neighbour solicitations. */
const ICMPV6 = 58;

/**
 * The software eswitch's packet as a NIC's parser sees it. Tagged frames show 802.1Q as their
 * protocol, so rules for IP do not match them.
 */
export function flowPacket(packet: Packet, ipProto: number): FlowPacket {
  const { payload } = packet;
  const fields = new Map<FlowField, string>([
    ['eth_src', macHex(packet.srcMac)],
    ['eth_dst', macHex(packet.dstMac)],
  ]);
  if (packet.tagged) return { link: packet.link, protocol: 0x8100, fields };
  if (payload.type === 'other') return { link: packet.link, protocol: 0x88b5, fields };
  if (payload.type === 'resolve') {
    if (ipFamily(payload.target) === 4) return { link: packet.link, protocol: ETH_P_ARP, fields };
    fields.set('ip_proto', byteHex(ICMPV6));
    fields.set('ipv6_src', ipHex(payload.sender));
    fields.set('ipv6_dst', ipHex(payload.target));
    return { link: packet.link, protocol: ETH_P_IPV6, fields };
  }
  // A header's addresses are of one family; the model's packet may say otherwise: no NIC parses that.
  if (ipFamily(payload.src) !== ipFamily(payload.dst)) return { link: packet.link, protocol: 0, fields };
  fields.set('ip_proto', byteHex(ipProto));
  if (ipFamily(payload.src) === 4) {
    fields.set('ipv4_src', ipHex(payload.src));
    fields.set('ipv4_dst', ipHex(payload.dst));
    return { link: packet.link, protocol: ETH_P_IP, fields };
  }
  fields.set('ipv6_src', ipHex(payload.src));
  fields.set('ipv6_dst', ipHex(payload.dst));
  return { link: packet.link, protocol: ETH_P_IPV6, fields };
}

const macOf = (hex: string): Mac => (hex.match(/../g) ?? []).join(':') as Mac;

/** The hardware's verdict in the software eswitch's words: a NIC hands packets to its own functions. */
export function asVerdict(verdict: FlowVerdict): Verdict {
  if (verdict.action === 'drop') return { action: 'drop', reason: 'none' };
  const { link, fields } = verdict;
  return {
    action: 'deliver',
    link,
    mac: macOf(fields.get('eth_dst') ?? ''),
    srcMac: macOf(fields.get('eth_src') ?? ''),
    delivery: 'transmit',
  };
}
