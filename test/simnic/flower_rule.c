// SPDX-License-Identifier: GPL-2.0
/* Rules: added, removed and read for the kernel's flower classifier. */
#include <linux/slab.h>

#include "flower.h"
#include "simnic.h"

/* Frees what a rule holds beside itself; its encapsulations are unlinked already. */
void simnic_flow_free(struct simnic_flow *flow)
{
	int i;

	for (i = 0; i < flow->action_count; i++) {
		struct simnic_action *action = &flow->actions[i];

		if (action->id == FLOW_ACTION_POLICE)
			kfree(action->police);
		else if (action->id == FLOW_ACTION_REDIRECT || action->id == FLOW_ACTION_MIRRED) {
			if (action->out.encap)
				simnic_encap_free(action->out.encap);
		}
	}
	kfree(flow);
}

/* For a rule that never came into the table. */
static void simnic_flow_abort(struct simnic_flow *flow)
{
	struct simnic *nic = flow->port->nic;
	int i;

	mutex_lock(&nic->table_lock);
	for (i = 0; i < flow->action_count; i++) {
		struct simnic_action *action = &flow->actions[i];

		if ((action->id == FLOW_ACTION_REDIRECT || action->id == FLOW_ACTION_MIRRED) &&
		    action->out.encap)
			simnic_encap_unlink(action->out.encap);
	}
	mutex_unlock(&nic->table_lock);
	simnic_flow_free(flow);
}

static int simnic_replace_allowed(struct simnic *nic, struct flow_cls_offload *f)
{
	struct netlink_ext_ack *extack = f->common.extack;
	int err;

	if (!simnic_is_switchdev(nic)) {
		NL_SET_ERR_MSG_MOD(extack, "the eswitch is in legacy mode");
		return -EOPNOTSUPP;
	}
	if (READ_ONCE(nic->resetting)) {
		NL_SET_ERR_MSG_MOD(extack, "the NIC is being reset");
		return -EIO;
	}
	err = simnic_fault(nic, SIMNIC_OP_ADD);
	if (err)
		NL_SET_ERR_MSG_MOD(extack, "injected error");
	return err;
}

static int simnic_check_limit(u32 value, u32 max, const char *what, struct netlink_ext_ack *extack)
{
	if (!max || value <= max)
		return 0;
	NL_SET_ERR_MSG_FMT_MOD(extack, "%s %u is beyond the maximum of %u", what, value, max);
	return -EOPNOTSUPP;
}

static int simnic_check_limits(struct simnic *nic, struct flow_cls_offload *f)
{
	struct netlink_ext_ack *extack = f->common.extack;

	return simnic_check_limit(f->common.chain_index, READ_ONCE(nic->chain_max), "chain", extack) ?:
	       simnic_check_limit(f->common.prio, READ_ONCE(nic->prio_max), "priority", extack) ?:
	       simnic_check_limit(f->rule->action.num_entries, READ_ONCE(nic->actions_max), "number of actions",
				  extack);
}

static int simnic_flow_insert(struct simnic_flow *flow, struct netlink_ext_ack *extack)
{
	struct simnic *nic = flow->port->nic;
	int err;

	mutex_lock(&nic->table_lock);
	if (simnic_table_find(flow->port, flow->cookie))
		err = -EEXIST;
	else if (nic->flow_count >= READ_ONCE(nic->table_size))
		err = -ENOSPC;
	else
		err = simnic_table_insert(flow);
	mutex_unlock(&nic->table_lock);
	if (err == -ENOSPC)
		NL_SET_ERR_MSG_MOD(extack, "table full");
	return err;
}

int simnic_flow_replace(struct simnic_port *port, struct flow_cls_offload *f, struct net_device *tunnel)
{
	struct netlink_ext_ack *extack = f->common.extack;
	struct simnic *nic = port->nic;
	struct simnic_flow *flow;
	int err;

	err = simnic_replace_allowed(nic, f);
	if (!err)
		err = simnic_check_limits(nic, f);
	if (err)
		return err;
	flow = kzalloc(struct_size(flow, actions, f->rule->action.num_entries), GFP_KERNEL);
	if (!flow)
		return -ENOMEM;
	flow->port = port;
	flow->cookie = f->cookie;
	flow->used = jiffies;
	flow->read_at = jiffies;
	flow->group_id.chain = f->common.chain_index;
	flow->group_id.prio = f->common.prio;
	err = simnic_parse_match(nic, flow, f, tunnel);
	if (!err)
		err = simnic_parse_actions(flow, f, tunnel);
	if (!err)
		err = simnic_flow_insert(flow, extack);
	if (err)
		simnic_flow_abort(flow);
	return err;
}

/* -ENOENT for a rule that is not this port's. */
int simnic_flow_destroy(struct simnic_port *port, struct flow_cls_offload *f)
{
	struct simnic *nic = port->nic;
	struct simnic_flow *flow;
	int err;

	mutex_lock(&nic->table_lock);
	flow = simnic_table_find(port, f->cookie);
	if (flow)
		simnic_table_remove(flow);
	mutex_unlock(&nic->table_lock);
	if (!flow)
		return -ENOENT;
	/* The kernel does not ask again: the rule is gone whatever hardware says. */
	err = simnic_fault(nic, SIMNIC_OP_DEL);
	return err;
}

/* Adds what passed since the last time; hardware's counters may be read only every so often. */
static void simnic_flow_read(struct simnic_flow *flow, struct flow_stats *stats)
{
	u64 packets = flow->seen_packets, bytes = flow->seen_bytes, drops = flow->seen_drops;
	u32 every_ms = READ_ONCE(flow->port->nic->stats_every_ms);

	if (!every_ms || time_after_eq(jiffies, flow->read_at + msecs_to_jiffies(every_ms))) {
		flow->read_at = jiffies;
		packets = atomic64_read(&flow->packets);
		bytes = atomic64_read(&flow->bytes);
		drops = atomic64_read(&flow->drops);
	}
	flow_stats_update(stats, bytes - flow->seen_bytes, packets - flow->seen_packets, drops - flow->seen_drops,
			  READ_ONCE(flow->used), FLOW_ACTION_HW_STATS_DELAYED);
	flow->seen_packets = packets;
	flow->seen_bytes = bytes;
	flow->seen_drops = drops;
}

/* Reports nothing at all for a rule that hardware has lost. */
int simnic_flow_stats(struct simnic_port *port, struct flow_cls_offload *f)
{
	struct simnic *nic = port->nic;
	struct simnic_flow *flow;
	int err;

	err = simnic_fault(nic, SIMNIC_OP_STATS);
	if (err)
		return err;
	mutex_lock(&nic->table_lock);
	flow = simnic_table_find(port, f->cookie);
	if (flow && flow->in_table)
		simnic_flow_read(flow, &f->stats);
	mutex_unlock(&nic->table_lock);
	return flow ? 0 : -ENOENT;
}
