/* SPDX-License-Identifier: GPL-2.0
 *
 * Per-CPU cache of forwarding decisions, direct-mapped. Two hash lookups (port, destination) cost
 * more than all the rest of the program; a hit here needs none. An entry holds everything its
 * packets were checked for (port, source MAC, source and destination address) and is valid for
 * FLOW_TICKS timer ticks of the same forwarding table generation: a change of the tables takes
 * effect at once for a swapped generation, within 20 ms (HZ=100; 8 ms with 250) for a single entry,
 * and nobody has to invalidate anything. Each CPU has its own entries and the hook runs with bottom
 * halves off, so an entry is never seen half-written.
 */
#ifndef ESW_FLOW_H
#define ESW_FLOW_H

#include "counters.h"
#include "parse.h"

#define FLOW_TICKS 2

static __always_inline struct esw_flow *flow_slot(__u32 ifindex, __u32 src, __u32 dst)
{
	__u32 i = (src * 0x9e3779b1u + dst * 0x85ebca6bu + ifindex * 0xc2b2ae35u) >>
		  (32 - ESW_FLOW_BITS);

	return bpf_map_lookup_elem(&flows, &i);
}

static __always_inline struct esw_flow *flow_slot6(__u32 ifindex, const struct ipv6_hdr *ip)
{
	return flow_slot(ifindex, ip->src[0] ^ ip->src[1] ^ ip->src[2] ^ ip->src[3],
			 ip->dst[0] ^ ip->dst[1] ^ ip->dst[2] ^ ip->dst[3]);
}

/* Everything but the addresses. */
static __always_inline int flow_fits(struct __sk_buff *skb, const struct esw_flow *flow,
				     const struct eth_hdr *eth)
{
	return flow->type == eth->type && flow->in_ifindex == skb->ifindex &&
	       bpf_jiffies64() - flow->tick < FLOW_TICKS && mac_equal(flow->in_mac, eth->src) &&
	       flow->generation == fib_generation() && skb->pkt_type == PKT_HOST &&
	       !skb->vlan_present;
}

/* The end of a flow from or to a NIC's function. */
static __noinline int flow_finish(const struct esw_flow *flow, __u32 bytes)
{
	if (flow->flags & ESW_FLOW_COUNT_PAIR)
		count_pair(flow->in_slot, flow->out_slot, flow->type, bytes);
	return flow->flags & ESW_FLOW_TRANSMIT ? bpf_redirect(flow->out_ifindex, 0)
					       : bpf_redirect_peer(flow->out_ifindex, 0);
}

static __always_inline int flow_forward(struct __sk_buff *skb, const struct esw_flow *flow,
					struct eth_hdr *eth)
{
	mac_copy(eth->dst, flow->out_dst);
	mac_copy(eth->src, flow->out_src);
	count_rx(flow->in_slot, skb->len);
	count_tx(flow->out_slot, skb->len);
	if (unlikely(flow->flags))
		return flow_finish(flow, skb->len);
	return bpf_redirect_peer(flow->out_ifindex, 0);
}

/* The verdict for an IPv6 packet of a known flow, or -1. Only what carries TCP or UDP right behind
 * its header is taken: the rest may be neighbour discovery. */
static __noinline int flow_input6(struct __sk_buff *skb)
{
	void *frame = frame_start(skb);
	struct ipv6_hdr *ip = frame + ETH_LEN;
	struct esw_flow *flow;

	if (frame + ETH_LEN + IPV6_LEN > frame_end(skb))
		return -1;
	if (!ipv6_is_version6(ip) || (ip->next != PROTO_TCP && ip->next != PROTO_UDP))
		return -1;
	flow = flow_slot6(skb->ifindex, ip);
	if (!flow || !addr_equal(flow->dst, ip->dst) || !addr_equal(flow->src, ip->src) ||
	    !flow_fits(skb, flow, frame))
		return -1;
	return flow_forward(skb, flow, frame);
}

/* The verdict for a packet of a known flow, or -1. */
static __always_inline int flow_input(struct __sk_buff *skb)
{
	void *frame = frame_start(skb);
	struct eth_hdr *eth = frame;
	struct ipv4_hdr *ip = frame + ETH_LEN;
	struct esw_flow *flow;

	if (unlikely(frame + ETH_LEN + IPV4_LEN > frame_end(skb)))
		return -1;
	if (eth->type != bpf_htons(ETHERTYPE_IPV4))
		return eth->type == bpf_htons(ETHERTYPE_IPV6) ? flow_input6(skb) : -1;
	flow = flow_slot(skb->ifindex, ip->src, ip->dst);
	if (unlikely(!flow || flow->dst[0] != ip->dst || flow->src[0] != ip->src ||
		     ip->version_ihl != 0x45 || !flow_fits(skb, flow, eth)))
		return -1;
	return flow_forward(skb, flow, eth);
}

/* Keeps a decision for the packets that follow. `eth` has not been rewritten yet. */
static __noinline void flow_learn(struct __sk_buff *skb, struct esw_port *port, struct esw_net *net,
				  struct esw_fib *to)
{
	void *frame = frame_start(skb);
	struct eth_hdr *eth = frame;
	struct esw_flow *flow;

	if (frame + ETH_LEN + IPV4_LEN > frame_end(skb))
		return;
	if (eth->type == bpf_htons(ETHERTYPE_IPV4)) {
		struct ipv4_hdr *ip = frame + ETH_LEN;

		flow = flow_slot(skb->ifindex, ip->src, ip->dst);
		if (!flow)
			return;
		flow->src[0] = ip->src;
		flow->dst[0] = ip->dst;
	} else {
		struct ipv6_hdr *ip = frame + ETH_LEN;

		if (frame + ETH_LEN + IPV6_LEN > frame_end(skb))
			return;
		flow = flow_slot6(skb->ifindex, ip);
		if (!flow)
			return;
		addr_copy(flow->src, ip->src);
		addr_copy(flow->dst, ip->dst);
	}
	flow->tick = bpf_jiffies64();
	flow->generation = fib_generation();
	flow->type = eth->type;
	flow->in_ifindex = skb->ifindex;
	flow->in_slot = port->slot;
	flow->out_ifindex = to->ifindex;
	flow->out_slot = to->slot;
	flow->flags = (to->flags & ESW_FIB_TRANSMIT ? ESW_FLOW_TRANSMIT : 0) |
		      (port->flags & ESW_PORT_COUNT_PAIRS ? ESW_FLOW_COUNT_PAIR : 0);
	mac_copy(flow->in_mac, eth->src);
	mac_copy(flow->out_dst, to->mac);
	mac_copy(flow->out_src, net->switch_mac);
}

#endif
