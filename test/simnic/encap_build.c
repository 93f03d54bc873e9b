// SPDX-License-Identifier: GPL-2.0
/* Writes Ethernet, IP, UDP and VXLAN headers in front of a frame. */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/dst_metadata.h>
#include <net/ip6_checksum.h>
#include <net/neighbour.h>
#include <net/vxlan.h>

#include "flower.h"
#include "simnic.h"

#define SIMNIC_TTL		64
#define SIMNIC_PORT_MIN		32768
#define SIMNIC_PORT_RANGE	28232

/* Whether the next hop's address is known; asks for it when it is not, as any sender does. */
bool simnic_encap_ready(struct simnic_encap *encap)
{
	struct simnic_path *path = rcu_dereference(encap->path);

	return path && !path->neigh->dead && !neigh_event_send(path->neigh, NULL) &&
	       READ_ONCE(path->neigh->nud_state) & NUD_VALID;
}

static void simnic_build_ip4(struct simnic_encap *encap, struct simnic_path *path, struct sk_buff *skb)
{
	const struct ip_tunnel_key *key = &encap->key;
	struct iphdr *ip;
	int len = skb->len + sizeof(*ip);

	ip = skb_push(skb, sizeof(*ip));
	memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = 5;
	ip->tos = key->tos;
	ip->tot_len = htons(len);
	ip->frag_off = test_bit(IP_TUNNEL_DONT_FRAGMENT_BIT, key->tun_flags) ? htons(IP_DF) : 0;
	ip->ttl = key->ttl ?: SIMNIC_TTL;
	ip->protocol = IPPROTO_UDP;
	ip->saddr = path->source.s6_addr32[0];
	ip->daddr = key->u.ipv4.dst;
	ip_send_check(ip);
}

static void simnic_build_ip6(struct simnic_encap *encap, struct simnic_path *path, struct sk_buff *skb)
{
	const struct ip_tunnel_key *key = &encap->key;
	int len = skb->len;
	struct ipv6hdr *ip;

	ip = skb_push(skb, sizeof(*ip));
	ip6_flow_hdr(ip, key->tos, key->label);
	ip->payload_len = htons(len);
	ip->nexthdr = IPPROTO_UDP;
	ip->hop_limit = key->ttl ?: SIMNIC_TTL;
	ip->saddr = path->source;
	ip->daddr = key->u.ipv6.dst;
}

static void simnic_build_udp(struct simnic_encap *encap, struct simnic_path *path, struct sk_buff *skb, u32 hash)
{
	const struct ip_tunnel_key *key = &encap->key;
	struct vxlanhdr *vxlan;
	struct udphdr *udp;
	__wsum sum;

	vxlan = skb_push(skb, sizeof(*vxlan));
	vxlan->vx_flags = VXLAN_HF_VNI;
	vxlan->vx_vni = vxlan_vni_field(tunnel_id_to_key32(key->tun_id));
	udp = skb_push(skb, sizeof(*udp));
	udp->source = key->tp_src ?: htons(SIMNIC_PORT_MIN + reciprocal_scale(hash, SIMNIC_PORT_RANGE));
	udp->dest = encap->dst_port;
	udp->len = htons(skb->len);
	udp->check = 0;
	if (!test_bit(IP_TUNNEL_CSUM_BIT, key->tun_flags))
		return;
	sum = skb_checksum(skb, 0, skb->len, 0);
	if (encap->ipv6)
		udp->check = csum_ipv6_magic(&path->source, &key->u.ipv6.dst, skb->len, IPPROTO_UDP, sum);
	else
		udp->check = csum_tcpudp_magic(path->source.s6_addr32[0], key->u.ipv4.dst, skb->len,
					       IPPROTO_UDP, sum);
	udp->check = udp->check ?: CSUM_MANGLED_0;
}

/* False when there is no memory or the path has gone meanwhile; the frame is still the caller's then. */
bool simnic_encap_build(struct simnic_encap *encap, struct sk_buff *skb, u32 hash)
{
	struct net_device *uplink = rcu_dereference(encap->nic->uplink.func);
	struct simnic_path *path = rcu_dereference(encap->path);
	int l3_len = encap->ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	char address[MAX_ADDR_LEN];
	struct ethhdr *eth;

	if (!path || !uplink ||
	    skb_cow(skb, ETH_HLEN + l3_len + sizeof(struct udphdr) + sizeof(struct vxlanhdr)))
		return false;
	simnic_build_udp(encap, path, skb, hash);
	if (encap->ipv6)
		simnic_build_ip6(encap, path, skb);
	else
		simnic_build_ip4(encap, path, skb);
	neigh_ha_snapshot(address, path->neigh, uplink);
	eth = skb_push(skb, sizeof(*eth));
	ether_addr_copy(eth->h_dest, address);
	ether_addr_copy(eth->h_source, uplink->dev_addr);
	eth->h_proto = htons(encap->ipv6 ? ETH_P_IPV6 : ETH_P_IP);
	skb_reset_mac_header(skb);
	return true;
}
