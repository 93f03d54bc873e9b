/** Why the software eswitch dropped a packet: enum esw_reason of native/bpf/esw_maps.h, in its order. */
export const DROP_REASONS = [
  'none',
  'no_port',
  'src_mac',
  'src_ip',
  'no_destination',
  'multicast',
  'ethertype',
  'vlan',
  'malformed',
  'arp_unknown',
  'arp_spoof',
  'internal',
  'loopback',
  'no_network',
  'nd_ignored',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];
