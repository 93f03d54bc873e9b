/* SPDX-License-Identifier: GPL-2.0
 *
 * Forwarding by (network, destination address) with both MACs rewritten. TTL is left alone: to the
 * containers this is one link.
 */
#ifndef ESW_FORWARD_H
#define ESW_FORWARD_H

#include "counters.h"
#include "flow.h"
#include "parse.h"

/* Frames that were not addressed to the switch MAC: another unicast MAC (a stale neighbour entry)
 * is as good as ours, a broadcast or multicast MAC on a unicast packet is not (RFC 1122 3.3.6).
 * Returns 0, or the drop reason. */
static __always_inline int forward_accept_type(struct __sk_buff *skb)
{
	if (likely(skb->pkt_type == PKT_HOST))
		return 0;
	if (skb->pkt_type != PKT_OTHERHOST || bpf_skb_change_type(skb, PKT_HOST))
		return ESW_DROP_MULTICAST;
	return 0;
}

static __always_inline void forward_rewrite(void *frame, const void *dst, const void *src)
{
	struct eth_hdr *eth = frame;

	mac_copy(eth->dst, dst);
	mac_copy(eth->src, src);
}

/* Why a destination without an entry goes nowhere, or 0 if it is one for the gateway. */
static __always_inline int miss_reason(const struct esw_port *port, const struct esw_net *net,
				       const struct esw_fib_key *key)
{
	const u32_a *a = (const u32_a *)key->addr;
	struct esw_subnet_key subnet = {.prefixlen = 160, .net_be = bpf_htonl(port->net)};

	if (!a[0] && !a[1] && a[2] == bpf_htonl(0xffff)) {
		__u32 ip4 = bpf_ntohl(a[3]);

		if (ip4 >> 24 == 127)
			return ESW_DROP_LOOPBACK;
		if (ip4 >> 28 == 14 || ip4 == 0xffffffff)
			return ESW_DROP_MULTICAST;
	} else {
		if (!a[0] && !a[1] && !a[2] && a[3] == bpf_htonl(1))
			return ESW_DROP_LOOPBACK;
		if (*key->addr == 0xff)
			return ESW_DROP_MULTICAST;
		/* Link-local addresses live on this link only. */
		if ((a[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000))
			return ESW_DROP_NO_DST;
	}
	addr_copy(subnet.addr, key->addr);
	if (bpf_map_lookup_elem(&subnets, &subnet))
		return ESW_DROP_NO_DST;
	if (net->flags & ESW_NET_INTERNAL)
		return ESW_DROP_INTERNAL;
	/* What the gateway port sends to a network must be for that network: handing it back to the
	 * host would loop. */
	return port->flags & ESW_PORT_TRUSTED ? ESW_DROP_NO_DST : 0;
}

/* No entry: out through the gateway, or a drop. */
static __noinline int forward_miss(struct __sk_buff *skb, struct esw_port *port,
				   struct esw_net *net, struct esw_fib_key *key)
{
	int reason = miss_reason(port, net, key);
	void *frame;

	if (!reason)
		reason = forward_accept_type(skb);
	if (reason)
		return drop(skb, port->slot, reason);
	frame = frame_head(skb, ETH_LEN);
	if (!frame)
		return drop(skb, port->slot, ESW_DROP_MALFORMED);
	forward_rewrite(frame, net->gw_mac, net->switch_mac);
	count_rx(port->slot, skb->len);
	count_tx(net->gw_slot, skb->len);
	return bpf_redirect(net->gw_ifindex, BPF_F_INGRESS);
}

static __always_inline int forward(struct __sk_buff *skb, struct esw_port *port,
				   struct esw_net *net, struct esw_fib_key *key, void *frame)
{
	struct esw_fib *to = fib_lookup(key);
	int reason;

	if (unlikely(!to))
		return forward_miss(skb, port, net, key);
	reason = forward_accept_type(skb);
	if (unlikely(reason))
		return drop(skb, port->slot, reason);
	if (!(to->flags & ESW_FIB_LOCAL_HOST))
		flow_learn(skb, port, net, to);
	forward_rewrite(frame, to->mac, net->switch_mac);
	count_rx(port->slot, skb->len);
	count_tx(to->slot, skb->len);
	if (to->flags & ESW_FIB_LOCAL_HOST)
		return bpf_redirect(to->ifindex, BPF_F_INGRESS);
	if (port->flags & ESW_PORT_COUNT_PAIRS)
		count_pair(port->slot, to->slot, ((struct eth_hdr *)frame)->type, skb->len);
	if (to->flags & ESW_FIB_TRANSMIT)
		return bpf_redirect(to->ifindex, 0);
	return bpf_redirect_peer(to->ifindex, 0);
}

#endif
