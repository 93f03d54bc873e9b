/* SPDX-License-Identifier: GPL-2.0
 *
 * IPv6 neighbour discovery (RFC 4861, duplicate address detection RFC 4862), answered from the
 * forwarding table as ARP is. Of the ICMPv6 link-scope messages only solicitations get an answer;
 * the others are dropped, so a container can neither announce itself as a router nor redirect.
 */
#ifndef ESW_ND_H
#define ESW_ND_H

#include "answer.h"
#include "parse.h"

#define ND_MLD_FIRST 130 /* MLD query, report, done */
#define ND_NS 135
#define ND_NA 136
#define ND_LAST 137 /* router solicitation … redirect are 133 … 137 */
#define ND_MLD2_REPORT 143

#define ND_OPT_SOURCE_MAC 1
#define ND_OPT_TARGET_MAC 2
#define ND_FLAG_ROUTER 0x80000000u
#define ND_FLAG_SOLICITED 0x40000000u
#define ND_FLAG_OVERRIDE 0x20000000u

/* Extension headers and options beyond these counts are taken for an attempt to hide something. */
#define ND_EXT_HEADERS_MAX 4
#define ND_OPTIONS_MAX 4

struct nd_message {
	__u8 type;
	__u8 code;
	__u16 check;
	__u32 flags;
	__u32 target[4];
};

struct nd_option_mac {
	__u8 type;
	__u8 len; /* in units of 8 bytes */
	__u8 mac[6];
};

struct ns_frame {
	struct eth_hdr eth;
	struct ipv6_hdr ip6;
	struct nd_message nd;
} __attribute__((packed, aligned(2)));

/* `pad` puts the IPv6 header on a 4-byte boundary of the stack. */
struct na_frame {
	__u16 pad;
	struct eth_hdr eth;
	struct ipv6_hdr ip6;
	struct nd_message nd;
	struct nd_option_mac option;
} __attribute__((packed, aligned(4)));

#define NA_FRAME_LEN (sizeof(struct na_frame) - 2)

enum nd_class {
	ND_CLASS_NONE,    /* not neighbour discovery: forward it */
	ND_CLASS_SOLICIT, /* neighbour solicitation right behind the IPv6 header */
	ND_CLASS_OTHER,
	ND_CLASS_BAD,
};

static __always_inline int nd_is_link_scope(__u8 type)
{
	return (type >= ND_MLD_FIRST && type <= ND_LAST) || type == ND_MLD2_REPORT;
}

/* Looks behind up to ND_EXT_HEADERS_MAX extension headers, because receivers do. A fragment header
 * ends the search: receivers ignore fragmented neighbour discovery (RFC 6980). */
static __noinline int nd_classify(struct __sk_buff *skb)
{
	__u32 offset = ETH_LEN + IPV6_LEN;
	__u8 next, ext[2], type;

	if (bpf_skb_load_bytes(skb, ETH_LEN + 6, &next, 1))
		return ND_CLASS_BAD;
	for (int i = 0; i <= ND_EXT_HEADERS_MAX; i++) {
		if (next == PROTO_ICMPV6) {
			if (bpf_skb_load_bytes(skb, offset, &type, 1))
				return ND_CLASS_BAD;
			if (!nd_is_link_scope(type))
				return ND_CLASS_NONE;
			return type == ND_NS && !i ? ND_CLASS_SOLICIT : ND_CLASS_OTHER;
		}
		if (next != PROTO_HOPOPTS && next != PROTO_ROUTING && next != PROTO_DSTOPTS)
			return ND_CLASS_NONE;
		if (bpf_skb_load_bytes(skb, offset, ext, 2))
			return ND_CLASS_BAD;
		next = ext[0];
		offset += (ext[1] + 1) * 8;
	}
	return ND_CLASS_BAD;
}

/* Checks the options behind a solicitation, which end at `end`: 0, or the drop reason. A source
 * link-layer address must be the port's, unless that is trusted. */
static __always_inline int nd_check_options(struct __sk_buff *skb, __u32 end,
					    const struct esw_port *port)
{
	__u32 offset = sizeof(struct ns_frame);
	struct nd_option_mac option;

	if (end > skb->len)
		return ESW_DROP_MALFORMED;
	for (int i = 0; i < ND_OPTIONS_MAX; i++) {
		if (offset >= end)
			break;
		if (bpf_skb_load_bytes(skb, offset, &option, sizeof(option)) || !option.len)
			return ESW_DROP_MALFORMED;
		if (option.type == ND_OPT_SOURCE_MAC && !(port->flags & ESW_PORT_TRUSTED) &&
		    !mac_equal(option.mac, port->mac))
			return ESW_DROP_ARP_SPOOF;
		offset += option.len * 8;
	}
	return offset == end ? 0 : ESW_DROP_MALFORMED;
}

