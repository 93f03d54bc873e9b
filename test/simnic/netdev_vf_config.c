// SPDX-License-Identifier: GPL-2.0
/* `ip link set PF vf N …`: called under rtnl. What only the legacy switch knows is refused in switchdev. */
#include <linux/if_vlan.h>

#include "simnic.h"

static struct simnic_port *simnic_config_port(struct net_device *dev, int vf)
{
	return simnic_vf_port(simnic_pf_port(dev)->nic, vf);
}

/* Also devlink's `port function set hw_addr`; under rtnl. */
int simnic_port_set_mac(struct simnic_port *port, const u8 *mac)
{
	struct net_device *func = rtnl_dereference(port->func);

	if (!is_valid_ether_addr(mac) && !is_zero_ether_addr(mac))
		return -EINVAL;
	ether_addr_copy(port->config.mac, mac);
	if (!func || is_zero_ether_addr(mac) || simnic_has_quirk(port->nic, SIMNIC_QUIRK_MAC_NEEDS_REBIND))
		return 0;
	eth_hw_addr_set(func, mac);
	call_netdevice_notifiers(NETDEV_CHANGEADDR, func);
	return 0;
}

int simnic_set_vf_mac(struct net_device *dev, int vf, u8 *mac)
{
	struct simnic_port *port = simnic_config_port(dev, vf);

	return port ? simnic_port_set_mac(port, mac) : -EINVAL;
}

int simnic_set_vf_vlan(struct net_device *dev, int vf, u16 vlan, u8 qos, __be16 proto)
{
	struct simnic_port *port = simnic_config_port(dev, vf);

	if (!port || vlan >= VLAN_N_VID || qos > 7)
		return -EINVAL;
	if (simnic_is_switchdev(port->nic))
		return -EOPNOTSUPP;
	if (proto != htons(ETH_P_8021Q))
		return -EPROTONOSUPPORT;
	port->config.qos = qos;
	WRITE_ONCE(port->config.vlan, vlan);
	return 0;
}

int simnic_set_vf_rate(struct net_device *dev, int vf, int min_rate, int max_rate)
{
	struct simnic_port *port = simnic_config_port(dev, vf);

	if (!port || (max_rate && min_rate > max_rate))
		return -EINVAL;
	port->config.min_tx_rate = min_rate;
	port->config.max_tx_rate = max_rate;
	/* Mbit/s to bytes per second. */
	simnic_bucket_set(&port->tx_limit, max_rate * 125000ULL, 0);
	return 0;
}

int simnic_set_vf_spoofchk(struct net_device *dev, int vf, bool on)
{
	struct simnic_port *port = simnic_config_port(dev, vf);

	if (!port)
		return -EINVAL;
	if (simnic_is_switchdev(port->nic))
		return -EOPNOTSUPP;
	WRITE_ONCE(port->config.spoofchk, on);
	return 0;
}

int simnic_set_vf_trust(struct net_device *dev, int vf, bool on)
{
	struct simnic_port *port = simnic_config_port(dev, vf);

	if (!port)
		return -EINVAL;
	if (simnic_is_switchdev(port->nic))
		return -EOPNOTSUPP;
	WRITE_ONCE(port->config.trusted, on);
	return 0;
}

int simnic_set_vf_link_state(struct net_device *dev, int vf, int state)
{
	struct simnic_port *port = simnic_config_port(dev, vf);

	if (!port)
		return -EINVAL;
	if (simnic_is_switchdev(port->nic))
		return -EOPNOTSUPP;
	port->config.link_state = state;
	simnic_links_update(port->nic);
	return 0;
}

int simnic_get_vf_config(struct net_device *dev, int vf, struct ifla_vf_info *info)
{
	struct simnic_port *port = simnic_config_port(dev, vf);

	if (!port)
		return -EINVAL;
	info->vf = vf;
	ether_addr_copy(info->mac, port->config.mac);
	info->vlan = port->config.vlan;
	info->qos = port->config.qos;
	info->vlan_proto = port->config.vlan_proto;
	info->spoofchk = port->config.spoofchk;
	info->trusted = port->config.trusted;
	info->linkstate = port->config.link_state;
	info->min_tx_rate = port->config.min_tx_rate;
	info->max_tx_rate = port->config.max_tx_rate;
	return 0;
}
