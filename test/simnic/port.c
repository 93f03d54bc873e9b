// SPDX-License-Identifier: GPL-2.0
/* Ports of the embedded switch: their links and the delivery of frames to their two sides. */
#include <linux/if_vlan.h>

#include "flower.h"
#include "simnic.h"

DEFINE_MUTEX(simnic_link_mutex);

static const struct rhashtable_params simnic_group_params = {
	.key_len = sizeof(struct simnic_group_id),
	.key_offset = offsetof(struct simnic_group, id),
	.head_offset = offsetof(struct simnic_group, node),
	.automatic_shrinking = true,
};

int simnic_port_init(struct simnic_port *port, struct simnic *nic, int vf)
{
	port->nic = nic;
	port->vf = vf;
	simnic_bucket_init(&port->tx_limit);
	xa_init(&port->chains);
	return rhashtable_init(&port->groups, &simnic_group_params);
}

void simnic_port_exit(struct simnic_port *port)
{
	rhashtable_destroy(&port->groups);
	xa_destroy(&port->chains);
}

static struct net_device *simnic_side(struct net_device __rcu **side)
{
	return rcu_dereference_protected(*side, lockdep_is_held(&simnic_link_mutex));
}

static void simnic_carrier(struct net_device *dev, bool on)
{
	if (!dev || netif_carrier_ok(dev) == on)
		return;
	if (on)
		netif_carrier_on(dev);
	else
		netif_carrier_off(dev);
}

static void simnic_vf_link_update(struct simnic_port *port)
{
	struct simnic *nic = port->nic;
	struct net_device *func = simnic_side(&port->func);
	struct net_device *rep = simnic_side(&port->rep);
	bool up = port->config.active && !nic->resetting;
	bool admin = true;

	if (rep)
		admin = netif_running(rep);
	else if (port->config.link_state == IFLA_VF_LINK_STATE_AUTO)
		admin = nic->uplink.link;
	else
		admin = port->config.link_state == IFLA_VF_LINK_STATE_ENABLE;
	WRITE_ONCE(port->link, up && admin);
	simnic_carrier(func, up && admin);
	simnic_carrier(rep, up && func && netif_running(func));
}

static void simnic_links_apply(struct simnic *nic)
{
	struct net_device *dev = simnic_side(&nic->uplink.func);
	bool carrier = !nic->resetting && simnic_wire_carrier(nic);
	int vf;

	if (!dev) {
		WRITE_ONCE(nic->uplink.link, false);
		return;
	}
	WRITE_ONCE(nic->uplink.link, carrier && netif_running(dev));
	simnic_carrier(dev, carrier);
	for (vf = 0; vf < nic->num_vfs; vf++)
		simnic_vf_link_update(&nic->vfs[vf]);
}

/* Recomputes every link of the NIC and of the NIC at the other end of its wire. */
void simnic_links_update(struct simnic *nic)
{
	struct simnic *peer;

	mutex_lock(&simnic_link_mutex);
	simnic_links_apply(nic);
	peer = rcu_dereference_protected(nic->wire_peer, lockdep_is_held(&simnic_link_mutex));
	if (peer)
		simnic_links_apply(peer);
	mutex_unlock(&simnic_link_mutex);
}

static void simnic_receive(struct net_device *dev, struct simnic *nic, struct sk_buff *skb)
{
	unsigned int len = skb->len;

	if (len > dev->mtu + ETH_HLEN + VLAN_HLEN) {
		dev->stats.rx_length_errors++;
		simnic_drop(nic, skb, SIMNIC_DROP_MTU);
		return;
	}
	/* Nothing that the sender's kernel knew of the frame passes a NIC. */
	skb_scrub_packet(skb, true);
	skb_clear_hash(skb);
	/* Takes the frame in any case; refuses when the device is down. */
	if (dev_forward_skb(dev, skb) == NET_RX_SUCCESS)
		dev_sw_netstats_rx_add(dev, len);
	else
		simnic_count(nic, SIMNIC_DROP_NO_TARGET);
}

/* Hands a frame to the function behind a port, or to the wire behind the uplink. */
void simnic_deliver(struct simnic_port *port, struct sk_buff *skb)
{
	struct net_device *dev;

	if (port->vf < 0) {
		simnic_wire_tx(port->nic, skb);
		return;
	}
	dev = rcu_dereference(port->func);
	if (!dev)
		simnic_drop(port->nic, skb, SIMNIC_DROP_NO_FUNCTION);
	else if (!READ_ONCE(port->link))
		simnic_drop(port->nic, skb, SIMNIC_DROP_LINK);
	else
		simnic_receive(dev, port->nic, skb);
}

/* Hands a frame to the CPU: to the representor of the port it came from. */
void simnic_slow_path(struct simnic_port *port, struct sk_buff *skb)
{
	struct net_device *dev;

	if (port->vf < 0)
		port = &port->nic->uplink;
	dev = rcu_dereference(port->rep);
	if (dev)
		simnic_receive(dev, port->nic, skb);
	else
		simnic_drop(port->nic, skb, SIMNIC_DROP_NO_TARGET);
}
