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
	F(esw_link_op, vlan_id), F(esw_link_op, txqueues),
	S(esw_link_rec), F(esw_link_rec, ifindex), F(esw_link_rec, peer_ifindex),
	F(esw_link_rec, peer_netnsid), F(esw_link_rec, flags), F(esw_link_rec, mtu),
	F(esw_link_rec, mac), F(esw_link_rec, operstate), F(esw_link_rec, pad),
	F(esw_link_rec, name), F(esw_link_rec, kind), F(esw_link_rec, altname),
	F(esw_link_rec, vlan_id), F(esw_link_rec, pad2),
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
	S(esw_devlink_rec), F(esw_devlink_rec, bus), F(esw_devlink_rec, dev),
	F(esw_devlink_rec, error), F(esw_devlink_rec, has), F(esw_devlink_rec, mode),
	F(esw_devlink_rec, inline_mode), F(esw_devlink_rec, encap),
	F(esw_devlink_rec, reload_failed), F(esw_devlink_rec, pad),
	S(esw_devlink_info), F(esw_devlink_info, bus), F(esw_devlink_info, dev),
	F(esw_devlink_info, name), F(esw_devlink_info, value), F(esw_devlink_info, kind),
	S(esw_devlink_port), F(esw_devlink_port, bus), F(esw_devlink_port, dev),
	F(esw_devlink_port, index), F(esw_devlink_port, ifindex), F(esw_devlink_port, controller),
	F(esw_devlink_port, sf), F(esw_devlink_port, flavour), F(esw_devlink_port, pf),
	F(esw_devlink_port, vf), F(esw_devlink_port, has), F(esw_devlink_port, external),
	F(esw_devlink_port, hw_addr), F(esw_devlink_port, state), F(esw_devlink_port, opstate),
	F(esw_devlink_port, ifname),
	S(esw_devlink_rate), F(esw_devlink_rate, bus), F(esw_devlink_rate, dev),
	F(esw_devlink_rate, node), F(esw_devlink_rate, parent), F(esw_devlink_rate, port_index),
	F(esw_devlink_rate, type), F(esw_devlink_rate, pad), F(esw_devlink_rate, tx_share),
	F(esw_devlink_rate, tx_max),
	S(esw_devlink_resource), F(esw_devlink_resource, name), F(esw_devlink_resource, id),
	F(esw_devlink_resource, parent), F(esw_devlink_resource, size),
	F(esw_devlink_resource, occupancy), F(esw_devlink_resource, has_occupancy),
	F(esw_devlink_resource, pad),
	S(esw_devlink_param), F(esw_devlink_param, bus), F(esw_devlink_param, dev),
	F(esw_devlink_param, name), F(esw_devlink_param, text), F(esw_devlink_param, number),
	F(esw_devlink_param, type), F(esw_devlink_param, cmode), F(esw_devlink_param, generic),
	F(esw_devlink_param, pad),
	S(esw_devlink_health), F(esw_devlink_health, bus), F(esw_devlink_health, dev),
	F(esw_devlink_health, name), F(esw_devlink_health, errors),
	F(esw_devlink_health, recoveries), F(esw_devlink_health, port_index),
	F(esw_devlink_health, has_port), F(esw_devlink_health, state), F(esw_devlink_health, pad),
	S(esw_devlink_op), F(esw_devlink_op, verb), F(esw_devlink_op, port_index),
	F(esw_devlink_op, bus), F(esw_devlink_op, dev), F(esw_devlink_op, name),
	F(esw_devlink_op, text), F(esw_devlink_op, number), F(esw_devlink_op, mac),
	F(esw_devlink_op, value), F(esw_devlink_op, type), F(esw_devlink_op, cmode),
	F(esw_devlink_op, pad),
	S(esw_devlink_event), F(esw_devlink_event, command), F(esw_devlink_event, pad),
	F(esw_devlink_event, bus), F(esw_devlink_event, dev),
	S(esw_nic_event), F(esw_nic_event, kind), F(esw_nic_event, ifindex),
	F(esw_nic_event, parent_bus), F(esw_nic_event, parent_dev),
	S(esw_vf_rec), F(esw_vf_rec, ifindex), F(esw_vf_rec, vf), F(esw_vf_rec, has),
	F(esw_vf_rec, min_tx_rate), F(esw_vf_rec, max_tx_rate), F(esw_vf_rec, vlan),
	F(esw_vf_rec, vlan_proto), F(esw_vf_rec, qos), F(esw_vf_rec, spoofchk),
	F(esw_vf_rec, trust), F(esw_vf_rec, link_state), F(esw_vf_rec, mac), F(esw_vf_rec, pad),
	S(esw_vf_op), F(esw_vf_op, ifindex), F(esw_vf_op, vf), F(esw_vf_op, set),
	F(esw_vf_op, min_tx_rate), F(esw_vf_op, max_tx_rate), F(esw_vf_op, vlan),
	F(esw_vf_op, vlan_proto), F(esw_vf_op, qos), F(esw_vf_op, spoofchk), F(esw_vf_op, trust),
	F(esw_vf_op, link_state), F(esw_vf_op, mac), F(esw_vf_op, pad),
	S(esw_nic_link), F(esw_nic_link, ifindex), F(esw_nic_link, flags), F(esw_nic_link, mtu),
	F(esw_nic_link, mac), F(esw_nic_link, perm_mac), F(esw_nic_link, name),
	F(esw_nic_link, kind), F(esw_nic_link, port_name), F(esw_nic_link, switch_id),
	F(esw_nic_link, switch_id_len), F(esw_nic_link, parent_bus), F(esw_nic_link, parent_dev),
	F(esw_nic_link, altnames),
	S(esw_offload_rec), F(esw_offload_rec, ifindex), F(esw_offload_rec, error),
	F(esw_offload_rec, active), F(esw_offload_rec, capable), F(esw_offload_rec, pad),
	S(esw_offload_op), F(esw_offload_op, ifindex), F(esw_offload_op, active),
	S(esw_flower_key), F(esw_flower_key, eth_dst), F(esw_flower_key, eth_src),
	F(esw_flower_key, vlan_id), F(esw_flower_key, vlan_prio), F(esw_flower_key, vlan_ethtype),
	F(esw_flower_key, cvlan_id), F(esw_flower_key, cvlan_prio),
	F(esw_flower_key, cvlan_ethtype), F(esw_flower_key, ip_proto), F(esw_flower_key, ip_tos),
	F(esw_flower_key, ip_ttl), F(esw_flower_key, ip_flags), F(esw_flower_key, ipv4_src),
	F(esw_flower_key, ipv4_dst), F(esw_flower_key, ipv6_src), F(esw_flower_key, ipv6_dst),
	F(esw_flower_key, src_port), F(esw_flower_key, dst_port), F(esw_flower_key, tcp_flags),
	F(esw_flower_key, icmp_type), F(esw_flower_key, icmp_code), F(esw_flower_key, enc_key_id),
	F(esw_flower_key, enc_ipv4_src), F(esw_flower_key, enc_ipv4_dst),
	F(esw_flower_key, enc_ipv6_src), F(esw_flower_key, enc_ipv6_dst),
	F(esw_flower_key, enc_src_port), F(esw_flower_key, enc_dst_port),
	F(esw_flower_key, enc_ip_tos), F(esw_flower_key, enc_ip_ttl), F(esw_flower_key, pad),
	S(esw_flower_act), F(esw_flower_act, kind), F(esw_flower_act, number),
	F(esw_flower_act, rate), F(esw_flower_act, port), F(esw_flower_act, vlan_id),
	F(esw_flower_act, tpid), F(esw_flower_act, vlan_prio), F(esw_flower_act, family),
	F(esw_flower_act, tos), F(esw_flower_act, ttl), F(esw_flower_act, csum),
	F(esw_flower_act, pad), F(esw_flower_act, value), F(esw_flower_act, mask),
	F(esw_flower_act, link),
	S(esw_flower_op), F(esw_flower_op, verb), F(esw_flower_op, flags), F(esw_flower_op, name),
	F(esw_flower_op, chain), F(esw_flower_op, handle), F(esw_flower_op, prio),
	F(esw_flower_op, protocol), F(esw_flower_op, fields), F(esw_flower_op, cookie),
	F(esw_flower_op, key), F(esw_flower_op, mask), F(esw_flower_op, action_count),
	F(esw_flower_op, pad), F(esw_flower_op, actions),
	S(esw_flower_ref), F(esw_flower_ref, name), F(esw_flower_ref, chain),
	F(esw_flower_ref, handle), F(esw_flower_ref, prio), F(esw_flower_ref, protocol),
	F(esw_flower_ref, pad),
	S(esw_flower_result), F(esw_flower_result, error), F(esw_flower_result, ifindex),
	F(esw_flower_result, flags), F(esw_flower_result, pad), F(esw_flower_result, extack),
	S(esw_flower_rec), F(esw_flower_rec, fingerprint), F(esw_flower_rec, hw_packets),
	F(esw_flower_rec, hw_bytes), F(esw_flower_rec, sw_packets), F(esw_flower_rec, sw_bytes),
	F(esw_flower_rec, ifindex), F(esw_flower_rec, chain), F(esw_flower_rec, handle),
	F(esw_flower_rec, idle_ms), F(esw_flower_rec, in_hw_count), F(esw_flower_rec, prio),
	F(esw_flower_rec, protocol), F(esw_flower_rec, flags), F(esw_flower_rec, pad),
	F(esw_flower_rec, pad2),
	S(esw_flower_full), F(esw_flower_full, rec), F(esw_flower_full, name),
	F(esw_flower_full, cookie), F(esw_flower_full, fields), F(esw_flower_full, action_count),
	F(esw_flower_full, key), F(esw_flower_full, mask), F(esw_flower_full, actions),
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