/* Checks a solicitation against its port: 0, or the drop reason. */
static __always_inline int nd_check_sender(const struct ns_frame *ns, const struct esw_port *port)
{
	if (ns->ip6.hop_limit != 255 || ns->nd.code || (ns->nd.target[0] & bpf_htonl(0xff000000)) ==
	    bpf_htonl(0xff000000))
		return ESW_DROP_MALFORMED;
	if ((port->flags & ESW_PORT_TRUSTED) || addr_is_zero(ns->ip6.src))
		return 0;
	if (addr_equal(ns->ip6.src, port->ip6) ||
	    addr_is_eui64(ns->ip6.src, port->mac))
		return 0;
	return ESW_DROP_ARP_SPOOF;
}

/* Internet checksum over source, destination and the 32-byte message, with the pseudo-header's
 * length and protocol as the seed. */
static __always_inline __u16 na_checksum(struct na_frame *na)
{
	__s64 sum = bpf_csum_diff(NULL, 0, (__be32 *)(void *)na->ip6.src, 64,
				  bpf_htonl(32 + PROTO_ICMPV6));

	sum = (sum & 0xffff) + ((sum >> 16) & 0xffff);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Fills `na` with the advertisement that answers `ns`. */
static __always_inline void na_build(struct na_frame *na, const struct ns_frame *ns,
				     const struct esw_net *net, const struct esw_fib *holder)
{
	__u32 flags = ND_FLAG_OVERRIDE;

	__builtin_memset(na, 0, sizeof(*na));
	if (holder->flags & ESW_FIB_LOCAL_HOST)
		flags |= ND_FLAG_ROUTER;
	if (addr_is_zero(ns->ip6.src)) { /* duplicate address detection: answer to all nodes */
		((u16_a *)na->eth.dst)[0] = bpf_htons(0x3333);
		((u16_a *)na->eth.dst)[2] = bpf_htons(1);
		na->ip6.dst[0] = bpf_htonl(0xff020000);
		na->ip6.dst[3] = bpf_htonl(1);
	} else {
		flags |= ND_FLAG_SOLICITED;
		mac_copy(na->eth.dst, ns->eth.src);
		addr_copy(na->ip6.dst, ns->ip6.src);
	}
	mac_copy(na->eth.src, net->switch_mac);
	na->eth.type = bpf_htons(ETHERTYPE_IPV6);
	na->ip6.version_flow = bpf_htonl(0x60000000);
	na->ip6.payload_len = bpf_htons(sizeof(na->nd) + sizeof(na->option));
	na->ip6.next = PROTO_ICMPV6;
	na->ip6.hop_limit = 255;
	addr_copy(na->ip6.src, ns->nd.target);
	na->nd.type = ND_NA;
	na->nd.flags = bpf_htonl(flags);
	addr_copy(na->nd.target, ns->nd.target);
	na->option.type = ND_OPT_TARGET_MAC;
	na->option.len = 1;
	mac_copy(na->option.mac, net->switch_mac);
	na->nd.check = na_checksum(na);
}

static __noinline int nd_solicit(struct __sk_buff *skb, struct esw_port *port, struct esw_net *net)
{
	struct esw_fib_key key = {};
	struct na_frame na;
	struct ns_frame *ns;
	struct esw_fib *holder;
	__u32 bytes = skb->len;
	int reason, probe;

	ns = frame_head(skb, sizeof(*ns));
	if (!ns)
		return drop(skb, port->slot, ESW_DROP_MALFORMED);
	reason = nd_check_sender(ns, port);
	if (!reason)
		reason = nd_check_options(skb, ETH_LEN + IPV6_LEN + bpf_ntohs(ns->ip6.payload_len),
					  port);
	if (reason)
		return drop(skb, port->slot, reason);

	key.net = port->net;
	addr_copy(key.addr, ns->nd.target);
	probe = addr_is_zero(ns->ip6.src);
	holder = fib_lookup(&key);
	if (!holder)
		return drop(skb, port->slot, probe ? ESW_DROP_ND_IGNORED : ESW_DROP_ARP_UNKNOWN);
	if (holder->slot == port->slot)
		return drop(skb, port->slot, ESW_DROP_ND_IGNORED);

	na_build(&na, ns, net, holder);
	if (bytes != NA_FRAME_LEN && bpf_skb_change_tail(skb, NA_FRAME_LEN, 0))
		return drop(skb, port->slot, ESW_DROP_MALFORMED);
	if (bpf_skb_store_bytes(skb, 0, &na.eth, NA_FRAME_LEN, 0))
		return drop(skb, port->slot, ESW_DROP_MALFORMED);
	return answer(skb, port->slot, bytes);
}

#endif
