// SPDX-License-Identifier: GPL-2.0
/* The devlink instance: information, flash and reload. */
#include <linux/ctype.h>
#include <linux/firmware.h>

#include "flower.h"
#include "simnic.h"

static int simnic_info_get(struct devlink *devlink, struct devlink_info_req *req,
			   struct netlink_ext_ack *extack)
{
	struct simnic *nic = devlink_priv(devlink);
	int err;

	err = devlink_info_serial_number_put(req, nic->serial);
	if (!err)
		err = devlink_info_version_fixed_put(req, DEVLINK_INFO_VERSION_GENERIC_FW_PSID, "SIM0000000001");
	if (!err)
		err = devlink_info_version_running_put_ext(req, DEVLINK_INFO_VERSION_GENERIC_FW,
							   nic->fw_running,
							   DEVLINK_INFO_VERSION_TYPE_COMPONENT);
	if (!err)
		err = devlink_info_version_stored_put_ext(req, DEVLINK_INFO_VERSION_GENERIC_FW,
							  nic->fw_stored,
							  DEVLINK_INFO_VERSION_TYPE_COMPONENT);
	return err;
}

/* The image's first line is its version. */
static int simnic_flash_update(struct devlink *devlink, struct devlink_flash_update_params *params,
			       struct netlink_ext_ack *extack)
{
	const struct firmware *fw = params->fw;
	struct simnic *nic = devlink_priv(devlink);
	size_t len;

	for (len = 0; len < fw->size && fw->data[len] != '\n'; len++) {
		if (!isprint(fw->data[len])) {
			NL_SET_ERR_MSG_MOD(extack, "the image does not begin with a version");
			return -EINVAL;
		}
	}
	if (!len || len >= sizeof(nic->fw_stored)) {
		NL_SET_ERR_MSG_MOD(extack, "the image's version is empty or too long");
		return -EINVAL;
	}
	devlink_flash_update_status_notify(devlink, "Preparing to flash", "fw", 0, 0);
	devlink_flash_update_status_notify(devlink, "Flashing", "fw", 0, fw->size);
	memcpy(nic->fw_stored, fw->data, len);
	nic->fw_stored[len] = '\0';
	devlink_flash_update_status_notify(devlink, "Flashing", "fw", fw->size, fw->size);
	devlink_flash_update_status_notify(devlink, "Flashing done", "fw", 0, 0);
	return 0;
}

static int simnic_reload_down(struct devlink *devlink, bool netns_change, enum devlink_reload_action action,
			      enum devlink_reload_limit limit, struct netlink_ext_ack *extack)
{
	struct simnic *nic = devlink_priv(devlink);

	/* The end of a network namespace is not refused: the NIC moves to the first one. */
	if (action == DEVLINK_RELOAD_ACTION_DRIVER_REINIT && nic->num_vfs && !netns_change) {
		NL_SET_ERR_MSG_MOD(extack, "reload with VFs present is not supported");
		return -EBUSY;
	}
	simnic_reset_begin(nic);
	if (action == DEVLINK_RELOAD_ACTION_DRIVER_REINIT) {
		/* A driver that starts anew: no ports, no rates, the default mode. */
		devl_rate_nodes_destroy(devlink);
		simnic_switchdev_leave(nic);
		simnic_uplink_destroy(nic);
	}
	return 0;
}

static int simnic_reload_up(struct devlink *devlink, enum devlink_reload_action action,
			    enum devlink_reload_limit limit, u32 *performed, struct netlink_ext_ack *extack)
{
	struct simnic *nic = devlink_priv(devlink);
	int err = 0;

	if (action == DEVLINK_RELOAD_ACTION_FW_ACTIVATE) {
		strscpy(nic->fw_running, nic->fw_stored, sizeof(nic->fw_running));
	} else {
		simnic_params_reload(nic);
		simnic_resources_reload(nic);
		err = simnic_uplink_create(nic);
	}
	if (err)
		return err;
	*performed = BIT(action);
	simnic_reset_end(nic);
	return 0;
}

const struct devlink_ops simnic_devlink_ops = {
	.reload_actions = BIT(DEVLINK_RELOAD_ACTION_DRIVER_REINIT) | BIT(DEVLINK_RELOAD_ACTION_FW_ACTIVATE),
	.reload_down = simnic_reload_down,
	.reload_up = simnic_reload_up,
	.info_get = simnic_info_get,
	.flash_update = simnic_flash_update,
	.eswitch_mode_get = simnic_eswitch_mode_get,
	.eswitch_mode_set = simnic_eswitch_mode_set,
	.eswitch_inline_mode_get = simnic_eswitch_inline_get,
	.eswitch_inline_mode_set = simnic_eswitch_inline_set,
	.eswitch_encap_mode_get = simnic_eswitch_encap_get,
	.eswitch_encap_mode_set = simnic_eswitch_encap_set,
	.rate_leaf_tx_share_set = simnic_rate_leaf_share,
	.rate_leaf_tx_max_set = simnic_rate_leaf_max,
	.rate_node_tx_share_set = simnic_rate_node_share,
	.rate_node_tx_max_set = simnic_rate_node_max,
	.rate_node_new = simnic_rate_node_new,
	.rate_node_del = simnic_rate_node_del,
	.rate_leaf_parent_set = simnic_rate_parent_set,
	.rate_node_parent_set = simnic_rate_parent_set,
};
