// SPDX-License-Identifier: GPL-2.0
/* VFs as the core sees them: announced by the front end, then attached when the VF driver binds. */
#include "simnic.h"

struct simnic_port *simnic_vf_port(struct simnic *nic, int vf)
{
	return vf >= 0 && vf < READ_ONCE(nic->num_vfs) ? &nic->vfs[vf] : NULL;
}

static void simnic_vf_config_reset(struct simnic_port *port)
{
	struct simnic_vf_config *config = &port->config;

	memset(config, 0, sizeof(*config));
	ether_addr_copy(config->mac, port->nic->vf_mac);
	config->mac[ETH_ALEN - 1] = port->vf + 1;
	config->vlan_proto = htons(ETH_P_8021Q);
	config->active = true;
	config->link_state = IFLA_VF_LINK_STATE_AUTO;
	simnic_bucket_set(&port->tx_limit, 0, 0);
}

int simnic_vfs_prepare(struct simnic *nic, int count)
{
	int err, vf;

	err = simnic_fault(nic, SIMNIC_OP_SRIOV);
	if (err)
		return err;
	if (!nic->sriov_enabled)
		return -EOPNOTSUPP;
	devl_lock(nic->devlink);
	for (vf = 0; vf < count; vf++) {
		simnic_vf_config_reset(&nic->vfs[vf]);
		if (!simnic_is_switchdev(nic))
			continue;
		err = simnic_rep_add(&nic->vfs[vf]);
		if (err)
			goto undo;
	}
	WRITE_ONCE(nic->num_vfs, count);
	devl_unlock(nic->devlink);
	return 0;

undo:
	while (vf-- > 0)
		simnic_rep_del(&nic->vfs[vf]);
	devl_unlock(nic->devlink);
	return err;
}

void simnic_vfs_finish(struct simnic *nic)
{
	int vf;

	devl_lock(nic->devlink);
	/* Representors of leaves whose parent is a node: the nodes stay, empty. */
	for (vf = nic->num_vfs - 1; vf >= 0; vf--)
		simnic_rep_del(&nic->vfs[vf]);
	WRITE_ONCE(nic->num_vfs, 0);
	if (simnic_is_switchdev(nic) && simnic_has_quirk(nic, SIMNIC_QUIRK_SWITCHDEV_NEEDS_VFS)) {
		simnic_switchdev_leave(nic);
		simnic_switch_id_update(nic);
	}
	devl_unlock(nic->devlink);
}

int simnic_vf_attach(struct simnic *nic, int vf, struct device *dev)
{
	struct simnic_port *port = simnic_vf_port(nic, vf);
	struct net_device *netdev;

	if (!port)
		return -ENODEV;
	netdev = simnic_vf_netdev_create(port, dev);
	return PTR_ERR_OR_ZERO(netdev);
}

void simnic_vf_detach(struct simnic *nic, int vf)
{
	struct simnic_port *port = &nic->vfs[vf];
	struct net_device *netdev = rcu_dereference_protected(port->func, 1);

	mutex_lock(&simnic_link_mutex);
	RCU_INIT_POINTER(port->func, NULL);
	mutex_unlock(&simnic_link_mutex);
	/* No frame may be queued on the netdev once it is being unregistered. */
	synchronize_net();
	simnic_netdev_destroy(netdev);
	simnic_links_update(nic);
}

/* Function-level reset: the VF's own settings go, the PF's settings stay. */
int simnic_vf_reset(struct simnic *nic, int vf)
{
	struct simnic_port *port = simnic_vf_port(nic, vf);
	struct net_device *netdev;

	if (!port)
		return -ENODEV;
	rtnl_lock();
	netdev = rtnl_dereference(port->func);
	if (netdev) {
		netif_carrier_off(netdev);
		eth_hw_addr_set(netdev, port->config.mac);
		call_netdevice_notifiers(NETDEV_CHANGEADDR, netdev);
	}
	rtnl_unlock();
	simnic_links_update(nic);
	return 0;
}
