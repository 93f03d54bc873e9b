// SPDX-License-Identifier: GPL-2.0
/* devlink ports: the uplink, and in switchdev mode one for each VF with its function attributes. */
#include "simnic.h"

static struct simnic_port *simnic_dl_port(struct devlink_port *dl_port)
{
	return container_of(dl_port, struct simnic_port, dl_port);
}

static int simnic_fn_hw_addr_get(struct devlink_port *dl_port, u8 *addr, int *len,
				 struct netlink_ext_ack *extack)
{
	ether_addr_copy(addr, simnic_dl_port(dl_port)->config.mac);
	*len = ETH_ALEN;
	return 0;
}

static int simnic_fn_hw_addr_set(struct devlink_port *dl_port, const u8 *addr, int len,
				 struct netlink_ext_ack *extack)
{
	int err;

	rtnl_lock();
	err = len == ETH_ALEN ? simnic_port_set_mac(simnic_dl_port(dl_port), addr) : -EINVAL;
	rtnl_unlock();
	if (err)
		NL_SET_ERR_MSG_MOD(extack, "not a unicast Ethernet address");
	return err;
}

static int simnic_fn_state_get(struct devlink_port *dl_port, enum devlink_port_fn_state *state,
			       enum devlink_port_fn_opstate *opstate, struct netlink_ext_ack *extack)
{
	struct simnic_port *port = simnic_dl_port(dl_port);

	*state = port->config.active ? DEVLINK_PORT_FN_STATE_ACTIVE : DEVLINK_PORT_FN_STATE_INACTIVE;
	*opstate = rcu_access_pointer(port->func) ? DEVLINK_PORT_FN_OPSTATE_ATTACHED :
						    DEVLINK_PORT_FN_OPSTATE_DETACHED;
	return 0;
}

static int simnic_fn_state_set(struct devlink_port *dl_port, enum devlink_port_fn_state state,
			       struct netlink_ext_ack *extack)
{
	struct simnic_port *port = simnic_dl_port(dl_port);

	port->config.active = state == DEVLINK_PORT_FN_STATE_ACTIVE;
	simnic_links_update(port->nic);
	return 0;
}

static const struct devlink_port_ops simnic_vf_port_ops = {
	.port_fn_hw_addr_get = simnic_fn_hw_addr_get,
	.port_fn_hw_addr_set = simnic_fn_hw_addr_set,
	.port_fn_state_get = simnic_fn_state_get,
	.port_fn_state_set = simnic_fn_state_set,
};

static const struct devlink_port_ops simnic_uplink_port_ops = {};

/* The switch is named by the NIC's base address. */
static void simnic_switch_id(const struct simnic *nic, struct netdev_phys_item_id *id)
{
	id->id_len = sizeof(nic->mac);
	memcpy(id->id, nic->mac, sizeof(nic->mac));
}

/*
 * The uplink's port is part of a switch in switchdev mode only, and outlives changes of mode together with its
 * netdev: its attributes change in place, under the lock of those who read them.
 */
void simnic_switch_id_update(struct simnic *nic)
{
	struct devlink_port *dl_port = &nic->uplink.dl_port;

	rtnl_lock();
	memset(&dl_port->attrs.switch_id, 0, sizeof(dl_port->attrs.switch_id));
	if (simnic_is_switchdev(nic))
		simnic_switch_id(nic, &dl_port->attrs.switch_id);
	dl_port->switch_port = simnic_is_switchdev(nic);
	rtnl_unlock();
}

int simnic_dl_port_register(struct simnic_port *port)
{
	struct devlink_port_attrs attrs = {};
	int err;

	memset(&port->dl_port, 0, sizeof(port->dl_port));
	if (port->vf < 0) {
		attrs.flavour = DEVLINK_PORT_FLAVOUR_PHYSICAL;
		devlink_port_attrs_set(&port->dl_port, &attrs);
	} else {
		simnic_switch_id(port->nic, &port->dl_port.attrs.switch_id);
		devlink_port_attrs_pci_vf_set(&port->dl_port, 0, 0, port->vf, false);
	}
	/* Index 0 is the uplink, so VFs start at 1. */
	err = devl_port_register_with_ops(port->nic->devlink, &port->dl_port, port->vf + 1,
					  port->vf < 0 ? &simnic_uplink_port_ops : &simnic_vf_port_ops);
	port->dl_registered = !err;
	return err;
}

void simnic_dl_port_unregister(struct simnic_port *port)
{
	if (!port->dl_registered)
		return;
	port->dl_registered = false;
	devl_port_unregister(&port->dl_port);
}
