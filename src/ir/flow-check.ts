/**
 * What is wrong with a flow rule by itself, before any kernel sees it. The kernel takes some of these
 * rules and leaves a part of them out (flower reads no port without an ip_proto); such a rule would
 * match more than it says.
 */
import { parseIp } from '../lib/ip.ts';
import type { FlowAction, FlowField, FlowRef, FlowRule } from './flow.ts';
import { fullMask, isHex, normalMatch, PEDIT_FIELDS } from './flow-normal.ts';

export const FLOW_ACTIONS_MAX = 12;
const CHAIN_MAX = 0x0fff_ffff;

/** Fields that flower has no mask for. */
const EXACT: ReadonlySet<FlowField> = new Set([
  'vlan_id',
  'vlan_prio',
  'vlan_ethtype',
  'cvlan_id',
  'cvlan_prio',
  'cvlan_ethtype',
  'ip_proto',
  'enc_key_id',
]);
const FINAL: ReadonlySet<FlowAction['kind']> = new Set(['redirect', 'drop', 'pass', 'trap', 'goto']);
const IP = 0x0800;
const IPV6 = 0x86dd;

const within = (value: number, low: number, high: number): boolean =>
  Number.isInteger(value) && value >= low && value <= high;
const isVlan = (ethertype: number | null): boolean => ethertype === 0x8100 || ethertype === 0x88a8;
/** As the kernel's dev_valid_name, of ASCII. */
function isLinkName(name: string): boolean {
  if (name.length < 1 || name.length > 15 || name === '.' || name === '..') return false;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f || code === 0x2f || code === 0x3a) return false;
  }
  return true;
}

/** Canonical. IPv4 by hand: it is asked of every encapsulating rule. */
function isAddress(text: string): boolean {
  if (text.includes(':')) return parseIp(text) === text;
  let [parts, value, digits] = [1, 0, 0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      if (digits === 0) return false;
      [parts, value, digits] = [parts + 1, 0, 0];
    } else {
      if (code < 0x30 || code > 0x39 || (digits > 0 && value === 0)) return false;
      value = value * 10 + (code - 0x30);
      digits += 1;
      if (value > 255) return false;
    }
  }
  return parts === 4 && digits > 0;
}

/** What is wrong with the identity of a rule, null for nothing. */
export function flowRefProblem({ link, chain, prio, protocol, handle }: FlowRef): string | null {
  if (!isLinkName(link)) return `"${link}" is not a link name`;
  if (!within(chain, 0, CHAIN_MAX)) return `chain ${chain} is not 0..${CHAIN_MAX}`;
  if (!within(prio, 1, 0xffff)) return `prio ${prio} is not 1..65535`;
  if (!within(protocol, 1, 0xffff)) return `protocol ${protocol} is not 1..65535`;
  if (!within(handle, 1, 0xffff_ffff)) return `handle ${handle} is not 1..4294967295`;
  return null;
}

/** What other fields depend on; null: not given. */
interface Given {
  readonly ipProto: number | null;
  readonly vlanEthertype: number | null;
  /** Ethertype of the network header that a rule is about, null when it leaves that open. */
  readonly network: number | null;
}

function givenBy(protocol: number, match: FlowRule['match']): Given {
  let ipProto: number | null = null;
  let vlanEthertype: number | null = null;
  let cvlanEthertype: number | null = null;
  for (const { field, value } of match) {
    if (field === 'ip_proto') ipProto = Number.parseInt(value, 16);
    else if (field === 'vlan_ethtype') vlanEthertype = Number.parseInt(value, 16);
    else if (field === 'cvlan_ethtype') cvlanEthertype = Number.parseInt(value, 16);
  }
  const inner = isVlan(vlanEthertype) ? cvlanEthertype : vlanEthertype;
  const network = isVlan(protocol) ? inner : protocol === 0x0003 ? null : protocol;
  return { ipProto, vlanEthertype, network };
}

type Need = 'vlan' | 'cvlan' | 'ip4' | 'ip6' | 'ip' | 'ports' | 'tcp' | 'icmp';

/** What flower reads a field only with; fields that are not here stand alone. */
const NEEDS: Readonly<Partial<Record<FlowField, Need>>> = {
  ...{ vlan_id: 'vlan', vlan_prio: 'vlan', vlan_ethtype: 'vlan' },
  ...{ cvlan_id: 'cvlan', cvlan_prio: 'cvlan', cvlan_ethtype: 'cvlan' },
  ...{ ip_proto: 'ip', ip_tos: 'ip', ip_ttl: 'ip', ip_flags: 'ip' },
  ...{ ipv4_src: 'ip4', ipv4_dst: 'ip4', ipv6_src: 'ip6', ipv6_dst: 'ip6' },
  ...{ src_port: 'ports', dst_port: 'ports', tcp_flags: 'tcp', icmp_type: 'icmp', icmp_code: 'icmp' },
};
const NEED_TEXT: Readonly<Record<Need, string>> = {
  vlan: 'a VLAN protocol',
  cvlan: 'a vlan_ethtype of a VLAN',
  ip4: 'protocol ip',
  ip6: 'protocol ipv6',
  ip: 'protocol ip or ipv6',
  ports: 'ip_proto TCP, UDP or SCTP',
  tcp: 'ip_proto TCP',
  icmp: 'ip_proto ICMP',
};

