/**
 * What is wrong with a flow rule by itself, before any kernel sees it. The kernel takes some of these
 * rules and leaves a part of them out (flower reads no port without an ip_proto); such a rule would
 * match more than it says.
 */
import type { FlowAction, FlowField, FlowRef, FlowRule } from './flow.ts';
import { fullMask, normalMatch, PEDIT_FIELDS } from './flow-normal.ts';

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
const isLinkName = (name: string): boolean => /^[^\s/:]{1,15}$/.test(name) && !/^\.\.?$/.test(name);

/** What is wrong with the identity of a rule, null for nothing. */
export function flowRefProblem({ link, chain, prio, protocol, handle }: FlowRef): string | null {
  if (!isLinkName(link)) return `"${link}" is not a link name`;
  if (!within(chain, 0, CHAIN_MAX)) return `chain ${chain} is not 0..${CHAIN_MAX}`;
  if (!within(prio, 1, 0xffff)) return `prio ${prio} is not 1..65535`;
  if (!within(protocol, 1, 0xffff)) return `protocol ${protocol} is not 1..65535`;
  if (!within(handle, 1, 0xffff_ffff)) return `handle ${handle} is not 1..4294967295`;
  return null;
}

type Given = ReadonlyMap<FlowField, number>;

/** Ethertype of the network header that a rule is about, null when it leaves that open. */
function networkProtocol(protocol: number, given: Given): number | null {
  if (!isVlan(protocol)) return protocol === 0x0003 ? null : protocol;
  const inner = given.get('vlan_ethtype') ?? null;
  return isVlan(inner) ? (given.get('cvlan_ethtype') ?? null) : inner;
}

/** What a field needs beside it, as a sentence; null when it has that. */
function missing(field: FlowField, rule: FlowRule, given: Given): string | null {
  const network = networkProtocol(rule.protocol, given);
  const isIp = network === IP || network === IPV6;
  const proto = given.get('ip_proto');
  const needs = (holds: boolean, what: string): string | null => (holds ? null : `${field} needs ${what}`);
  if (field.startsWith('vlan_')) return needs(isVlan(rule.protocol), 'a VLAN protocol');
  if (field.startsWith('cvlan_'))
    return needs(isVlan(given.get('vlan_ethtype') ?? null), 'a vlan_ethtype of a VLAN');
  if (field.startsWith('ipv4_')) return needs(network === IP, 'protocol ip');
  if (field.startsWith('ipv6_')) return needs(network === IPV6, 'protocol ipv6');
  if (field.startsWith('ip_')) return needs(isIp, 'protocol ip or ipv6');
  if (field.endsWith('_port') && !field.startsWith('enc_'))
    return needs(isIp && (proto === 6 || proto === 17 || proto === 132), 'ip_proto TCP, UDP or SCTP');
  if (field === 'tcp_flags') return needs(isIp && proto === 6, 'ip_proto TCP');
  if (field.startsWith('icmp_'))
    return needs((network === IP && proto === 1) || (network === IPV6 && proto === 58), 'ip_proto ICMP');
  return null;
}

function matchProblem(rule: FlowRule): string | null {
  let match: FlowRule['match'];
  try {
    match = normalMatch(rule.match);
  } catch (error) {
    return error instanceof RangeError ? error.message : String(error);
  }
  const given: Given = new Map(
    match.map(({ field, value }) => [field, Number.parseInt(value.slice(-8), 16)]),
  );
  for (const { field, mask } of match) {
    if (EXACT.has(field) && mask !== fullMask(field)) return `${field} takes no mask`;
    const problem = missing(field, rule, given);
    if (problem !== null) return problem;
  }
  const both = (a: FlowField, b: FlowField): boolean => given.has(a) || given.has(b);
  return both('enc_ipv4_src', 'enc_ipv4_dst') && both('enc_ipv6_src', 'enc_ipv6_dst')
    ? 'tunnel addresses of both families'
    : null;
}

function actionProblem(action: FlowAction): string | null {
  switch (action.kind) {
    case 'redirect':
    case 'mirror':
      return isLinkName(action.link) ? null : `"${action.link}" is not a link name`;
    case 'pedit': {
      const digits = 2 * PEDIT_FIELDS[action.field];
      const hex = new RegExp(`^[0-9a-f]{${digits}}$`);
      if (!hex.test(action.value) || !hex.test(action.mask))
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
  const early = actions.slice(0, -1).find(({ kind }) => FINAL.has(kind));
  if (early !== undefined) return `nothing can follow ${early.kind}`;
  const inActions = actions.map(actionProblem).find(problem => problem !== null);
  return flowRefProblem(rule) ?? matchProblem(rule) ?? inActions ?? null;
}
