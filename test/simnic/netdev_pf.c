// SPDX-License-Identifier: GPL-2.0
/* The PF's netdev, which is the uplink's representor in switchdev mode. */
#include "flower.h"
#include "simnic.h"

static const struct net_device_ops simnic_pf_ops;

static struct simnic_port *simnic_priv(const struct net_device *dev)
{
	return *(struct simnic_port **)netdev_priv(dev);
}

/* The uplink of the NIC that `dev` is the PF of, else NULL. */
struct simnic_port *simnic_pf_port(const struct net_device *dev)
{
	return dev->netdev_ops == &simnic_pf_ops ? simnic_priv(dev) : NULL;
}

/* What the three kinds of netdev have in common. */
void simnic_netdev_setup(struct net_device *dev, struct simnic *nic)
{
	dev_net_set(dev, devlink_net(nic->devlink));
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = SIMNIC_MAX_MTU;
	dev->lltx = true;
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	dev->ethtool_ops = &simnic_ethtool_ops;
	/* The switch knows every address in the list. */
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE | IFF_UNICAST_FLT;
	netif_carrier_off(dev);
}

int simnic_change_mtu(struct net_device *dev, int mtu)
{
	WRITE_ONCE(dev->mtu, mtu);
	return 0;
}

static int simnic_pf_open_stop(struct net_device *dev)
{
	simnic_links_update(simnic_priv(dev)->nic);
	return 0;
}

static netdev_tx_t simnic_pf_xmit(struct sk_buff *skb, struct net_device *dev)
{
	dev_sw_netstats_tx_add(dev, 1, skb->len);
	simnic_pf_tx(simnic_priv(dev)->nic, skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops simnic_pf_ops = {
	.ndo_open = simnic_pf_open_stop,
	.ndo_stop = simnic_pf_open_stop,
	.ndo_start_xmit = simnic_pf_xmit,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_change_mtu = simnic_change_mtu,
	.ndo_setup_tc = simnic_setup_tc,
	.ndo_set_vf_mac = simnic_set_vf_mac,
	.ndo_set_vf_vlan = simnic_set_vf_vlan,
	.ndo_set_vf_rate = simnic_set_vf_rate,
	.ndo_set_vf_spoofchk = simnic_set_vf_spoofchk,
	.ndo_set_vf_trust = simnic_set_vf_trust,
	.ndo_set_vf_link_state = simnic_set_vf_link_state,
	.ndo_get_vf_config = simnic_get_vf_config,
};

struct net_device *simnic_pf_netdev_create(struct simnic *nic)
{
	struct net_device *dev = alloc_etherdev(sizeof(struct simnic_port *));
	int err;

	if (!dev)
		return ERR_PTR(-ENOMEM);
	*(struct simnic_port **)netdev_priv(dev) = &nic->uplink;
	simnic_netdev_setup(dev, nic);
	dev->netdev_ops = &simnic_pf_ops;
	dev->features |= NETIF_F_HW_TC;
	dev->hw_features |= NETIF_F_HW_TC;
	eth_hw_addr_set(dev, nic->mac);
	SET_NETDEV_DEV(dev, nic->dev);
	SET_NETDEV_DEVLINK_PORT(dev, &nic->uplink.dl_port);
	mutex_lock(&simnic_link_mutex);
	rcu_assign_pointer(nic->uplink.func, dev);
	rcu_assign_pointer(nic->uplink.rep, dev);
	mutex_unlock(&simnic_link_mutex);
	err = register_netdev(dev);
	if (!err)
		return dev;
	mutex_lock(&simnic_link_mutex);
	RCU_INIT_POINTER(nic->uplink.func, NULL);
	RCU_INIT_POINTER(nic->uplink.rep, NULL);
	mutex_unlock(&simnic_link_mutex);
	synchronize_net();
	free_netdev(dev);
	return ERR_PTR(err);
}

void simnic_netdev_destroy(struct net_device *dev)
{
	unregister_netdev(dev);
	free_netdev(dev);
}
