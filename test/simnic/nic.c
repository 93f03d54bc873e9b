// SPDX-License-Identifier: GPL-2.0
/* One NIC: made when a PF driver binds, gone when it unbinds. */
#include <linux/jhash.h>
#include <linux/slab.h>

#include "flower.h"
#include "simnic.h"

#define SIMNIC_FW_VERSION	"22.41.1000"
#define SIMNIC_RESET_MS		500

/* Addresses from the device's name and the seed; `mac` is the PF's own where hardware has one, else NULL. */
static void simnic_set_addresses(struct simnic *nic, const u8 *mac)
{
	u32 hash = jhash(dev_name(nic->dev), strlen(dev_name(nic->dev)), simnic_seed);

	/* A locally administered address; the last byte counts the functions. */
	nic->vf_mac[0] = 0x02;
	nic->vf_mac[1] = 0x51;
	nic->vf_mac[2] = hash >> 16;
	nic->vf_mac[3] = hash >> 8;
	nic->vf_mac[4] = hash;
	ether_addr_copy(nic->mac, mac ?: nic->vf_mac);
}

static void simnic_defaults(struct simnic *nic, struct device *dev, const char *driver, int total_vfs)
{

	nic->dev = dev;
	nic->driver = driver;
	nic->devlink = priv_to_devlink(nic);
	nic->total_vfs = min(total_vfs, SIMNIC_MAX_VFS);
	nic->eswitch_mode = DEVLINK_ESWITCH_MODE_LEGACY;
	nic->inline_mode = DEVLINK_ESWITCH_INLINE_MODE_NONE;
	nic->encap_mode = DEVLINK_ESWITCH_ENCAP_MODE_BASIC;
	strscpy(nic->steering, "smfs", sizeof(nic->steering));
	nic->sriov_enabled = true;
	nic->table_size = SIMNIC_TABLE_SIZE;
	nic->actions_max = SIMNIC_MAX_ACTIONS;
	nic->keys = BIT_ULL(simnic_key_count) - 1;
	nic->actions = BIT_ULL(simnic_action_count) - 1;
	nic->reset_ms = SIMNIC_RESET_MS;
	snprintf(nic->serial, sizeof(nic->serial), "SN-%s", dev_name(dev));
	strscpy(nic->fw_running, SIMNIC_FW_VERSION, sizeof(nic->fw_running));
	strscpy(nic->fw_stored, SIMNIC_FW_VERSION, sizeof(nic->fw_stored));
}

static void simnic_ports_exit(struct simnic *nic, int count)
{
	while (count-- > 0)
		simnic_port_exit(&nic->vfs[count]);
	simnic_port_exit(&nic->tunnel);
	simnic_port_exit(&nic->uplink);
	kvfree(nic->vfs);
}

static int simnic_ports_init(struct simnic *nic)
{
	int vf, err;

	nic->vfs = kvcalloc(nic->total_vfs + 1, sizeof(*nic->vfs), GFP_KERNEL);
	if (!nic->vfs)
		return -ENOMEM;
	err = simnic_port_init(&nic->uplink, nic, SIMNIC_UPLINK);
	if (err)
		goto free;
	err = simnic_port_init(&nic->tunnel, nic, SIMNIC_TUNNEL);
	if (err)
		goto exit_uplink;
	for (vf = 0; vf < nic->total_vfs; vf++) {
		err = simnic_port_init(&nic->vfs[vf], nic, vf);
		if (err) {
			simnic_ports_exit(nic, vf);
			return err;
		}
	}
	return 0;

exit_uplink:
	simnic_port_exit(&nic->uplink);
free:
	kvfree(nic->vfs);
	return err;
}

/* The uplink's devlink port and the PF's netdev; the devlink lock is held. */
int simnic_uplink_create(struct simnic *nic)
{
	struct net_device *dev;
	int err;

	err = simnic_dl_port_register(&nic->uplink);
	if (err)
		return err;
	dev = simnic_pf_netdev_create(nic);
	if (!IS_ERR(dev))
		return 0;
	simnic_dl_port_unregister(&nic->uplink);
	return PTR_ERR(dev);
}

