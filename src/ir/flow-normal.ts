/** One way of writing each flow rule: what the kernel would show of it. */
import {
  type FieldMatch,
  FLOW_FIELDS,
  type FlowAction,
  type FlowField,
  type FlowRule,
  type PeditField,
} from './flow.ts';

/** Field → length in bytes. */
export const PEDIT_FIELDS: Readonly<Record<PeditField, number>> = {
  eth_dst: 6,
  eth_src: 6,
  ipv4_src: 4,
  ipv4_dst: 4,
  ip_ttl: 1,
  ip_tos: 1,
  ipv6_src: 16,
  ipv6_dst: 16,
  ipv6_hoplimit: 1,
  tcp_sport: 2,
  tcp_dport: 2,
  udp_sport: 2,
  udp_dport: 2,
};

const ORDER: ReadonlyMap<FlowField, number> = new Map(
  (Object.keys(FLOW_FIELDS) as FlowField[]).map((field, index) => [field, index]),
);
const CSUM_ORDER = ['ipv4', 'icmp', 'tcp', 'udp', 'sctp'] as const;

const isZero = (hex: string): boolean => /^0*$/.test(hex);

/** Whether a text is `digits` lower-case hex digits. By hand: it is asked twice for every field of every rule. */
export function isHex(text: string, digits: number): boolean {
  if (text.length !== digits) return false;
  for (let i = 0; i < digits; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x66 || (code > 0x39 && code < 0x61)) return false;
  }
  return true;
}

function isAllOnes(mask: string): boolean {
  for (let i = 0; i < mask.length; i++) if (mask.charCodeAt(i) !== 0x66) return false;
  return true;
}

/** `value` AND `mask`, both hex of one length. */
export function maskHex(value: string, mask: string): string {
  if (isAllOnes(mask)) return value;
  let out = '';
  for (let at = 0; at < value.length; at++)
    out += (Number.parseInt(value[at] ?? '0', 16) & Number.parseInt(mask[at] ?? '0', 16)).toString(16);
  return out;
}

/** Fields with fewer bits than their bytes have. */
const NARROW: Readonly<Partial<Record<FlowField, string>>> = {
  vlan_id: '0fff',
  vlan_prio: '07',
  cvlan_id: '0fff',
  cvlan_prio: '07',
};

const FULL = Object.fromEntries(
  Object.entries(FLOW_FIELDS).map(([field, length]) => [field, 'ff'.repeat(length)]),
) as Readonly<Record<FlowField, string>>;

/** Mask with all bits of a field, as hex: twelve for a VLAN ID. */
export function fullMask(field: FlowField): string {
  return NARROW[field] ?? FULL[field];
}

/** Written as it is kept: the field's whole mask, and nothing else to look at. */
const isPlain = ({ field, value, mask }: FieldMatch): boolean =>
  NARROW[field] === undefined && mask === FULL[field] && isHex(value, mask.length);

function normalField({ field, value, mask }: FieldMatch): FieldMatch {
  const digits = 2 * FLOW_FIELDS[field];
  for (const hex of [value, mask])
    if (!isHex(hex, digits)) throw new RangeError(`${field}: "${hex}" is not ${digits} hex digits`);
  const bits = maskHex(mask, fullMask(field));
  return { field, value: maskHex(value, bits), mask: bits };
}

const order = ({ field }: FieldMatch): number => ORDER.get(field) ?? 0;

function isNormal(match: readonly FieldMatch[]): boolean {
  let before = -1;
  for (const entry of match) {
    const place = order(entry);
    if (place <= before || !isPlain(entry)) return false;
    before = place;
  }
  return true;
}

/**
 * Fields in the order of FLOW_FIELDS, values masked, fields with an empty mask left out; the same array
 * where nothing is to be changed. Throws RangeError for a value or mask of another length than its field,
 * and for a field given twice.
 */
export function normalMatch(match: readonly FieldMatch[]): readonly FieldMatch[] {
  if (isNormal(match)) return match;
  const kept = match
    .map(normalField)
    .filter(({ mask }) => !isZero(mask))
    .sort((a, b) => order(a) - order(b));
  kept.forEach((entry, index) => {
    if (entry.field === kept[index - 1]?.field) throw new RangeError(`${entry.field} is given twice`);
  });
  return kept;
}

const NS_PER_S = 1_000_000_000n;
const NS_PER_TICK = 64n;
const rounded = (value: bigint, by: bigint): bigint => (value + by / 2n) / by;

/** The kernel keeps whole bytes per second, and a burst as the ticks of 64 ns that it takes at that rate. */
function normalPolice(rateBps: number, burstBytes: number): { rateBps: number; burstBytes: number } {
  const rate = BigInt(Math.floor(rateBps / 8));
  const ticks = rounded(rounded(BigInt(burstBytes) * NS_PER_S, rate), NS_PER_TICK);
  const burst = rounded(ticks * NS_PER_TICK * rate, NS_PER_S);
  return { rateBps: Number(rate * 8n), burstBytes: Number(burst) };
}

/** The same object where nothing is to be changed. */
function normalAction(action: FlowAction): FlowAction {
  switch (action.kind) {
    case 'tunnel-set':
      // 0 is what the kernel takes for a type of service or a time to live that is not given.
      return action.tos === 0 || action.ttl === 0
        ? { ...action, tos: action.tos || null, ttl: action.ttl || null }
        : action;
    case 'police':
      return { ...action, ...normalPolice(action.rateBps, action.burstBytes) };
    case 'pedit': {
      const value = maskHex(action.value, action.mask);
      return value === action.value ? action : { ...action, value };
    }
    case 'csum':
      return { ...action, of: CSUM_ORDER.filter(name => action.of.includes(name)) };
    default:
      return action;
  }
}

/**
 * The rule as a dump of the kernel shows it; the same object if it is so already. Throws RangeError as
 * `normalMatch`.
 */
export function normalFlow(rule: FlowRule): FlowRule {
  const match = normalMatch(rule.match);
  const actions = rule.actions.map(normalAction);
  const isSame = match === rule.match && actions.every((action, i) => action === rule.actions[i]);
  return isSame ? rule : { ...rule, match, actions };
}
