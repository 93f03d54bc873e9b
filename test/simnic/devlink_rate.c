// SPDX-License-Identifier: GPL-2.0
/*
 * devlink rates: tx_max of leaves and nodes is enforced, tx_share is kept. Values are bytes per second.
 * A leaf's own bucket is also the one that `ip link set … vf N max_tx_rate` fills.
 */
#include <linux/slab.h>

#include "simnic.h"

struct simnic_rate_node {
	struct simnic_bucket bucket;
};

static int simnic_rate_refused(struct devlink_rate *rate, struct netlink_ext_ack *extack)
{
	struct simnic *nic = devlink_priv(rate->devlink);

	if (!simnic_has_quirk(nic, SIMNIC_QUIRK_NO_RATES))
		return 0;
	NL_SET_ERR_MSG_MOD(extack, "rate objects are not supported");
	return -EOPNOTSUPP;
}

int simnic_rate_leaf_share(struct devlink_rate *rate, void *priv, u64 value, struct netlink_ext_ack *extack)
{
	struct simnic_port *port = priv;

	port->config.min_tx_rate = div_u64(value, 125000);
	return simnic_rate_refused(rate, extack);
}

int simnic_rate_leaf_max(struct devlink_rate *rate, void *priv, u64 value, struct netlink_ext_ack *extack)
{
	struct simnic_port *port = priv;

	port->config.max_tx_rate = div_u64(value, 125000);
	simnic_bucket_set(&port->tx_limit, value, 0);
	return simnic_rate_refused(rate, extack);
}

int simnic_rate_node_share(struct devlink_rate *rate, void *priv, u64 value, struct netlink_ext_ack *extack)
{
	return simnic_rate_refused(rate, extack);
}

int simnic_rate_node_max(struct devlink_rate *rate, void *priv, u64 value, struct netlink_ext_ack *extack)
{
	struct simnic_rate_node *node = priv;

	simnic_bucket_set(&node->bucket, value, 0);
	return simnic_rate_refused(rate, extack);
}

int simnic_rate_node_new(struct devlink_rate *rate, void **priv, struct netlink_ext_ack *extack)
{
	struct simnic_rate_node *node;
	int err = simnic_rate_refused(rate, extack);

	if (err)
		return err;
	node = kzalloc(sizeof(*node), GFP_KERNEL);
	if (!node)
		return -ENOMEM;
	simnic_bucket_init(&node->bucket);
	*priv = node;
	return 0;
}

int simnic_rate_node_del(struct devlink_rate *rate, void *priv, struct netlink_ext_ack *extack)
{
	/* Leaves were taken out of the node, but a frame may still be passing its bucket. */
	synchronize_net();
	kfree(priv);
	return 0;
}

int simnic_rate_parent_set(struct devlink_rate *child, struct devlink_rate *parent, void *priv_child,
			   void *priv_parent, struct netlink_ext_ack *extack)
{
	struct simnic_rate_node *node = priv_parent;

	if (child->type == DEVLINK_RATE_TYPE_LEAF) {
		struct simnic_port *port = priv_child;

		WRITE_ONCE(port->rate_parent, node ? &node->bucket : NULL);
	}
	return 0;
}

/* Whether a frame that a VF sends is within its own rate and its group's. */
bool simnic_rate_pass(struct simnic_port *port, unsigned int len)
{
	struct simnic_bucket *parent = READ_ONCE(port->rate_parent);

	return simnic_bucket_take(&port->tx_limit, len) && (!parent || simnic_bucket_take(parent, len));
}