function holds(need: Need, protocol: number, { ipProto, vlanEthertype, network }: Given): boolean {
  const isIp = network === IP || network === IPV6;
  switch (need) {
    case 'vlan':
      return isVlan(protocol);
    case 'cvlan':
      return isVlan(vlanEthertype);
    case 'ip4':
      return network === IP;
    case 'ip6':
      return network === IPV6;
    case 'ip':
      return isIp;
    case 'icmp':
      return (network === IP && ipProto === 1) || (network === IPV6 && ipProto === 58);
    case 'tcp':
      return isIp && ipProto === 6;
    case 'ports':
      return isIp && (ipProto === 6 || ipProto === 17 || ipProto === 132);
  }
}

function matchProblem(rule: FlowRule): string | null {
  let match: FlowRule['match'];
  try {
    match = normalMatch(rule.match);
  } catch (error) {
    return error instanceof RangeError ? error.message : String(error);
  }
  let given: Given | null = null;
  let [hasIpv4Tunnel, hasIpv6Tunnel] = [false, false];
  for (const { field, mask } of match) {
    if (EXACT.has(field) && mask !== fullMask(field)) return `${field} takes no mask`;
    hasIpv4Tunnel ||= field === 'enc_ipv4_src' || field === 'enc_ipv4_dst';
    hasIpv6Tunnel ||= field === 'enc_ipv6_src' || field === 'enc_ipv6_dst';
    const need = NEEDS[field];
    if (need === undefined) continue;
    given ??= givenBy(rule.protocol, match);
    if (!holds(need, rule.protocol, given)) return `${field} needs ${NEED_TEXT[need]}`;
  }
  return hasIpv4Tunnel && hasIpv6Tunnel ? 'tunnel addresses of both families' : null;
}

function actionProblem(action: FlowAction): string | null {
  switch (action.kind) {
    case 'redirect':
    case 'mirror':
      return isLinkName(action.link) ? null : `"${action.link}" is not a link name`;
    case 'pedit': {
      const digits = 2 * PEDIT_FIELDS[action.field];
      if (!isHex(action.value, digits) || !isHex(action.mask, digits))
        return `pedit ${action.field}: not ${digits} hex digits`;
      return /^0*$/.test(action.mask) ? `pedit ${action.field} changes nothing` : null;
    }
    case 'csum':
      return action.of.length > 0 ? null : 'csum of nothing';
    case 'tunnel-set': {
      const { vni, dstPort, tos, ttl, src, dst } = action;
      const byte = (value: number | null): boolean => value === null || within(value, 0, 0xff);
      if (!within(vni, 0, 0xff_ffff)) return `VNI ${vni} is not 0..16777215`;
      if (!within(dstPort, 1, 0xffff) || !byte(tos) || !byte(ttl))
        return 'tunnel port, tos or ttl out of range';
      if (!isAddress(src) || !isAddress(dst)) return `tunnel of ${src} and ${dst}, which are no addresses`;
      return src.includes(':') === dst.includes(':') ? null : 'tunnel addresses of two families';
    }
    case 'vlan-push':
    case 'vlan-modify':
      // 4095 is reserved: it can be matched, not pushed.
      return within(action.id, 0, 0xffe) && within(action.prio, 0, 7) ? null : 'VLAN id or prio out of range';
    case 'police':
      return within(action.rateBps, 8, Number.MAX_SAFE_INTEGER) && within(action.burstBytes, 1, 0x7fff_ffff)
        ? null
        : 'police rate or burst out of range';
    case 'goto':
      return within(action.chain, 0, CHAIN_MAX) ? null : `chain ${action.chain} is not 0..${CHAIN_MAX}`;
    default:
      return null;
  }
}

/** One sentence on what is wrong with the rule, null when nothing is. */
export function flowProblem(rule: FlowRule): string | null {
  const { actions } = rule;
  if (actions.length < 1 || actions.length > FLOW_ACTIONS_MAX)
    return `${actions.length} actions, expected 1 to ${FLOW_ACTIONS_MAX}`;
  for (let i = 0; i < actions.length; i++) {
    const action = actions[i] as FlowAction;
    if (i + 1 < actions.length && FINAL.has(action.kind)) return `nothing can follow ${action.kind}`;
    const problem = actionProblem(action);
    if (problem !== null) return problem;
  }
  return flowRefProblem(rule) ?? matchProblem(rule);
}
