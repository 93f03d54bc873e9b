/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
 *
 * Records shared by the eBPF programs and their users (src/kernel/native/tables.ts mirrors them).
 * Addresses are in network byte order; IPv4 is stored as the IPv4-mapped IPv6 address
 * ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), so that one table serves both families. Everything
 * else is host-endian.
 */
#ifndef ESW_MAPS_H
#define ESW_MAPS_H

#define ESW_MAPS_VERSION 1 /* part of the pin path: …/v1/ */

/* map "ports": HASH, key u32 ifindex of the representor (the port's host side). */
#define ESW_PORT_TRUSTED 1u /* gateway port: no source checks (the host forwards for others) */
#define ESW_PORT_COUNT_PAIRS 2u /* what it sends is counted in "pairs" too: a NIC's function */
struct esw_port {
	__u32 slot; /* index into "stats" */
	__u32 net;  /* index into "nets", 1..65535 */
	__u8 mac[6]; /* of the function side: the only source MAC it may use */
	__u16 flags; /* ESW_PORT_* */
	__u32 ip4_be; /* the only IPv4 source it may use, 0 = none */
	__u8 ip6[16]; /* the only global IPv6 source, :: = none; fe80::EUI-64(mac) is always allowed */
};

/* map "nets": ARRAY, key u32 net. An all-zero entry is an absent network. */
#define ESW_NET_INTERNAL 1u /* nothing leaves: destinations outside the subnets are dropped */
#define ESW_NET_PRESENT 2u
struct esw_net {
	__u32 flags; /* ESW_NET_* */
	__u32 gw_ifindex; /* gateway function side (a host device): packets out are received there */
	__u32 gw_slot;
	__u8 switch_mac[6]; /* the one MAC that every peer shows */
	__u8 gw_mac[6];     /* of the gateway function side */
};

/* map "subnets": LPM_TRIE, consulted on a forwarding-table miss only: a destination inside a
 * subnet of the network that has no entry is dropped, one outside goes to the gateway. */
struct esw_subnet_key {
	__u32 prefixlen; /* bits: 32 (net) + 96 (v4-mapped) + the subnet's own length */
	__u32 net_be;    /* net, network order */
	__u8 addr[16];
};
struct esw_subnet { __u32 flags; };

/* map "fib": ARRAY_OF_MAPS[1] of HASH, the forwarding table's live generation. */
#define ESW_FIB_LOCAL_HOST 1u /* deliver to the host stack: ifindex is a host device, not a representor */
#define ESW_FIB_TRANSMIT 2u /* send out of the representor: its NIC hands the packet to the function */
struct esw_fib_key {
	__u32 net;
	__u8 addr[16];
};
struct esw_fib {
	__u32 ifindex; /* of the representor; with LOCAL_HOST, of the host device */
	__u32 slot;
	__u8 mac[6]; /* destination MAC to write */
	__u16 flags; /* ESW_FIB_* */
};

/* map "stats": PERCPU_ARRAY, key u32 slot. rx: from the container into the switch; tx: out of the
 * switch to the container. */
struct esw_stats {
	__u64 rx_packets;
	__u64 rx_bytes;
	__u64 tx_packets;
	__u64 tx_bytes;
};

/* map "pairs": LRU_PERCPU_HASH, what ports with ESW_PORT_COUNT_PAIRS sent to other ports, by where it
 * went. In a full map the pair that was silent longest gives way. */
struct esw_pair_key {
	__u32 src; /* slots */
	__u32 dst;
	__u32 family; /* 4 or 6 */
};
struct esw_pair {
	__u64 packets;
	__u64 bytes;
};

/* map "drops": PERCPU_HASH (no prealloc), value struct esw_drop. */
struct esw_drop_key {
	__u32 slot; /* of the port that sent the packet; ~0 when its port is not in "ports" */
	__u32 reason; /* enum esw_reason */
};
struct esw_drop {
	__u64 packets;
	__u64 bytes;
};
enum esw_reason {
	ESW_DROP_NO_PORT = 1,      /* representor without an entry in "ports" */
	ESW_DROP_SRC_MAC = 2,      /* source MAC is not the port's */
	ESW_DROP_SRC_IP = 3,       /* source address is not the port's */
	ESW_DROP_NO_DST = 4,       /* destination in the subnet, no such endpoint */
	ESW_DROP_MULTICAST = 5,    /* multicast or broadcast, not ARP / ND */
	ESW_DROP_ETHERTYPE = 6,    /* neither IPv4, IPv6 nor ARP */
	ESW_DROP_VLAN = 7,         /* VLAN-tagged frame */
	ESW_DROP_MALFORMED = 8,    /* too short, bad header length */
	ESW_DROP_ARP_UNKNOWN = 9,  /* ARP / ND question for an address nobody has */
	ESW_DROP_ARP_SPOOF = 10,   /* ARP / ND whose sender fields are not the port's */
	ESW_DROP_INTERNAL = 11,    /* destination outside an internal network */
	ESW_DROP_LOOPBACK = 12,    /* 127.0.0.0/8 or ::1 on the wire */
	ESW_DROP_NO_NET = 13,      /* network absent (being removed) */
	ESW_DROP_ND_IGNORED = 14,  /* DAD probe, RS, RA, MLD: answered by nobody, harmless */
	ESW_DROP_MAX = 15,
};

#endif
