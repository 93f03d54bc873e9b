/**
 * What of the forwarding table a NIC can do by itself: packets from one endpoint to another of the
 * same network, both on VFs of that NIC. Same checks and same rewrite as the software eswitch
 * (docs/datapath.md): source MAC and address are the sender's own, destination is the address.
 *
 * Every field is matched exactly, so no two rules of a link overlap: any subset of them may be in
 * hardware without changing a verdict, and what matches none (forged senders above all) goes to the
 * software eswitch, which drops it.
 */
import type { FieldMatch, FlowAction, FlowField, FlowRef, FlowRule } from '../ir/flow.ts';
import { ipHex, macHex } from '../ir/flow-eval.ts';
import { PAIR_PRIO } from '../ir/flow-prio.ts';
import type { Ip, Mac, PortSlot } from '../lib/brand.ts';

/** Which packets of a pair: variants are rules of their own. */
export const PAIR_VARIANTS = ['ip4', 'ip6-tcp', 'ip6-udp'] as const;
export type PairVariant = (typeof PAIR_VARIANTS)[number];

/** An endpoint as a rule needs it. */
export interface PairPort {
  readonly slot: PortSlot;
  readonly rep: string;
  readonly mac: Mac;
  readonly ip4: Ip | null;
  readonly ip6: Ip | null;
}

const IP_PROTO = { 'ip6-tcp': 6, 'ip6-udp': 17 } as const;

const exact = (field: FlowField, value: string): FieldMatch => ({
  field,
  value,
  mask: 'f'.repeat(value.length),
});

const setMac = (field: 'eth_src' | 'eth_dst', mac: Mac): FlowAction => ({
  kind: 'pedit',
  field,
  value: macHex(mac),
  mask: 'ffffffffffff',
});

/**
 * Identity from the pair alone: the link is the sender, the handle names the receiver and the
 * variant, so no two pairs share one and nothing need be remembered.
 */
export function pairRef(src: Pick<PairPort, 'rep'>, dstSlot: number, variant: PairVariant): FlowRef {
  const { prio, protocol } = variant === 'ip4' ? PAIR_PRIO.ip4 : PAIR_PRIO.ip6;
  return { link: src.rep, chain: 0, prio, protocol, handle: pairHandle(dstSlot, variant) };
}

export const pairHandle = (dstSlot: number, variant: PairVariant): number =>
  (dstSlot + 1) * 4 + PAIR_VARIANTS.indexOf(variant);

/** The reverse of `pairRef`; null for an identity that is no pair's. */
export function pairOfRef({ chain, prio, handle }: Pick<FlowRef, 'chain' | 'prio' | 'handle'>): {
  readonly dstSlot: number;
  readonly variant: PairVariant;
} | null {
  const variant = PAIR_VARIANTS[handle % 4];
  const dstSlot = Math.floor(handle / 4) - 1;
  if (variant === undefined || dstSlot < 0 || chain !== 0) return null;
  const expected = variant === 'ip4' ? PAIR_PRIO.ip4.prio : PAIR_PRIO.ip6.prio;
  return prio === expected ? { dstSlot, variant } : null;
}

/** Variants for which both ends have an address. */
export function pairVariants(src: PairPort, dst: PairPort): readonly PairVariant[] {
  const has4 = src.ip4 !== null && dst.ip4 !== null;
  const has6 = src.ip6 !== null && dst.ip6 !== null;
  return PAIR_VARIANTS.filter(variant => (variant === 'ip4' ? has4 : has6));
}

/**
 * The rule, null when an end lacks the family.
 *
 * IPv6 goes by TCP and UDP, two rules: ICMPv6 must reach the software eswitch, because neighbour
 * solicitations for a unicast address are answered there and nowhere else (unicast probes of a
 * neighbour entry that grew stale carry the same addresses as data). Link-local pairs stay in
 * software for the same reason: hardly anything but neighbour discovery uses them.
 */
export function compilePair(
  switchMac: Mac,
  src: PairPort,
  dst: PairPort,
  variant: PairVariant,
): FlowRule | null {
  const addresses = addressMatches(src, dst, variant);
  if (addresses === null) return null;
  return {
    ...pairRef(src, dst.slot, variant),
    match: [exact('eth_dst', macHex(switchMac)), exact('eth_src', macHex(src.mac)), ...addresses],
    actions: [setMac('eth_src', switchMac), setMac('eth_dst', dst.mac), { kind: 'redirect', link: dst.rep }],
    where: 'hw',
  };
}

function addressMatches(src: PairPort, dst: PairPort, variant: PairVariant): FieldMatch[] | null {
  if (variant === 'ip4') {
    if (src.ip4 === null || dst.ip4 === null) return null;
    return [exact('ipv4_src', ipHex(src.ip4)), exact('ipv4_dst', ipHex(dst.ip4))];
  }
  if (src.ip6 === null || dst.ip6 === null) return null;
  const proto = IP_PROTO[variant].toString(16).padStart(2, '0');
  return [exact('ip_proto', proto), exact('ipv6_src', ipHex(src.ip6)), exact('ipv6_dst', ipHex(dst.ip6))];
}
