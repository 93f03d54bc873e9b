/**
 * Which tc priorities we use, and for what. The kernel wants one protocol per priority, and a smaller
 * number is asked first. The numbers are fixed: they are part of a rule's identity, so a daemon finds
 * the rules of the one before it. Others (OVS takes 1..6, people 49152 and up by default) keep clear
 * of the band.
 */
import type { FlowField } from './flow.ts';

/** ETH_P_IP and ETH_P_IPV6 of include/uapi/linux/if_ether.h. */
export const ETH_P_IP = 0x0800;
export const ETH_P_IPV6 = 0x86dd;
export const ETH_P_ARP = 0x0806;

/** First and last priority of ours. */
export const BAND = { first: 0x2000, last: 0x20ff } as const;

export interface PrioUse {
  readonly prio: number;
  readonly protocol: number;
  /** Fields matched by every rule here, all of them exactly: no two rules of one link overlap. */
  readonly fields: readonly FlowField[];
}

/** From one endpoint to another of the same network and NIC. */
export const PAIR_PRIO = {
  ip4: {
    prio: 0x2010,
    protocol: ETH_P_IP,
    fields: ['eth_src', 'eth_dst', 'ipv4_src', 'ipv4_dst'],
  },
  ip6: {
    prio: 0x2011,
    protocol: ETH_P_IPV6,
    fields: ['eth_src', 'eth_dst', 'ip_proto', 'ipv6_src', 'ipv6_dst'],
  },
} as const satisfies Record<string, PrioUse>;

/** Kept for tunnels: 0x2020..0x202f on representors (encapsulation), 0x2030..0x203f on tunnel devices. */
export const TUNNEL_PRIO = { encap: 0x2020, decap: 0x2030 } as const;

/**
 * Rules put to find out what a NIC takes, and removed at once. Asked last, and they match addresses
 * that nobody has, so that they take no packet. One priority per protocol, as the kernel wants it.
 */
export const PROBE_PRIO = {
  ip4: 0x20f0,
  ip6: 0x20f1,
  arp: 0x20f2,
  vlan: 0x20f3,
  qinq: 0x20f4,
  all: 0x20f5,
} as const;

export const isOurPrio = (prio: number): boolean => prio >= BAND.first && prio <= BAND.last;
