// SPDX-License-Identifier: GPL-2.0
/*
 * The flow table. Each port has chains, each chain its groups (one per priority and mask) in order of priority,
 * each group a hash table of rules by masked key: insertion and removal do not depend on the number of rules.
 */
#include <linux/slab.h>

#include "flower.h"
#include "simnic.h"

static const struct rhashtable_params simnic_cookie_params = {
	.key_len = sizeof_field(struct simnic_flow, cookie),
	.key_offset = offsetof(struct simnic_flow, cookie),
	.head_offset = offsetof(struct simnic_flow, by_cookie),
	.automatic_shrinking = true,
};

static const struct rhashtable_params simnic_rule_params = {
	.key_len = sizeof_field(struct simnic_flow, key),
	.key_offset = offsetof(struct simnic_flow, key),
	.head_offset = offsetof(struct simnic_flow, by_key),
	.automatic_shrinking = true,
};

static const struct rhashtable_params simnic_group_params = {
	.key_len = sizeof(struct simnic_group_id),
	.key_offset = offsetof(struct simnic_group, id),
	.head_offset = offsetof(struct simnic_group, node),
	.automatic_shrinking = true,
};

int simnic_table_init(struct simnic *nic)
{
	mutex_init(&nic->table_lock);
	INIT_LIST_HEAD(&nic->flow_list);
	INIT_LIST_HEAD(&nic->encaps);
	INIT_DELAYED_WORK(&nic->encap_work, simnic_encap_refresh);
	return rhltable_init(&nic->flows, &simnic_cookie_params);
}

/* Forgets every rule, also those that the kernel still believes in. */
void simnic_table_drain(struct simnic *nic)
{
	struct simnic_flow *flow, *next;

	mutex_lock(&nic->table_lock);
	list_for_each_entry_safe(flow, next, &nic->flow_list, node)
		simnic_table_remove(flow);
	mutex_unlock(&nic->table_lock);
	cancel_delayed_work_sync(&nic->encap_work);
}

void simnic_table_exit(struct simnic *nic)
{
	simnic_table_drain(nic);
	rhltable_destroy(&nic->flows);
}

static struct simnic_chain *simnic_chain_get(struct simnic_port *port, u32 index)
{
	struct simnic_chain *chain = xa_load(&port->chains, index);
	int err;

	if (chain)
		return chain;
	chain = kzalloc(sizeof(*chain), GFP_KERNEL);
	if (!chain)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&chain->groups);
	err = xa_err(xa_store(&port->chains, index, chain, GFP_KERNEL));
	if (!err)
		return chain;
	kfree(chain);
	return ERR_PTR(err);
}

static void simnic_chain_put(struct simnic_port *port, struct simnic_chain *chain, u32 index)
{
	if (!list_empty(&chain->groups))
		return;
	xa_erase(&port->chains, index);
	kfree_rcu(chain, rcu);
}

/* Before the first group of higher priority number: equal ones stay in order of their making. */
static void simnic_group_link(struct simnic_chain *chain, struct simnic_group *group)
{
	struct simnic_group *other;

	list_for_each_entry(other, &chain->groups, order) {
		if (other->id.prio > group->id.prio)
			break;
	}
	list_add_tail_rcu(&group->order, &other->order);
}

static void simnic_group_free(struct work_struct *work)
{
	struct simnic_group *group = container_of(to_rcu_work(work), struct simnic_group, free_work);

	rhltable_destroy(&group->rules);
	kfree(group);
}

static struct simnic_group *simnic_group_create(struct simnic_port *port, const struct simnic_group_id *id)
{
	struct simnic_group *group = kzalloc(sizeof(*group), GFP_KERNEL);
	int err;

	if (!group)
		return ERR_PTR(-ENOMEM);
	group->id = *id;
	INIT_RCU_WORK(&group->free_work, simnic_group_free);
	err = rhltable_init(&group->rules, &simnic_rule_params);
	if (err)
		goto free;
	group->chain = simnic_chain_get(port, id->chain);
	err = PTR_ERR_OR_ZERO(group->chain);
	if (err)
		goto destroy;
	err = rhashtable_insert_fast(&port->groups, &group->node, simnic_group_params);
	if (err)
		goto put;
	simnic_group_link(group->chain, group);
	return group;

put:
	simnic_chain_put(port, group->chain, id->chain);
destroy:
	rhltable_destroy(&group->rules);
free:
	kfree(group);
	return ERR_PTR(err);
}

static struct simnic_group *simnic_group_get(struct simnic_port *port, const struct simnic_group_id *id)
{
	struct simnic_group *group = rhashtable_lookup_fast(&port->groups, id, simnic_group_params);

	return group ?: simnic_group_create(port, id);
}

