// SPDX-License-Identifier: GPL-2.0
/* Changes to frames: VLAN tags, header rewrites, checksums. All return false for a frame they cannot change. */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tc_act/tc_csum.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <linux/unaligned.h>
#include <net/ip6_checksum.h>

#include "flower.h"
#include "simnic.h"

bool simnic_vlan_push(struct sk_buff *skb, __be16 proto, u16 tci)
{
	if (skb_cow(skb, VLAN_HLEN) || __vlan_insert_tag(skb, proto, tci))
		return false;
	skb_reset_mac_header(skb);
	return true;
}

bool simnic_vlan_pop(struct sk_buff *skb)
{
	const struct ethhdr *eth = (const void *)skb->data;

	if (!eth_type_vlan(eth->h_proto) || skb->len < VLAN_ETH_HLEN || skb_cow(skb, 0))
		return false;
	memmove(skb->data + VLAN_HLEN, skb->data, 2 * ETH_ALEN);
	skb_pull(skb, VLAN_HLEN);
	skb_reset_mac_header(skb);
	return true;
}

/* Offset of the network header behind VLAN tags, and its EtherType. */
int simnic_l3_offset(const struct sk_buff *skb, __be16 *proto)
{
	const struct ethhdr *eth = (const void *)skb->data;
	int offset = ETH_HLEN;

	*proto = eth->h_proto;
	while (eth_type_vlan(*proto) && offset + VLAN_HLEN <= skb->len) {
		const struct vlan_hdr *tag = (const void *)(skb->data + offset);

		*proto = tag->h_vlan_encapsulated_proto;
		offset += VLAN_HLEN;
	}
	return offset;
}

/* Offset of the transport header, or -1; an IPv6 header with extensions has none here. */
static int simnic_l4_offset(const struct sk_buff *skb, u8 *protocol)
{
	__be16 proto;
	int l3 = simnic_l3_offset(skb, &proto);

	if (proto == htons(ETH_P_IP) && skb->len >= l3 + sizeof(struct iphdr)) {
		const struct iphdr *ip = (const void *)(skb->data + l3);

		*protocol = ip->protocol;
		return ip->frag_off & htons(IP_OFFSET) ? -1 : l3 + ip->ihl * 4;
	}
	if (proto == htons(ETH_P_IPV6) && skb->len >= l3 + sizeof(struct ipv6hdr)) {
		const struct ipv6hdr *ip = (const void *)(skb->data + l3);

		*protocol = ip->nexthdr;
		return l3 + sizeof(*ip);
	}
	return -1;
}

static int simnic_mangle_base(const struct sk_buff *skb, enum flow_action_mangle_base htype)
{
	__be16 proto;
	u8 protocol;
	int l3 = simnic_l3_offset(skb, &proto), l4;

	switch (htype) {
	case FLOW_ACT_MANGLE_HDR_TYPE_ETH:
		return 0;
	case FLOW_ACT_MANGLE_HDR_TYPE_IP4:
		return proto == htons(ETH_P_IP) ? l3 : -1;
	case FLOW_ACT_MANGLE_HDR_TYPE_IP6:
		return proto == htons(ETH_P_IPV6) ? l3 : -1;
	case FLOW_ACT_MANGLE_HDR_TYPE_TCP:
		l4 = simnic_l4_offset(skb, &protocol);
		return protocol == IPPROTO_TCP ? l4 : -1;
	case FLOW_ACT_MANGLE_HDR_TYPE_UDP:
		l4 = simnic_l4_offset(skb, &protocol);
		return protocol == IPPROTO_UDP ? l4 : -1;
	default:
		return -1;
	}
}

/* One word of a pedit; a frame without that header passes as it is. */
bool simnic_mangle(struct sk_buff *skb, const struct simnic_action *action)
{
	int base = simnic_mangle_base(skb, action->mangle.htype);
	u32 *word, old, value = action->mangle.val;

	if (base < 0 || base + action->mangle.offset + sizeof(u32) > skb->len)
		return true;
	if (skb_cow(skb, 0))
		return false;
	word = (u32 *)(skb->data + base + action->mangle.offset);
	old = get_unaligned(word);
	if (action->id == FLOW_ACTION_ADD)
		value = (old + value) & ~action->mangle.mask;
	put_unaligned((old & action->mangle.mask) ^ value, word);
	skb_reset_mac_header(skb);
	return true;
}

static __sum16 simnic_l4_sum(struct sk_buff *skb, int l3, int l4, int len, u8 protocol, bool ipv6)
{
	__wsum sum = skb_checksum(skb, l4, len, 0);

	if (ipv6) {
		const struct ipv6hdr *ip = (const void *)(skb->data + l3);

		return csum_ipv6_magic(&ip->saddr, &ip->daddr, len, protocol, sum);
	} else {
		const struct iphdr *ip = (const void *)(skb->data + l3);

		return csum_tcpudp_magic(ip->saddr, ip->daddr, len, protocol, sum);
	}
}

static void simnic_fix_l4(struct sk_buff *skb, u32 flags, int l3, int len, bool ipv6)
{
	u8 protocol = 0;
	int l4 = simnic_l4_offset(skb, &protocol);

	len -= l4 - l3;
	if (l4 < 0 || len < 0 || l4 + len > skb->len)
		return;
	if (protocol == IPPROTO_TCP && flags & TCA_CSUM_UPDATE_FLAG_TCP && len >= sizeof(struct tcphdr)) {
		struct tcphdr *tcp = (void *)(skb->data + l4);

		tcp->check = 0;
		tcp->check = simnic_l4_sum(skb, l3, l4, len, protocol, ipv6);
	} else if (protocol == IPPROTO_UDP && flags & TCA_CSUM_UPDATE_FLAG_UDP && len >= sizeof(struct udphdr)) {
		struct udphdr *udp = (void *)(skb->data + l4);

		if (!udp->check)
			return;
		udp->check = 0;
		udp->check = simnic_l4_sum(skb, l3, l4, len, protocol, ipv6) ?: CSUM_MANGLED_0;
	} else if (protocol == IPPROTO_ICMPV6 && flags & TCA_CSUM_UPDATE_FLAG_ICMP &&
		   len >= sizeof(struct icmp6hdr)) {
		struct icmp6hdr *icmp = (void *)(skb->data + l4);

		icmp->icmp6_cksum = 0;
		icmp->icmp6_cksum = simnic_l4_sum(skb, l3, l4, len, protocol, ipv6);
	}
}

/* Makes the checksums that `flags` name right again. */
bool simnic_checksum(struct sk_buff *skb, u32 flags)
{
	__be16 proto;
	int l3 = simnic_l3_offset(skb, &proto);

	if (skb_cow(skb, 0))
		return false;
	skb_reset_mac_header(skb);
	if (proto == htons(ETH_P_IP) && skb->len >= l3 + sizeof(struct iphdr)) {
		struct iphdr *ip = (void *)(skb->data + l3);

		if (flags & TCA_CSUM_UPDATE_FLAG_IPV4HDR && l3 + ip->ihl * 4 <= skb->len)
			ip_send_check(ip);
		if (!ip_is_fragment(ip))
			simnic_fix_l4(skb, flags, l3, ntohs(ip->tot_len), false);
	} else if (proto == htons(ETH_P_IPV6) && skb->len >= l3 + sizeof(struct ipv6hdr)) {
		struct ipv6hdr *ip = (void *)(skb->data + l3);

		simnic_fix_l4(skb, flags, l3, ntohs(ip->payload_len) + sizeof(*ip), true);
	}
	return true;
}
