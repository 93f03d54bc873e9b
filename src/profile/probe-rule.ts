/** Parts of probing rules: values of no packet, one priority per protocol. Pure. */
import { type FieldMatch, FLOW_FIELDS, type FlowAction, type FlowField, type FlowRule } from '../ir/flow.ts';
import { fullMask } from '../ir/flow-normal.ts';
import { ETH_P_ARP, ETH_P_IP, ETH_P_IPV6, PROBE_PRIO } from '../ir/flow-prio.ts';

export const ETH_P_ALL = 0x0003;
export const ETH_P_8021Q = 0x8100;
export const ETH_P_8021AD = 0x88a8;

const PRIO: Readonly<Record<number, number>> = {
  [ETH_P_IP]: PROBE_PRIO.ip4,
  [ETH_P_IPV6]: PROBE_PRIO.ip6,
  [ETH_P_ARP]: PROBE_PRIO.arp,
  [ETH_P_8021Q]: PROBE_PRIO.vlan,
  [ETH_P_8021AD]: PROBE_PRIO.qinq,
  [ETH_P_ALL]: PROBE_PRIO.all,
};

/** Rules are removed before the next is put, so one handle does for all. */
const HANDLE = 1;

/** Values of no packet: local MACs, RFC 5737 and 3849 addresses, discard ports. */
const VALUES: Readonly<Record<FlowField, string>> = {
  eth_dst: '0a70726f6265',
  eth_src: '0a70726f6266',
  vlan_id: '0ffe',
  vlan_prio: '07',
  vlan_ethtype: '0800',
  cvlan_id: '0ffe',
  cvlan_prio: '07',
  cvlan_ethtype: '0800',
  ip_proto: '06',
  ip_tos: '04',
  ip_ttl: '01',
  ip_flags: '00000001',
  ipv4_src: 'c0000201',
  ipv4_dst: 'c0000202',
  ipv6_src: '20010db8000000000000000000000001',
  ipv6_dst: '20010db8000000000000000000000002',
  src_port: '0009',
  dst_port: '0009',
  tcp_flags: '0002',
  icmp_type: '08',
  icmp_code: '00',
  enc_key_id: '00fffffe',
  enc_ipv4_src: 'c0000203',
  enc_ipv4_dst: 'c0000204',
  enc_ipv6_src: '20010db8000000000000000000000003',
  enc_ipv6_dst: '20010db8000000000000000000000004',
  enc_src_port: '0009',
  enc_dst_port: '12b5',
  enc_ip_tos: '04',
  enc_ip_ttl: '01',
};

/** Masks other than whole fields: single bits of a field of flags. */
const MASKS: Readonly<Partial<Record<FlowField, string>>> = { ip_flags: '00000001', tcp_flags: '0002' };

export const exact = (field: FlowField, value: string = VALUES[field]): FieldMatch => ({
  field,
  value: value.padStart(FLOW_FIELDS[field] * 2, '0'),
  mask: MASKS[field] ?? fullMask(field),
});

export function ruleOf(
  link: string,
  protocol: number,
  match: readonly FieldMatch[],
  actions: readonly FlowAction[],
  chain = 0,
): FlowRule {
  const where = protocol in PRIO ? 'hw' : 'both';
  return {
    link,
    chain,
    prio: PRIO[protocol] ?? PROBE_PRIO.all,
    protocol,
    handle: HANDLE,
    match,
    actions,
    where,
  };
}
