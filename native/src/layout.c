/* SPDX-License-Identifier: Apache-2.0
 *
 * The layout table: what this build believes about every record that crosses the ABI. The caller
 * compares it with its own at load, so a stale library is refused instead of misread.
 */
#include <linux/types.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "esw_maps.h"
#include "textbuf.h"

struct layout_line {
	const char *name;
	uint32_t offset;
	uint32_t size;
	int whole; /* 1: a struct, not a field */
};

#define S(type) { #type, 0, sizeof(struct type), 1 }
#define F(type, field) \
	{ #type "." #field, offsetof(struct type, field), sizeof(((struct type *)0)->field), 0 }

static const struct layout_line lines[] = {
	S(esw_batch_hdr), F(esw_batch_hdr, magic), F(esw_batch_hdr, version),
	F(esw_batch_hdr, record_size), F(esw_batch_hdr, length), F(esw_batch_hdr, count),
	S(esw_result), F(esw_result, error), F(esw_result, ifindex), F(esw_result, extack),
	S(esw_link_op), F(esw_link_op, verb), F(esw_link_op, set), F(esw_link_op, netns),
	F(esw_link_op, name), F(esw_link_op, new_name), F(esw_link_op, to_netns),
	F(esw_link_op, altname), F(esw_link_op, mac), F(esw_link_op, up), F(esw_link_op, peer_up),
	F(esw_link_op, mtu), F(esw_link_op, peer_name), F(esw_link_op, peer_altname),
	F(esw_link_op, peer_mac), F(esw_link_op, noaddrgen), F(esw_link_op, pad),
	F(esw_link_op, txqueues),
	S(esw_link_rec), F(esw_link_rec, ifindex), F(esw_link_rec, peer_ifindex),
	F(esw_link_rec, peer_netnsid), F(esw_link_rec, flags), F(esw_link_rec, mtu),
	F(esw_link_rec, mac), F(esw_link_rec, operstate), F(esw_link_rec, pad),
	F(esw_link_rec, name), F(esw_link_rec, kind), F(esw_link_rec, altname),
	S(esw_addr_op), F(esw_addr_op, verb), F(esw_addr_op, netns), F(esw_addr_op, name),
	F(esw_addr_op, family), F(esw_addr_op, prefixlen), F(esw_addr_op, nodad),
	F(esw_addr_op, pad), F(esw_addr_op, addr),
	S(esw_addr_rec), F(esw_addr_rec, ifindex), F(esw_addr_rec, family),
	F(esw_addr_rec, prefixlen), F(esw_addr_rec, scope), F(esw_addr_rec, proto),
	F(esw_addr_rec, flags), F(esw_addr_rec, addr),
	S(esw_route_op), F(esw_route_op, verb), F(esw_route_op, netns), F(esw_route_op, oif),
	F(esw_route_op, family), F(esw_route_op, prefixlen), F(esw_route_op, has_gateway),
	F(esw_route_op, protocol), F(esw_route_op, table), F(esw_route_op, metric),
	F(esw_route_op, dst), F(esw_route_op, gateway), F(esw_route_op, scope_link),
	F(esw_route_op, type), F(esw_route_op, pad),
	S(esw_route_rec), F(esw_route_rec, oif), F(esw_route_rec, table), F(esw_route_rec, metric),
	F(esw_route_rec, family), F(esw_route_rec, prefixlen), F(esw_route_rec, protocol),
	F(esw_route_rec, has_gateway), F(esw_route_rec, dst), F(esw_route_rec, gateway),
	S(esw_neigh_op), F(esw_neigh_op, verb), F(esw_neigh_op, netns), F(esw_neigh_op, name),
	F(esw_neigh_op, family), F(esw_neigh_op, permanent), F(esw_neigh_op, mac),
	F(esw_neigh_op, addr),
	S(esw_neigh_rec), F(esw_neigh_rec, ifindex), F(esw_neigh_rec, state),
	F(esw_neigh_rec, family), F(esw_neigh_rec, protocol), F(esw_neigh_rec, mac),
	F(esw_neigh_rec, pad), F(esw_neigh_rec, addr),
	S(esw_event), F(esw_event, kind), F(esw_event, family), F(esw_event, ifindex),
	F(esw_event, flags), F(esw_event, name), F(esw_event, pad),
	S(esw_hook_op), F(esw_hook_op, verb), F(esw_hook_op, mode), F(esw_hook_op, egress),
	F(esw_hook_op, name), F(esw_hook_op, program), F(esw_hook_op, dir),
	S(esw_hook_rec), F(esw_hook_rec, ifindex), F(esw_hook_rec, prog_id),
	F(esw_hook_rec, egress), F(esw_hook_rec, mode), F(esw_hook_rec, foreign_before),
	F(esw_hook_rec, ours), F(esw_hook_rec, pad),
	S(esw_port), F(esw_port, slot), F(esw_port, net), F(esw_port, mac), F(esw_port, flags),
	F(esw_port, ip4_be), F(esw_port, ip6),
	S(esw_net), F(esw_net, flags), F(esw_net, gw_ifindex), F(esw_net, gw_slot),
	F(esw_net, switch_mac), F(esw_net, gw_mac),
	S(esw_subnet_key), F(esw_subnet_key, prefixlen), F(esw_subnet_key, net_be),
	F(esw_subnet_key, addr),
	S(esw_subnet), F(esw_subnet, flags),
	S(esw_fib_key), F(esw_fib_key, net), F(esw_fib_key, addr),
	S(esw_fib), F(esw_fib, ifindex), F(esw_fib, slot), F(esw_fib, mac), F(esw_fib, flags),
	S(esw_stats), F(esw_stats, rx_packets), F(esw_stats, rx_bytes), F(esw_stats, tx_packets),
	F(esw_stats, tx_bytes),
	S(esw_drop_key), F(esw_drop_key, slot), F(esw_drop_key, reason),
	S(esw_drop), F(esw_drop, packets), F(esw_drop, bytes),
};

uint32_t esw_abi_version(void)
{
	return ESW_ABI_VERSION;
}

int esw_abi_layout(char *out, uint32_t cap)
{
	struct esw_textbuf text = { .out = out, .cap = cap };

	for (size_t i = 0; i < ESW_ARRAY_SIZE(lines); i++) {
		if (lines[i].whole)
			esw_textbuf_add(&text, "%s size %u\n", lines[i].name, lines[i].size);
		else
			esw_textbuf_add(&text, "%s %u %u\n", lines[i].name, lines[i].offset,
					lines[i].size);
	}
	return (int)text.len;
}
