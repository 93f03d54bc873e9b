/* SPDX-License-Identifier: GPL-2.0
 *
 * The software eswitch: one program on the ingress hook of every representor (tcx or clsact).
 * Uses nothing newer than Linux 5.15.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "arp.h"
#include "counters.h"
#include "flow.h"
#include "ip.h"
#include "parse.h"
#include "tables.h"

char LICENSE[] SEC("license") = "GPL";

/* Everything that is not a packet of a known flow. */
static __noinline int port_input(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;
	struct esw_port *port = bpf_map_lookup_elem(&ports, &ifindex);
	struct esw_net *net;
	struct eth_hdr *eth;

	if (unlikely(!port))
		return drop(skb, ESW_SLOT_NONE, ESW_DROP_NO_PORT);
	net = net_lookup(port->net);
	if (unlikely(!net))
		return drop(skb, port->slot, ESW_DROP_NO_NET);
	eth = frame_head(skb, ETH_LEN);
	if (unlikely(!eth))
		return drop(skb, port->slot, ESW_DROP_MALFORMED);
	if (unlikely(!(port->flags & ESW_PORT_TRUSTED) && !mac_equal(eth->src, port->mac)))
		return drop(skb, port->slot, ESW_DROP_SRC_MAC);
	/* The stack has already moved an outer tag out of the frame. */
	if (unlikely(skb->vlan_present))
		return drop(skb, port->slot, ESW_DROP_VLAN);
	if (likely(eth->type == bpf_htons(ETHERTYPE_IPV4)))
		return ipv4_input(skb, port, net);
	if (eth->type == bpf_htons(ETHERTYPE_IPV6))
		return ipv6_input(skb, port, net);
	if (eth->type == bpf_htons(ETHERTYPE_ARP))
		return arp_input(skb, port, net);
	if (eth->type == bpf_htons(ETHERTYPE_8021Q) || eth->type == bpf_htons(ETHERTYPE_8021AD))
		return drop(skb, port->slot, ESW_DROP_VLAN);
	return drop(skb, port->slot, ESW_DROP_ETHERTYPE);
}

SEC("tc")
int esw_port(struct __sk_buff *skb)
{
	int verdict = flow_input(skb);

	return likely(verdict >= 0) ? verdict : port_input(skb);
}
