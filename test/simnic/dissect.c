// SPDX-License-Identifier: GPL-2.0
/* Reads a frame's fields into a key, with the kernel's own dissector so that flower means the same here. */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/vxlan.h>

#include "flower.h"
#include "simnic.h"

#define SIMNIC_DISSECT(_id, _member) { FLOW_DISSECTOR_KEY_##_id, offsetof(struct simnic_key, _member) }

static const struct flow_dissector_key simnic_dissector_keys[] = {
	SIMNIC_DISSECT(CONTROL, control),
	SIMNIC_DISSECT(BASIC, basic),
	SIMNIC_DISSECT(VLAN, vlan),
	SIMNIC_DISSECT(CVLAN, cvlan),
	SIMNIC_DISSECT(IPV4_ADDRS, ipv4),
	SIMNIC_DISSECT(IPV6_ADDRS, ipv6),
	SIMNIC_DISSECT(PORTS, ports),
	SIMNIC_DISSECT(ICMP, icmp),
	SIMNIC_DISSECT(TCP, tcp),
	SIMNIC_DISSECT(IP, ip),
};

static struct flow_dissector simnic_dissector;

void simnic_dissect_init(void)
{
	BUILD_BUG_ON(sizeof(struct simnic_key) != sizeof_field(struct simnic_key, words));
	skb_flow_dissector_init(&simnic_dissector, simnic_dissector_keys, ARRAY_SIZE(simnic_dissector_keys));
}

/* Reads the frame that begins after the tunnel's headers, if any; keeps what is known of the tunnel. */
void simnic_dissect(struct simnic_packet *packet)
{
	const u8 *data = packet->skb->data + packet->tunnel_len;
	int len = packet->skb->len - packet->tunnel_len;
	const struct ethhdr *eth = (const void *)data;
	const struct simnic_key old = packet->key;
	struct simnic_key *key = &packet->key;

	memset(key, 0, sizeof(*key));
	key->enc_control = old.enc_control;
	key->enc_ipv6 = old.enc_ipv6;
	key->enc_ports = old.enc_ports;
	key->enc_keyid = old.enc_keyid;
	key->enc_ip = old.enc_ip;
	ether_addr_copy(key->eth.dst, eth->h_dest);
	ether_addr_copy(key->eth.src, eth->h_source);
	key->protocol = eth->h_proto;
	__skb_flow_dissect(dev_net(packet->skb->dev), NULL, &simnic_dissector, key, data, eth->h_proto, ETH_HLEN,
			   len, FLOW_DISSECTOR_F_STOP_BEFORE_ENCAP);
}

/* Offset of the UDP header behind the outer IP header, 0 when there is none. */
static int simnic_outer(struct simnic_packet *packet)
{
	const struct ethhdr *eth = (const void *)packet->skb->data;
	const struct iphdr *ip4 = (const void *)(eth + 1);
	const struct ipv6hdr *ip6 = (const void *)(eth + 1);
	struct simnic_key *key = &packet->key;
	int len = packet->skb->len - ETH_HLEN;

	if (eth->h_proto == htons(ETH_P_IP) && len >= sizeof(*ip4) && ip4->protocol == IPPROTO_UDP &&
	    !ip_is_fragment(ip4)) {
		key->enc_control.addr_type = FLOW_DISSECTOR_KEY_IPV4_ADDRS;
		key->enc_ipv4.src = ip4->saddr;
		key->enc_ipv4.dst = ip4->daddr;
		key->enc_ip.tos = ip4->tos;
		key->enc_ip.ttl = ip4->ttl;
		return ETH_HLEN + ip4->ihl * 4;
	}
	if (eth->h_proto == htons(ETH_P_IPV6) && len >= sizeof(*ip6) && ip6->nexthdr == IPPROTO_UDP) {
		key->enc_control.addr_type = FLOW_DISSECTOR_KEY_IPV6_ADDRS;
		key->enc_ipv6.src = ip6->saddr;
		key->enc_ipv6.dst = ip6->daddr;
		key->enc_ip.tos = ipv6_get_dsfield(ip6);
		key->enc_ip.ttl = ip6->hop_limit;
		return ETH_HLEN + sizeof(*ip6);
	}
	return 0;
}

/* Reads outer and inner headers of a VXLAN frame; false for any other. The UDP port is matched by the rules. */
bool simnic_dissect_tunnel(struct simnic_packet *packet)
{
	int offset = simnic_outer(packet), end = offset + sizeof(struct udphdr) + sizeof(struct vxlanhdr);
	struct simnic_key *key = &packet->key;
	const struct vxlanhdr *vxlan;
	const struct udphdr *udp;

	if (!offset || packet->skb->len < end + ETH_HLEN)
		return false;
	udp = (const void *)(packet->skb->data + offset);
	vxlan = (const void *)(udp + 1);
	if (!(vxlan->vx_flags & VXLAN_HF_VNI))
		return false;
	key->enc_ports.src = udp->source;
	key->enc_ports.dst = udp->dest;
	/* Flower holds the VNI as a number in network order. */
	key->enc_keyid.keyid = cpu_to_be32(be32_to_cpu((__force __be32)vxlan->vx_vni) >> 8);
	packet->tunnel_len = end;
	simnic_dissect(packet);
	return true;
}
