// SPDX-License-Identifier: GPL-2.0
/* What ethtool asks of the three kinds of netdev. */
#include <linux/ethtool.h>

#include "simnic.h"

#define SIMNIC_DRIVER_VERSION	"1.0"

static void simnic_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	struct simnic_port *port = simnic_rep_port(dev);
	const char *driver = "simnic_rep";

	if (!port) {
		port = simnic_pf_port(dev);
		driver = port ? port->nic->driver : "simnic_vf";
	}
	if (!port)
		port = simnic_func_port(dev);
	strscpy(info->driver, driver, sizeof(info->driver));
	strscpy(info->version, SIMNIC_DRIVER_VERSION, sizeof(info->version));
	strscpy(info->fw_version, port->nic->fw_running, sizeof(info->fw_version));
	if (dev->dev.parent)
		strscpy(info->bus_info, dev_name(dev->dev.parent), sizeof(info->bus_info));
}

static int simnic_get_link_ksettings(struct net_device *dev, struct ethtool_link_ksettings *settings)
{
	ethtool_link_ksettings_zero_link_mode(settings, supported);
	ethtool_link_ksettings_add_link_mode(settings, supported, 25000baseCR_Full);
	settings->base.speed = SPEED_25000;
	settings->base.duplex = DUPLEX_FULL;
	settings->base.port = PORT_DA;
	settings->base.autoneg = AUTONEG_DISABLE;
	return 0;
}

const struct ethtool_ops simnic_ethtool_ops = {
	.get_drvinfo = simnic_get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_link_ksettings = simnic_get_link_ksettings,
};