void simnic_uplink_destroy(struct simnic *nic)
{
	struct net_device *dev = rcu_dereference_protected(nic->uplink.func, 1);

	/* Refuses new rules from here on. */
	WRITE_ONCE(nic->resetting, true);
	/* Paths of encapsulations hold neighbours, and these the uplink. */
	simnic_table_drain(nic);
	mutex_lock(&simnic_link_mutex);
	RCU_INIT_POINTER(nic->uplink.func, NULL);
	RCU_INIT_POINTER(nic->uplink.rep, NULL);
	mutex_unlock(&simnic_link_mutex);
	synchronize_net();
	simnic_netdev_destroy(dev);
	simnic_dl_port_unregister(&nic->uplink);
}

/* The devlink instance with everything below it; called with its lock held. */
static int simnic_register(struct simnic *nic)
{
	int err;

	err = simnic_params_register(nic);
	if (err)
		return err;
	err = simnic_resources_register(nic);
	if (err)
		goto params;
	err = simnic_health_register(nic);
	if (err)
		goto resources;
	err = simnic_uplink_create(nic);
	if (err)
		goto health;
	err = devl_register(nic->devlink);
	if (!err)
		return 0;
	simnic_uplink_destroy(nic);
health:
	simnic_health_unregister(nic);
resources:
	devl_resources_unregister(nic->devlink);
params:
	simnic_params_unregister(nic);
	return err;
}

static void simnic_unregister(struct simnic *nic)
{
	devl_unregister(nic->devlink);
	devl_rate_nodes_destroy(nic->devlink);
	/* A reload that failed has left none. */
	if (nic->uplink.dl_registered)
		simnic_uplink_destroy(nic);
	simnic_health_unregister(nic);
	devl_resources_unregister(nic->devlink);
	simnic_params_unregister(nic);
}

/* Returns the NIC, also the device's driver data, or an ERR_PTR. `mac`: the PF's address, NULL to make one. */
struct simnic *simnic_create(struct device *dev, const char *driver, int total_vfs, const u8 *mac)
{
	struct devlink *devlink;
	struct simnic *nic;
	int err;

	devlink = devlink_alloc(&simnic_devlink_ops, sizeof(*nic), dev);
	if (!devlink)
		return ERR_PTR(-ENOMEM);
	nic = devlink_priv(devlink);
	simnic_defaults(nic, dev, driver, total_vfs);
	simnic_set_addresses(nic, mac);
	simnic_fault_init(nic);
	err = simnic_table_init(nic);
	if (err)
		goto free;
	err = simnic_ports_init(nic);
	if (err)
		goto table;
	dev_set_drvdata(dev, nic);
	devl_lock(devlink);
	err = simnic_register(nic);
	devl_unlock(devlink);
	if (err)
		goto ports;
	err = device_add_group(dev, &simnic_sysfs_group);
	if (err)
		goto unregister;
	mutex_lock(&simnic_list_lock);
	list_add_tail(&nic->node, &simnic_list);
	mutex_unlock(&simnic_list_lock);
	return nic;

unregister:
	devl_lock(devlink);
	simnic_unregister(nic);
	devl_unlock(devlink);
ports:
	simnic_ports_exit(nic, nic->total_vfs);
table:
	simnic_table_exit(nic);
free:
	devlink_free(devlink);
	return ERR_PTR(err);
}

/* The VFs are gone already. */
void simnic_destroy(struct simnic *nic)
{
	mutex_lock(&simnic_list_lock);
	list_del(&nic->node);
	mutex_unlock(&simnic_list_lock);
	device_remove_group(nic->dev, &simnic_sysfs_group);
	simnic_wire_cut(nic);
	simnic_fault_exit(nic);
	devl_lock(nic->devlink);
	simnic_unregister(nic);
	devl_unlock(nic->devlink);
	simnic_table_exit(nic);
	simnic_ports_exit(nic, nic->total_vfs);
	devlink_free(nic->devlink);
}
