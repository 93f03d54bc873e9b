// SPDX-License-Identifier: GPL-2.0
/*
 * The legacy switch: MAC and VLAN between VFs, PF and wire. A frame inside always carries its VLAN tag; a VF
 * with a port VLAN (VST) sends and gets it untagged.
 */
#include <linux/if_vlan.h>

#include "flower.h"
#include "simnic.h"

static u16 simnic_frame_vid(const struct sk_buff *skb)
{
	const struct vlan_ethhdr *eth = (const void *)skb->data;

	if (eth->h_vlan_proto != htons(ETH_P_8021Q) || skb->len < VLAN_ETH_HLEN)
		return 0;
	return ntohs(eth->h_vlan_TCI) & VLAN_VID_MASK;
}

static bool simnic_has_mac(struct net_device *dev, const u8 *mac)
{
	struct netdev_hw_addr *entry;
	bool found = false;

	if (ether_addr_equal(dev->dev_addr, mac))
		return true;
	if (netdev_uc_empty(dev))
		return false;
	netif_addr_lock_bh(dev);
	netdev_for_each_uc_addr(entry, dev)
		found = found || ether_addr_equal(entry->addr, mac);
	netif_addr_unlock_bh(dev);
	return found;
}

static bool simnic_promiscuous(const struct net_device *dev)
{
	return dev->flags & IFF_PROMISC;
}

/* Whether a frame of `vid` may reach this VF. */
static bool simnic_vlan_member(const struct simnic_port *port, u16 vid)
{
	u16 vlan = READ_ONCE(port->config.vlan);

	return !vlan || vlan == vid;
}

static void simnic_legacy_to_vf(struct simnic_port *port, struct sk_buff *skb)
{
	if (READ_ONCE(port->config.vlan) && !simnic_vlan_pop(skb))
		simnic_drop(port->nic, skb, SIMNIC_DROP_NO_MEMORY);
	else
		simnic_deliver(port, skb);
}

static void simnic_copy_to_vf(struct simnic_port *port, struct sk_buff *skb)
{
	struct sk_buff *copy = skb_copy(skb, GFP_ATOMIC);

	if (copy)
		simnic_legacy_to_vf(port, copy);
	else
		simnic_count(port->nic, SIMNIC_DROP_NO_MEMORY);
}

static void simnic_copy_to_pf(struct simnic *nic, struct sk_buff *skb)
{
	struct sk_buff *copy = skb_copy(skb, GFP_ATOMIC);

	if (copy)
		simnic_slow_path(&nic->uplink, copy);
	else
		simnic_count(nic, SIMNIC_DROP_NO_MEMORY);
}

/* Copies a frame to every VF of its VLAN that wants it; `all` for broadcast and multicast. */
static void simnic_legacy_copies(struct simnic *nic, struct sk_buff *skb, const struct simnic_port *from,
				 bool all)
{
	int vf, count = READ_ONCE(nic->num_vfs);
	u16 vid = simnic_frame_vid(skb);

	for (vf = 0; vf < count; vf++) {
		struct simnic_port *port = &nic->vfs[vf];
		struct net_device *dev = rcu_dereference(port->func);

		if (port == from || !dev || !simnic_vlan_member(port, vid))
			continue;
		if (all || (READ_ONCE(port->config.trusted) && simnic_promiscuous(dev)))
			simnic_copy_to_vf(port, skb);
	}
}

static struct simnic_port *simnic_legacy_find(struct simnic *nic, const struct sk_buff *skb)
{
	const u8 *mac = eth_hdr(skb)->h_dest;
	int vf, count = READ_ONCE(nic->num_vfs);
	u16 vid = simnic_frame_vid(skb);

	for (vf = 0; vf < count; vf++) {
		struct simnic_port *port = &nic->vfs[vf];
		struct net_device *dev = rcu_dereference(port->func);

		if (dev && simnic_vlan_member(port, vid) && simnic_has_mac(dev, mac))
			return port;
	}
	return NULL;
}

/* Switches a frame that came from a VF, from the PF (`from_pf`) or from the wire (neither). */
static void simnic_legacy_switch(struct simnic *nic, struct sk_buff *skb, struct simnic_port *from, bool from_pf)
{
	struct net_device *pf = rcu_dereference(nic->uplink.func);
	bool from_wire = !from && !from_pf;
	struct simnic_port *target;

	skb_reset_mac_header(skb);
	if (is_multicast_ether_addr(eth_hdr(skb)->h_dest)) {
		simnic_legacy_copies(nic, skb, from, true);
		if (from_wire)
			simnic_slow_path(&nic->uplink, skb);
		else if (!from_pf)
			simnic_copy_to_pf(nic, skb);
		if (!from_wire)
			simnic_wire_tx(nic, skb);
		return;
	}
	target = simnic_legacy_find(nic, skb);
	if (target && target != from) {
		simnic_legacy_to_vf(target, skb);
		return;
	}
	if (!from_pf && pf && (simnic_has_mac(pf, eth_hdr(skb)->h_dest))) {
		simnic_slow_path(&nic->uplink, skb);
		return;
	}
	if (!from_wire) {
		simnic_wire_tx(nic, skb);
		return;
	}
	simnic_legacy_copies(nic, skb, from, false);
	if (pf && simnic_promiscuous(pf))
		simnic_slow_path(&nic->uplink, skb);
	else
		simnic_drop(nic, skb, SIMNIC_DROP_NO_TARGET);
}

void simnic_legacy_vf_tx(struct simnic_port *port, struct sk_buff *skb)
{
	struct simnic_vf_config *config = &port->config;
	const struct ethhdr *eth = (const void *)skb->data;
	u16 vlan = READ_ONCE(config->vlan);

	if (READ_ONCE(config->spoofchk) && !ether_addr_equal(eth->h_source, config->mac)) {
		simnic_drop(port->nic, skb, SIMNIC_DROP_SPOOF);
		return;
	}
	if (vlan && eth_type_vlan(eth->h_proto)) {
		simnic_drop(port->nic, skb, SIMNIC_DROP_VLAN);
		return;
	}
	if (vlan && !simnic_vlan_push(skb, htons(ETH_P_8021Q), vlan | config->qos << VLAN_PRIO_SHIFT)) {
		simnic_drop(port->nic, skb, SIMNIC_DROP_NO_MEMORY);
		return;
	}
	simnic_legacy_switch(port->nic, skb, port, false);
}

void simnic_legacy_pf_tx(struct simnic *nic, struct sk_buff *skb)
{
	simnic_legacy_switch(nic, skb, NULL, true);
}

void simnic_legacy_wire_rx(struct simnic *nic, struct sk_buff *skb)
{
	simnic_legacy_switch(nic, skb, NULL, false);
}
