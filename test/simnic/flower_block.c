// SPDX-License-Identifier: GPL-2.0
/* tc blocks of representors and uplinks. */
#include "flower.h"
#include "simnic.h"

static LIST_HEAD(simnic_block_list);

int simnic_flow_command(struct simnic_port *port, struct flow_cls_offload *f, struct net_device *tunnel)
{
	switch (f->command) {
	case FLOW_CLS_REPLACE:
		return simnic_flow_replace(port, f, tunnel);
	case FLOW_CLS_DESTROY:
		return simnic_flow_destroy(port, f);
	case FLOW_CLS_STATS:
		return simnic_flow_stats(port, f);
	default:
		return -EOPNOTSUPP;
	}
}

static int simnic_block_cb(enum tc_setup_type type, void *data, void *priv)
{
	return type == TC_SETUP_CLSFLOWER ? simnic_flow_command(priv, data, NULL) : -EOPNOTSUPP;
}

/* The port whose rules and targets `dev` stands for: a VF's of a representor, the uplink's of a PF; else NULL. */
struct simnic_port *simnic_target_port(const struct net_device *dev)
{
	return simnic_rep_port(dev) ?: simnic_pf_port(dev);
}

int simnic_setup_tc(struct net_device *dev, enum tc_setup_type type, void *data)
{
	struct simnic_port *port = simnic_target_port(dev);
	struct flow_block_offload *f = data;

	if (type != TC_SETUP_BLOCK)
		return -EOPNOTSUPP;
	/* Rules come from several sockets at once; the table has its own lock. */
	f->unlocked_driver_cb = true;
	return flow_block_cb_setup_simple(f, &simnic_block_list, simnic_block_cb, port, port, true);
}
