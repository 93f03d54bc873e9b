/** Flow rules as stable text, one line each, in the words of tc-flower(8). */
import type { FieldMatch, FlowAction, FlowField, FlowRef, FlowRule } from './flow.ts';
import { fullMask, normalFlow } from './flow-normal.ts';

const PROTOCOL: Readonly<Record<number, string>> = {
  0x0003: 'all',
  0x0800: 'ip',
  0x86dd: 'ipv6',
  0x0806: 'arp',
  0x8100: '802.1Q',
  0x88a8: '802.1ad',
};
const WHERE = { hw: 'skip_sw', both: null, sw: 'skip_hw' } as const;
const DECIMAL: ReadonlySet<FlowField> = new Set([
  'vlan_id',
  'vlan_prio',
  'cvlan_id',
  'cvlan_prio',
  'ip_proto',
  'ip_ttl',
  'src_port',
  'dst_port',
  'icmp_type',
  'icmp_code',
  'enc_key_id',
  'enc_src_port',
  'enc_dst_port',
  'enc_ip_ttl',
]);

const words = (...parts: readonly (string | number | null | false)[]): string =>
  parts.filter(part => part !== null && part !== false).join(' ');

const pairs = (hex: string): readonly string[] => hex.match(/../g) ?? [];

/** RFC 5952: the longest run of zero groups is left out. */
function ipv6(hex: string): string {
  const groups = (hex.match(/..../g) ?? []).map(group => group.replace(/^0{1,3}/, ''));
  const runs = [...groups.join(':').matchAll(/(?<![0-9a-f])0(?::0(?![0-9a-f]))+/g)].map(match => match[0]);
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return groups.join(':');
  const text = groups.join(':');
  const at = text.search(new RegExp(`(?<![0-9a-f])${longest}(?![0-9a-f])`));
  const before = text.slice(0, at).replace(/:$/, '');
  const after = text.slice(at + longest.length).replace(/^:/, '');
  return `${before}::${after}`;
}

/** Bytes of a field, as hex, in the notation of that field. */
export function printFieldValue(field: string, hex: string): string {
  if (/eth_(src|dst)$/.test(field)) return pairs(hex).join(':');
  if (field.includes('ipv4'))
    return pairs(hex)
      .map(byte => Number.parseInt(byte, 16))
      .join('.');
  if (/ipv6_(src|dst)$/.test(field)) return ipv6(hex);
  if (DECIMAL.has(field as FlowField)) return String(Number.parseInt(hex, 16));
  return `0x${hex}`;
}

/** Length of a prefix mask, null for a mask that is none. */
function prefixLength(mask: string): number | null {
  const bits = pairs(mask)
    .map(byte => Number.parseInt(byte, 16).toString(2).padStart(8, '0'))
    .join('');
  return /^1*0*$/.test(bits) ? bits.replace(/0*$/, '').length : null;
}

function printMatch({ field, value, mask }: FieldMatch): string {
  const text = printFieldValue(field, value);
  if (mask === fullMask(field)) return `${field} ${text}`;
  const prefix = /ipv[46]/.test(field) ? prefixLength(mask) : null;
  return `${field} ${text}/${prefix ?? `0x${mask}`}`;
}

/** One action, as `tc` would be given it. */
export function printFlowAction(action: FlowAction): string {
  switch (action.kind) {
    case 'redirect':
    case 'mirror':
      return `mirred egress ${action.kind} dev ${action.link}`;
    case 'pedit': {
      const { field, value, mask } = action;
      const full = /^f*$/.test(mask);
      return words('pedit', field, 'set', printFieldValue(field, value), !full && `retain 0x${mask}`);
    }
    case 'csum':
      return words('csum', ...action.of);
    case 'tunnel-set': {
      const { vni, src, dst, dstPort, tos, ttl, csum } = action;
      return words(
        `tunnel_key set id ${vni} src_ip ${src} dst_ip ${dst} dst_port ${dstPort}`,
        tos !== null && `tos ${tos}`,
        ttl !== null && `ttl ${ttl}`,
        csum ? 'csum' : 'nocsum',
      );
    }
    case 'tunnel-unset':
      return 'tunnel_key unset';
    case 'vlan-push':
    case 'vlan-modify': {
      const protocol = action.tpid === 0x8100 ? '802.1Q' : '802.1ad';
      return `vlan ${action.kind.slice(5)} id ${action.id} protocol ${protocol} priority ${action.prio}`;
    }
    case 'vlan-pop':
      return 'vlan pop';
    case 'police':
      return `police rate ${action.rateBps}bit burst ${action.burstBytes}b`;
    case 'drop':
    case 'pass':
    case 'trap':
      return action.kind;
    case 'goto':
      return `goto chain ${action.chain}`;
  }
}

/** `dev eth0 chain 0 prio 1 protocol ip handle 0x2a`. */
export function printFlowRef({ link, chain, prio, protocol, handle }: FlowRef): string {
  const name = PROTOCOL[protocol] ?? `0x${protocol.toString(16).padStart(4, '0')}`;
  return `dev ${link} chain ${chain} prio ${prio} protocol ${name} handle 0x${handle.toString(16)}`;
}

/** The whole rule in one line: equal text for equal rules, however they were written. */
export function printFlow(rule: FlowRule): string {
  const { match, actions, where } = normalFlow(rule);
  return words(
    printFlowRef(rule),
    WHERE[where],
    ...match.map(printMatch),
    ...actions.map(action => `action ${printFlowAction(action)}`),
  );
}
