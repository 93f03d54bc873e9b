// SPDX-License-Identifier: GPL-2.0
/* eswitch attributes, and the representors that come and go with switchdev mode. */
#include "flower.h"
#include "simnic.h"

/* Makes a port's devlink port, representor and rate leaf; the devlink lock is held. */
int simnic_rep_add(struct simnic_port *port)
{
	struct net_device *dev;
	int err;

	err = simnic_dl_port_register(port);
	if (err)
		return err;
	if (!simnic_has_quirk(port->nic, SIMNIC_QUIRK_NO_RATES)) {
		err = devl_rate_leaf_create(&port->dl_port, port, NULL);
		if (err)
			goto unregister;
	}
	dev = simnic_rep_netdev_create(port);
	if (IS_ERR(dev)) {
		err = PTR_ERR(dev);
		goto destroy_leaf;
	}
	mutex_lock(&simnic_link_mutex);
	rcu_assign_pointer(port->rep, dev);
	mutex_unlock(&simnic_link_mutex);
	return 0;

destroy_leaf:
	if (port->dl_port.devlink_rate)
		devl_rate_leaf_destroy(&port->dl_port);
unregister:
	simnic_dl_port_unregister(port);
	return err;
}

/* Does nothing for a port without a representor; the devlink lock is held. */
void simnic_rep_del(struct simnic_port *port)
{
	struct net_device *dev = rcu_dereference_protected(port->rep, 1);

	if (!dev)
		return;
	mutex_lock(&simnic_link_mutex);
	RCU_INIT_POINTER(port->rep, NULL);
	mutex_unlock(&simnic_link_mutex);
	/* No frame may be queued on the netdev once it is being unregistered. */
	synchronize_net();
	simnic_netdev_destroy(dev);
	WRITE_ONCE(port->rate_parent, NULL);
	if (port->dl_port.devlink_rate)
		devl_rate_leaf_destroy(&port->dl_port);
	simnic_dl_port_unregister(port);
}

static int simnic_switchdev_enter(struct simnic *nic, struct netlink_ext_ack *extack)
{
	int vf, err;

	if (simnic_has_quirk(nic, SIMNIC_QUIRK_NO_SWITCHDEV)) {
		NL_SET_ERR_MSG_MOD(extack, "this firmware has no switchdev mode");
		return -EOPNOTSUPP;
	}
	if (simnic_has_quirk(nic, SIMNIC_QUIRK_SWITCHDEV_NEEDS_VFS) && !nic->num_vfs) {
		NL_SET_ERR_MSG_MOD(extack, "enable VFs before setting switchdev mode");
		return -EPERM;
	}
	WRITE_ONCE(nic->eswitch_mode, DEVLINK_ESWITCH_MODE_SWITCHDEV);
	for (vf = 0; vf < nic->num_vfs; vf++) {
		err = simnic_rep_add(&nic->vfs[vf]);
		if (err)
			goto undo;
	}
	return 0;

undo:
	while (vf-- > 0)
		simnic_rep_del(&nic->vfs[vf]);
	WRITE_ONCE(nic->eswitch_mode, DEVLINK_ESWITCH_MODE_LEGACY);
	NL_SET_ERR_MSG_MOD(extack, "making the representors failed");
	return err;
}

/* Also for a driver that starts anew; the devlink lock is held. */
void simnic_switchdev_leave(struct simnic *nic)
{
	int vf;

	for (vf = 0; vf < nic->num_vfs; vf++)
		simnic_rep_del(&nic->vfs[vf]);
	WRITE_ONCE(nic->eswitch_mode, DEVLINK_ESWITCH_MODE_LEGACY);
	simnic_table_flush(nic);
}

int simnic_eswitch_mode_get(struct devlink *devlink, u16 *mode)
{
	struct simnic *nic = devlink_priv(devlink);

	*mode = nic->eswitch_mode;
	return 0;
}

int simnic_eswitch_mode_set(struct devlink *devlink, u16 mode, struct netlink_ext_ack *extack)
{
	struct simnic *nic = devlink_priv(devlink);
	int err;

	if (mode == nic->eswitch_mode)
		return 0;
	err = simnic_fault(nic, SIMNIC_OP_MODE);
	if (err) {
		NL_SET_ERR_MSG_MOD(extack, "injected error");
		return err;
	}
	if (simnic_has_quirk(nic, SIMNIC_QUIRK_SWITCHDEV_NEEDS_NO_VFS) && nic->num_vfs) {
		NL_SET_ERR_MSG_MOD(extack, "the mode cannot change while VFs exist");
		return -EBUSY;
	}
	if (mode == DEVLINK_ESWITCH_MODE_SWITCHDEV)
		err = simnic_switchdev_enter(nic, extack);
	else
		simnic_switchdev_leave(nic);
	simnic_switch_id_update(nic);
	simnic_links_update(nic);
	return err;
}

int simnic_eswitch_inline_get(struct devlink *devlink, u8 *mode)
{
	struct simnic *nic = devlink_priv(devlink);

	*mode = nic->inline_mode;
	return 0;
}

int simnic_eswitch_inline_set(struct devlink *devlink, u8 mode, struct netlink_ext_ack *extack)
{
	struct simnic *nic = devlink_priv(devlink);

	if (simnic_has_quirk(nic, SIMNIC_QUIRK_NO_INLINE_MODE)) {
		NL_SET_ERR_MSG_MOD(extack, "Inline mode can't be set");
		return -EOPNOTSUPP;
	}
	nic->inline_mode = mode;
	return 0;
}

int simnic_eswitch_encap_get(struct devlink *devlink, enum devlink_eswitch_encap_mode *mode)
{
	struct simnic *nic = devlink_priv(devlink);

	*mode = nic->encap_mode;
	return 0;
}

int simnic_eswitch_encap_set(struct devlink *devlink, enum devlink_eswitch_encap_mode mode,
			     struct netlink_ext_ack *extack)
{
	struct simnic *nic = devlink_priv(devlink);

	if (mode == nic->encap_mode)
		return 0;
	if (simnic_has_quirk(nic, SIMNIC_QUIRK_ENCAP_MODE_NEEDS_NO_FLOWS) && READ_ONCE(nic->flow_count)) {
		NL_SET_ERR_MSG_MOD(extack, "Can't set encapsulation when flows are configured");
		return -EOPNOTSUPP;
	}
	WRITE_ONCE(nic->encap_mode, mode);
	return 0;
}
