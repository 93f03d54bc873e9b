/* SPDX-License-Identifier: GPL-2.0
 *
 * IPv4 and IPv6 input: what makes a packet acceptable from its port. Only the network layer is
 * looked at, so fragments need no care.
 */
#ifndef ESW_IP_H
#define ESW_IP_H

#include "forward.h"
#include "nd.h"
#include "parse.h"

static __always_inline int ipv4_source_reason(const struct ipv4_hdr *ip, const struct esw_port *port)
{
	if (port->flags & ESW_PORT_TRUSTED)
		return (ip->src & bpf_htonl(0xff000000)) == bpf_htonl(0x7f000000) ?
			ESW_DROP_LOOPBACK : 0;
	return ip->src == port->ip4_be && ip->src ? 0 : ESW_DROP_SRC_IP;
}

static __always_inline int ipv4_input(struct __sk_buff *skb, struct esw_port *port,
				      struct esw_net *net)
{
	struct esw_fib_key key;
	struct ipv4_hdr *ip;
	void *frame = frame_head(skb, ETH_LEN + IPV4_LEN);
	int reason;

	if (unlikely(!frame))
		return drop(skb, port->slot, ESW_DROP_MALFORMED);
	ip = frame + ETH_LEN;
	if (unlikely(ip->version_ihl != 0x45)) {
		__u32 header = (ip->version_ihl & 15) * 4;

		if (ip->version_ihl >> 4 != 4 || header < IPV4_LEN || skb->len < ETH_LEN + header)
			return drop(skb, port->slot, ESW_DROP_MALFORMED);
	}
	reason = ipv4_source_reason(ip, port);
	if (unlikely(reason))
		return drop(skb, port->slot, reason);
	key.net = port->net;
	((u32_a *)key.addr)[0] = 0;
	((u32_a *)key.addr)[1] = 0;
	((u32_a *)key.addr)[2] = bpf_htonl(0xffff);
	((u32_a *)key.addr)[3] = ip->dst;
	return forward(skb, port, net, &key, frame);
}

/* Source addresses in ::/64 (unspecified, loopback, IPv4-mapped) never appear on a wire. */
static __always_inline int ipv6_source_reason(const struct ipv6_hdr *ip, const struct esw_port *port)
{
	if (unlikely(!(ip->src[0] | ip->src[1])))
		return ip->src[2] || ip->src[3] != bpf_htonl(1) ? ESW_DROP_SRC_IP
								: ESW_DROP_LOOPBACK;
	if ((port->flags & ESW_PORT_TRUSTED) || addr_equal(ip->src, port->ip6) ||
	    addr_is_eui64(ip->src, port->mac))
		return 0;
	return ESW_DROP_SRC_IP;
}

static __always_inline int ipv6_input(struct __sk_buff *skb, struct esw_port *port,
				      struct esw_net *net)
{
	struct esw_fib_key key;
	struct ipv6_hdr *ip;
	void *frame = frame_head(skb, ETH_LEN + IPV6_LEN);
	int reason;

	if (unlikely(!frame))
		return drop(skb, port->slot, ESW_DROP_MALFORMED);
	ip = frame + ETH_LEN;
	if (unlikely(!ipv6_is_version6(ip)))
		return drop(skb, port->slot, ESW_DROP_MALFORMED);
	if (unlikely(ip->next != PROTO_TCP && ip->next != PROTO_UDP)) {
		int class = nd_classify(skb);

		if (class == ND_CLASS_SOLICIT)
			return nd_solicit(skb, port, net);
		if (class != ND_CLASS_NONE)
			return drop(skb, port->slot,
				    class == ND_CLASS_OTHER ? ESW_DROP_ND_IGNORED
							    : ESW_DROP_MALFORMED);
	}
	reason = ipv6_source_reason(ip, port);
	if (unlikely(reason))
		return drop(skb, port->slot, reason);
	/* The table keeps IPv4 as ::ffff:0:0/96: an IPv6 packet must not reach those entries. */
	if (unlikely(!(ip->dst[0] | ip->dst[1]) && ip->dst[2] == bpf_htonl(0xffff)))
		return drop(skb, port->slot, ESW_DROP_MALFORMED);
	key.net = port->net;
	addr_copy(key.addr, ip->dst);
	return forward(skb, port, net, &key, frame);
}

#endif
