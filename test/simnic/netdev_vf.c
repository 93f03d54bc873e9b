// SPDX-License-Identifier: GPL-2.0
/* A VF's netdev: what a container gets. */
#include "simnic.h"

static const struct net_device_ops simnic_vf_ops;

static struct simnic_port *simnic_priv(const struct net_device *dev)
{
	return *(struct simnic_port **)netdev_priv(dev);
}

/* The port whose function `dev` is, else NULL. */
struct simnic_port *simnic_func_port(const struct net_device *dev)
{
	return dev->netdev_ops == &simnic_vf_ops ? simnic_priv(dev) : NULL;
}

static int simnic_vf_open_stop(struct net_device *dev)
{
	simnic_links_update(simnic_priv(dev)->nic);
	return 0;
}

static netdev_tx_t simnic_vf_xmit(struct sk_buff *skb, struct net_device *dev)
{
	dev_sw_netstats_tx_add(dev, 1, skb->len);
	simnic_vf_tx(simnic_priv(dev), skb);
	return NETDEV_TX_OK;
}

/* In legacy mode an untrusted VF keeps the address that the PF gave it. */
static int simnic_vf_set_mac(struct net_device *dev, void *address)
{
	struct simnic_port *port = simnic_priv(dev);

	if (!simnic_is_switchdev(port->nic) && port->config.spoofchk && !port->config.trusted)
		return -EPERM;
	return eth_mac_addr(dev, address);
}

static const struct net_device_ops simnic_vf_ops = {
	.ndo_open = simnic_vf_open_stop,
	.ndo_stop = simnic_vf_open_stop,
	.ndo_start_xmit = simnic_vf_xmit,
	.ndo_set_mac_address = simnic_vf_set_mac,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_change_mtu = simnic_change_mtu,
};

struct net_device *simnic_vf_netdev_create(struct simnic_port *port, struct device *dev)
{
	struct net_device *netdev = alloc_etherdev(sizeof(struct simnic_port *));
	int err;

	if (!netdev)
		return ERR_PTR(-ENOMEM);
	*(struct simnic_port **)netdev_priv(netdev) = port;
	simnic_netdev_setup(netdev, port->nic);
	netdev->netdev_ops = &simnic_vf_ops;
	eth_hw_addr_set(netdev, port->config.mac);
	SET_NETDEV_DEV(netdev, dev);
	mutex_lock(&simnic_link_mutex);
	rcu_assign_pointer(port->func, netdev);
	mutex_unlock(&simnic_link_mutex);
	err = register_netdev(netdev);
	if (!err) {
		simnic_links_update(port->nic);
		return netdev;
	}
	mutex_lock(&simnic_link_mutex);
	RCU_INIT_POINTER(port->func, NULL);
	mutex_unlock(&simnic_link_mutex);
	synchronize_net();
	free_netdev(netdev);
	return ERR_PTR(err);
}
