// SPDX-License-Identifier: GPL-2.0
/*
 * tc blocks of vxlan devices: the rules that decapsulate. A rule belongs to the NIC that it redirects to. One
 * callback serves all NICs, so a rule is in hardware at most once.
 */
#include <linux/slab.h>
#include <net/vxlan.h>

#include "flower.h"
#include "simnic.h"

struct simnic_tunnel_block {
	struct list_head node;
	struct net_device *dev;
};

static LIST_HEAD(simnic_tunnel_blocks);
static LIST_HEAD(simnic_tunnel_cb_list);

static int simnic_tunnel_replace(struct net_device *dev, struct flow_cls_offload *f)
{
	const struct flow_action_entry *entry;
	struct simnic_port *port = NULL;
	int i;

	flow_action_for_each(i, entry, &f->rule->action) {
		if (entry->id == FLOW_ACTION_REDIRECT || entry->id == FLOW_ACTION_MIRRED)
			port = simnic_target_port(entry->dev) ?: port;
	}
	if (!port) {
		NL_SET_ERR_MSG_MOD(f->common.extack, "a rule on a tunnel must redirect to a port of the NIC");
		return -EOPNOTSUPP;
	}
	return simnic_flow_command(&port->nic->tunnel, f, dev);
}

static int simnic_tunnel_cb(enum tc_setup_type type, void *data, void *priv)
{
	struct simnic_tunnel_block *block = priv;
	struct flow_cls_offload *f = data;
	struct simnic *nic;
	int err = -ENOENT;

	if (type != TC_SETUP_CLSFLOWER)
		return -EOPNOTSUPP;
	/* Keeps the NICs while the rule is looked at. */
	mutex_lock(&simnic_list_lock);
	if (f->command == FLOW_CLS_REPLACE) {
		err = simnic_tunnel_replace(block->dev, f);
	} else {
		list_for_each_entry(nic, &simnic_list, node) {
			err = simnic_flow_command(&nic->tunnel, f, block->dev);
			if (err != -ENOENT)
				break;
		}
	}
	mutex_unlock(&simnic_list_lock);
	return err;
}

static void simnic_tunnel_release(void *priv)
{
	struct simnic_tunnel_block *block = priv;

	list_del(&block->node);
	kfree(block);
}

static struct simnic_tunnel_block *simnic_tunnel_find(const struct net_device *dev)
{
	struct simnic_tunnel_block *block;

	list_for_each_entry(block, &simnic_tunnel_blocks, node) {
		if (block->dev == dev)
			return block;
	}
	return NULL;
}

static int simnic_tunnel_bind(struct net_device *dev, struct Qdisc *sch, void *cb_priv,
			      struct flow_block_offload *f, void *data,
			      void (*cleanup)(struct flow_block_cb *block_cb))
{
	struct simnic_tunnel_block *block;
	struct flow_block_cb *block_cb;

	if (simnic_tunnel_find(dev))
		return -EEXIST;
	block = kzalloc(sizeof(*block), GFP_KERNEL);
	if (!block)
		return -ENOMEM;
	block->dev = dev;
	list_add(&block->node, &simnic_tunnel_blocks);
	block_cb = flow_indr_block_cb_alloc(simnic_tunnel_cb, block, block, simnic_tunnel_release, f, dev, sch,
					    data, cb_priv, cleanup);
	if (IS_ERR(block_cb)) {
		simnic_tunnel_release(block);
		return PTR_ERR(block_cb);
	}
	flow_block_cb_add(block_cb, f);
	list_add_tail(&block_cb->driver_list, &simnic_tunnel_cb_list);
	return 0;
}

static int simnic_tunnel_unbind(struct net_device *dev, struct flow_block_offload *f)
{
	struct simnic_tunnel_block *block = simnic_tunnel_find(dev);
	struct flow_block_cb *block_cb;

	block_cb = block ? flow_block_cb_lookup(f->block, simnic_tunnel_cb, block) : NULL;
	if (!block_cb)
		return -ENOENT;
	flow_indr_block_cb_remove(block_cb, f);
	list_del(&block_cb->driver_list);
	return 0;
}

/* `dev` is NULL for actions that are offered without a device. */
static int simnic_indirect_setup(struct net_device *dev, struct Qdisc *sch, void *cb_priv,
				 enum tc_setup_type type, void *type_data, void *data,
				 void (*cleanup)(struct flow_block_cb *block_cb))
{
	struct flow_block_offload *f = type_data;

	if (!dev || type != TC_SETUP_BLOCK || !netif_is_vxlan(dev))
		return -EOPNOTSUPP;
	if (f->binder_type != FLOW_BLOCK_BINDER_TYPE_CLSACT_INGRESS)
		return -EOPNOTSUPP;
	f->unlocked_driver_cb = true;
	f->driver_block_list = &simnic_tunnel_cb_list;
	if (f->command == FLOW_BLOCK_BIND)
		return simnic_tunnel_bind(dev, sch, cb_priv, f, data, cleanup);
	return simnic_tunnel_unbind(dev, f);
}

int simnic_indirect_init(void)
{
	return flow_indr_dev_register(simnic_indirect_setup, &simnic_tunnel_blocks);
}

void simnic_indirect_exit(void)
{
	flow_indr_dev_unregister(simnic_indirect_setup, &simnic_tunnel_blocks, simnic_tunnel_release);
}
