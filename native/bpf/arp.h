/* SPDX-License-Identifier: GPL-2.0
 *
 * ARP (RFC 826, probes and announcements RFC 5227), answered from the forwarding table: nothing
 * is ever flooded and every neighbour has the network's one switch MAC.
 */
#ifndef ESW_ARP_H
#define ESW_ARP_H

#include "answer.h"
#include "parse.h"

struct arp_frame {
	struct eth_hdr eth;
	__u16 hw_type;
	__u16 proto;
	__u8 hw_len;
	__u8 proto_len;
	__u16 op;
	__u8 sender_mac[6];
	__u32 sender_ip;
	__u8 target_mac[6];
	__u32 target_ip;
} __attribute__((packed, aligned(2)));

#define ARP_REQUEST 1
#define ARP_REPLY 2

static __always_inline int arp_is_ethernet_ipv4(const struct arp_frame *a)
{
	return a->hw_type == bpf_htons(1) && a->proto == bpf_htons(ETHERTYPE_IPV4) &&
	       a->hw_len == 6 && a->proto_len == 4;
}

/* Sender fields of an untrusted port must be its own; a probe has sender address 0. */
static __always_inline int arp_sender_ok(const struct arp_frame *a, const struct esw_port *port)
{
	if (port->flags & ESW_PORT_TRUSTED)
		return 1;
	return mac_equal(a->sender_mac, port->mac) &&
	       (!a->sender_ip || a->sender_ip == port->ip4_be);
}

static __noinline int arp_input(struct __sk_buff *skb, struct esw_port *port, struct esw_net *net)
{
	struct esw_fib_key key = {};
	struct arp_frame *a, reply;
	struct esw_fib *holder;
	__u32 bytes = skb->len;

	a = frame_head(skb, sizeof(*a));
	if (!a || !arp_is_ethernet_ipv4(a))
		return drop(skb, port->slot, ESW_DROP_MALFORMED);
	if (!arp_sender_ok(a, port))
		return drop(skb, port->slot, ESW_DROP_ARP_SPOOF);
	if (a->op != bpf_htons(ARP_REQUEST) || a->sender_ip == a->target_ip)
		return drop(skb, port->slot, ESW_DROP_ND_IGNORED);

	key.net = port->net;
	((u32_a *)key.addr)[2] = bpf_htonl(0xffff);
	((u32_a *)key.addr)[3] = a->target_ip;
	holder = fib_lookup(&key);
	if (!holder)
		return drop(skb, port->slot,
			    a->sender_ip ? ESW_DROP_ARP_UNKNOWN : ESW_DROP_ND_IGNORED);
	if (holder->slot == port->slot)
		return drop(skb, port->slot, ESW_DROP_ND_IGNORED);

	mac_copy(reply.eth.dst, a->eth.src);
	mac_copy(reply.eth.src, net->switch_mac);
	reply.eth.type = bpf_htons(ETHERTYPE_ARP);
	reply.hw_type = bpf_htons(1);
	reply.proto = bpf_htons(ETHERTYPE_IPV4);
	reply.hw_len = 6;
	reply.proto_len = 4;
	reply.op = bpf_htons(ARP_REPLY);
	mac_copy(reply.sender_mac, net->switch_mac);
	reply.sender_ip = a->target_ip;
	mac_copy(reply.target_mac, a->sender_mac);
	reply.target_ip = a->sender_ip;
	if (bpf_skb_store_bytes(skb, 0, &reply, sizeof(reply), 0))
		return drop(skb, port->slot, ESW_DROP_MALFORMED);
	return answer(skb, port->slot, bytes);
}

#endif
