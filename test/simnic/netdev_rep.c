// SPDX-License-Identifier: GPL-2.0
/* Representors: the switch's side of a VF in switchdev mode. */
#include "flower.h"
#include "simnic.h"

static const struct net_device_ops simnic_rep_ops;

static struct simnic_port *simnic_priv(const struct net_device *dev)
{
	return *(struct simnic_port **)netdev_priv(dev);
}

/* The port that `dev` represents, else NULL. */
struct simnic_port *simnic_rep_port(const struct net_device *dev)
{
	return dev->netdev_ops == &simnic_rep_ops ? simnic_priv(dev) : NULL;
}

static int simnic_rep_open_stop(struct net_device *dev)
{
	simnic_links_update(simnic_priv(dev)->nic);
	return 0;
}

static netdev_tx_t simnic_rep_xmit(struct sk_buff *skb, struct net_device *dev)
{
	dev_sw_netstats_tx_add(dev, 1, skb->len);
	rcu_read_lock();
	simnic_deliver(simnic_priv(dev), skb);
	rcu_read_unlock();
	return NETDEV_TX_OK;
}

static const struct net_device_ops simnic_rep_ops = {
	.ndo_open = simnic_rep_open_stop,
	.ndo_stop = simnic_rep_open_stop,
	.ndo_start_xmit = simnic_rep_xmit,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_change_mtu = simnic_change_mtu,
	.ndo_setup_tc = simnic_setup_tc,
};

struct net_device *simnic_rep_netdev_create(struct simnic_port *port)
{
	struct net_device *dev = alloc_etherdev(sizeof(struct simnic_port *));
	int err;

	if (!dev)
		return ERR_PTR(-ENOMEM);
	*(struct simnic_port **)netdev_priv(dev) = port;
	simnic_netdev_setup(dev, port->nic);
	dev->netdev_ops = &simnic_rep_ops;
	dev->features |= NETIF_F_HW_TC;
	dev->hw_features |= NETIF_F_HW_TC;
	dev->netns_local = true;
	eth_hw_addr_random(dev);
	SET_NETDEV_DEV(dev, port->nic->dev);
	SET_NETDEV_DEVLINK_PORT(dev, &port->dl_port);
	err = register_netdev(dev);
	if (!err)
		return dev;
	free_netdev(dev);
	return ERR_PTR(err);
}