static void simnic_group_put(struct simnic_port *port, struct simnic_group *group)
{
	if (group->count)
		return;
	list_del_rcu(&group->order);
	rhashtable_remove_fast(&port->groups, &group->node, simnic_group_params);
	simnic_chain_put(port, group->chain, group->id.chain);
	queue_rcu_work(simnic_wq, &group->free_work);
}

int simnic_table_insert(struct simnic_flow *flow)
{
	struct simnic_port *port = flow->port;
	struct simnic *nic = port->nic;
	int err;

	flow->group = simnic_group_get(port, &flow->group_id);
	if (IS_ERR(flow->group))
		return PTR_ERR(flow->group);
	err = rhltable_insert(&nic->flows, &flow->by_cookie, simnic_cookie_params);
	if (err)
		goto put;
	/* A newer rule of the same key comes first: flower replaces a rule by adding before it removes. */
	err = rhltable_insert(&flow->group->rules, &flow->by_key, simnic_rule_params);
	if (err)
		goto remove;
	flow->group->count++;
	flow->in_table = true;
	list_add_tail(&flow->node, &nic->flow_list);
	WRITE_ONCE(nic->flow_count, nic->flow_count + 1);
	if (port->vf == SIMNIC_TUNNEL)
		WRITE_ONCE(nic->tunnel_flows, nic->tunnel_flows + 1);
	return 0;

remove:
	rhltable_remove(&nic->flows, &flow->by_cookie, simnic_cookie_params);
put:
	simnic_group_put(port, flow->group);
	return err;
}

/* Takes a rule out of the data path; the kernel may still ask for it by its cookie. */
static void simnic_table_unhook(struct simnic_flow *flow)
{
	struct simnic *nic = flow->port->nic;

	if (!flow->in_table)
		return;
	flow->in_table = false;
	rhltable_remove(&flow->group->rules, &flow->by_key, simnic_rule_params);
	flow->group->count--;
	simnic_group_put(flow->port, flow->group);
	WRITE_ONCE(nic->flow_count, nic->flow_count - 1);
	if (flow->port->vf == SIMNIC_TUNNEL)
		WRITE_ONCE(nic->tunnel_flows, nic->tunnel_flows - 1);
}

static void simnic_flow_free_rcu(struct rcu_head *rcu)
{
	simnic_flow_free(container_of(rcu, struct simnic_flow, rcu));
}

void simnic_table_remove(struct simnic_flow *flow)
{
	int i;

	simnic_table_unhook(flow);
	list_del(&flow->node);
	rhltable_remove(&flow->port->nic->flows, &flow->by_cookie, simnic_cookie_params);
	for (i = 0; i < flow->action_count; i++) {
		struct simnic_action *action = &flow->actions[i];

		if ((action->id == FLOW_ACTION_REDIRECT || action->id == FLOW_ACTION_MIRRED) &&
		    action->out.encap)
			simnic_encap_unlink(action->out.encap);
	}
	call_rcu(&flow->rcu, simnic_flow_free_rcu);
}

struct simnic_flow *simnic_table_find(struct simnic_port *port, unsigned long cookie)
{
	struct rhlist_head *list, *position;
	struct simnic_flow *flow, *found = NULL;

	rcu_read_lock();
	list = rhltable_lookup(&port->nic->flows, &cookie, simnic_cookie_params);
	rhl_for_each_entry_rcu(flow, position, list, by_cookie) {
		if (flow->port == port)
			found = flow;
	}
	rcu_read_unlock();
	return found;
}

/* For the data path: the first rule in order of priority that matches, or NULL. */
struct simnic_flow *simnic_table_lookup(struct simnic_port *port, u32 index, const struct simnic_key *key)
{
	struct simnic_chain *chain = xa_load(&port->chains, index);
	struct simnic_group *group;
	struct simnic_key masked;
	struct rhlist_head *list;
	int i;

	if (!chain)
		return NULL;
	list_for_each_entry_rcu(group, &chain->groups, order) {
		for (i = 0; i < ARRAY_SIZE(masked.words); i++)
			masked.words[i] = key->words[i] & group->id.mask.words[i];
		list = rhltable_lookup(&group->rules, &masked, simnic_rule_params);
		if (list)
			return container_of(list, struct simnic_flow, by_key);
	}
	return NULL;
}

/* Rules that hardware loses by itself, the oldest first: they stop matching and counting. Returns how many. */
u32 simnic_table_evict(struct simnic *nic, u32 count)
{
	struct simnic_flow *flow;
	u32 done = 0;

	mutex_lock(&nic->table_lock);
	list_for_each_entry(flow, &nic->flow_list, node) {
		if (done == count)
			break;
		if (!flow->in_table)
			continue;
		simnic_table_unhook(flow);
		done++;
	}
	mutex_unlock(&nic->table_lock);
	return done;
}

void simnic_table_flush(struct simnic *nic)
{
	simnic_table_evict(nic, U32_MAX);
}
