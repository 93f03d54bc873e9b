// SPDX-License-Identifier: GPL-2.0
/* Actions: the kernel's list becomes the NIC's, or is refused with a word on why. */
#include <linux/slab.h>
#include <linux/tc_act/tc_csum.h>
#include <net/vxlan.h>

#include "flower.h"
#include "simnic.h"

enum simnic_action_bit {
	SIMNIC_ACT_ACCEPT, SIMNIC_ACT_DROP, SIMNIC_ACT_TRAP, SIMNIC_ACT_GOTO, SIMNIC_ACT_REDIRECT, SIMNIC_ACT_MIRROR,
	SIMNIC_ACT_VLAN_PUSH, SIMNIC_ACT_VLAN_POP, SIMNIC_ACT_VLAN_MANGLE, SIMNIC_ACT_ENCAP, SIMNIC_ACT_DECAP,
	SIMNIC_ACT_MANGLE_ETH, SIMNIC_ACT_MANGLE_IP4, SIMNIC_ACT_MANGLE_IP6, SIMNIC_ACT_MANGLE_TCP,
	SIMNIC_ACT_MANGLE_UDP, SIMNIC_ACT_ADD, SIMNIC_ACT_CSUM, SIMNIC_ACT_POLICE,
};

const char *const simnic_action_names[] = {
	"accept", "drop", "trap", "goto", "redirect", "mirror", "vlan_push", "vlan_pop", "vlan_mangle", "encap",
	"decap", "mangle_eth", "mangle_ip4", "mangle_ip6", "mangle_tcp", "mangle_udp", "add", "csum", "police",
};
const int simnic_action_count = ARRAY_SIZE(simnic_action_names);

struct simnic_parse {
	struct simnic_flow *flow;
	struct simnic *nic;
	struct netlink_ext_ack *extack;
	struct net_device *tunnel_dev;
	/* Set by tunnel_key, used by the redirect after it. */
	const struct ip_tunnel_info *tunnel;
};

static int simnic_mangle_bit(const struct flow_action_entry *entry)
{
	static const int bits[] = {
		[FLOW_ACT_MANGLE_HDR_TYPE_ETH] = SIMNIC_ACT_MANGLE_ETH,
		[FLOW_ACT_MANGLE_HDR_TYPE_IP4] = SIMNIC_ACT_MANGLE_IP4,
		[FLOW_ACT_MANGLE_HDR_TYPE_IP6] = SIMNIC_ACT_MANGLE_IP6,
		[FLOW_ACT_MANGLE_HDR_TYPE_TCP] = SIMNIC_ACT_MANGLE_TCP,
		[FLOW_ACT_MANGLE_HDR_TYPE_UDP] = SIMNIC_ACT_MANGLE_UDP,
	};

	if (entry->mangle.htype == FLOW_ACT_MANGLE_UNSPEC || entry->mangle.htype >= ARRAY_SIZE(bits))
		return -1;
	return entry->id == FLOW_ACTION_ADD ? SIMNIC_ACT_ADD : bits[entry->mangle.htype];
}

/* The bit in simnic.actions, -1 for an action that no such NIC has. */
static int simnic_action_bit(const struct flow_action_entry *entry)
{
	switch (entry->id) {
	case FLOW_ACTION_ACCEPT: return SIMNIC_ACT_ACCEPT;
	case FLOW_ACTION_DROP: return SIMNIC_ACT_DROP;
	case FLOW_ACTION_TRAP: return SIMNIC_ACT_TRAP;
	case FLOW_ACTION_GOTO: return SIMNIC_ACT_GOTO;
	case FLOW_ACTION_REDIRECT: return SIMNIC_ACT_REDIRECT;
	case FLOW_ACTION_MIRRED: return SIMNIC_ACT_MIRROR;
	case FLOW_ACTION_VLAN_PUSH: return SIMNIC_ACT_VLAN_PUSH;
	case FLOW_ACTION_VLAN_POP: return SIMNIC_ACT_VLAN_POP;
	case FLOW_ACTION_VLAN_MANGLE: return SIMNIC_ACT_VLAN_MANGLE;
	case FLOW_ACTION_TUNNEL_ENCAP: return SIMNIC_ACT_ENCAP;
	case FLOW_ACTION_TUNNEL_DECAP: return SIMNIC_ACT_DECAP;
	case FLOW_ACTION_MANGLE:
	case FLOW_ACTION_ADD: return simnic_mangle_bit(entry);
	case FLOW_ACTION_CSUM: return SIMNIC_ACT_CSUM;
	case FLOW_ACTION_POLICE: return SIMNIC_ACT_POLICE;
	default: return -1;
	}
}

static int simnic_check_action(struct simnic_parse *parse, const struct flow_action_entry *entry)
{
	int bit = simnic_action_bit(entry);

	if (bit < 0) {
		NL_SET_ERR_MSG_FMT_MOD(parse->extack, "action %d is not supported", entry->id);
		return -EOPNOTSUPP;
	}
	if (!(parse->nic->actions & BIT_ULL(bit)) ||
	    (bit == SIMNIC_ACT_TRAP && simnic_has_quirk(parse->nic, SIMNIC_QUIRK_NO_TRAP))) {
		NL_SET_ERR_MSG_FMT_MOD(parse->extack, "action %s is not supported", simnic_action_names[bit]);
		return -EOPNOTSUPP;
	}
	return 0;
}

static int simnic_parse_tunnel_output(struct simnic_parse *parse, struct simnic_action *action,
				      struct net_device *dev)
{
	struct simnic_encap *encap;

	if (!parse->tunnel) {
		NL_SET_ERR_MSG_FMT_MOD(parse->extack, "output to tunnel %s without a tunnel key", dev->name);
		return -EOPNOTSUPP;
	}
	encap = simnic_encap_create(parse->nic, parse->tunnel, dev, parse->extack);
	if (IS_ERR(encap))
		return PTR_ERR(encap);
	action->out.encap = encap;
	action->out.port = &parse->nic->uplink;
	parse->tunnel = NULL;
	return 0;
}

static int simnic_parse_output(struct simnic_parse *parse, struct simnic_action *action, struct net_device *dev)
{
	struct simnic_port *port;

	if (netif_is_vxlan(dev))
		return simnic_parse_tunnel_output(parse, action, dev);
	port = simnic_target_port(dev);
	if (!port || port->nic != parse->nic) {
		NL_SET_ERR_MSG_FMT_MOD(parse->extack, "%s is not a port of this NIC", dev->name);
		return -EOPNOTSUPP;
	}
	action->out.port = port;
	return 0;
}

static int simnic_parse_goto(struct simnic_parse *parse, struct simnic_action *action, u32 chain)
{
	if (chain <= parse->flow->group_id.chain) {
		NL_SET_ERR_MSG_MOD(parse->extack, "goto a lower numbered chain is not supported");
		return -EOPNOTSUPP;
	}
	action->chain = chain;
	return 0;
}

static int simnic_parse_police(struct simnic_parse *parse, struct simnic_action *action,
			       const struct flow_action_entry *entry)
{
	if (entry->police.rate_pkt_ps || !entry->police.rate_bytes_ps) {
		NL_SET_ERR_MSG_MOD(parse->extack, "police supports bytes per second only");
		return -EOPNOTSUPP;
	}
	if (entry->police.exceed.act_id != FLOW_ACTION_DROP || entry->police.peakrate_bytes_ps ||
	    entry->police.avrate) {
		NL_SET_ERR_MSG_MOD(parse->extack, "police supports one rate, and drop beyond it");
		return -EOPNOTSUPP;
	}
	action->police = kzalloc(sizeof(*action->police), GFP_KERNEL);
	if (!action->police)
		return -ENOMEM;
	simnic_bucket_init(action->police);
	simnic_bucket_set(action->police, entry->police.rate_bytes_ps, entry->police.burst);
	return 0;
}

static int simnic_parse_csum(struct simnic_parse *parse, struct simnic_action *action, u32 flags)
{
	const u32 supported = TCA_CSUM_UPDATE_FLAG_IPV4HDR | TCA_CSUM_UPDATE_FLAG_ICMP |
			      TCA_CSUM_UPDATE_FLAG_TCP | TCA_CSUM_UPDATE_FLAG_UDP;

	if (flags & ~supported) {
		NL_SET_ERR_MSG_FMT_MOD(parse->extack, "csum flags 0x%x are not supported", flags & ~supported);
		return -EOPNOTSUPP;
	}
	action->csum_flags = flags;
	return 0;
}

static int simnic_parse_action(struct simnic_parse *parse, struct simnic_action *action,
			       const struct flow_action_entry *entry)
{
	switch (entry->id) {
	case FLOW_ACTION_REDIRECT:
	case FLOW_ACTION_MIRRED:
		return simnic_parse_output(parse, action, entry->dev);
	case FLOW_ACTION_GOTO:
		return simnic_parse_goto(parse, action, entry->chain_index);
	case FLOW_ACTION_VLAN_PUSH:
	case FLOW_ACTION_VLAN_MANGLE:
		action->vlan.vid = entry->vlan.vid;
		action->vlan.proto = entry->vlan.proto;
		action->vlan.prio = entry->vlan.prio;
		return 0;
	case FLOW_ACTION_TUNNEL_ENCAP:
		parse->tunnel = entry->tunnel;
		return 0;
	case FLOW_ACTION_TUNNEL_DECAP:
		if (parse->tunnel_dev)
			return 0;
		NL_SET_ERR_MSG_MOD(parse->extack, "decap outside of a tunnel device");
		return -EOPNOTSUPP;
	case FLOW_ACTION_MANGLE:
	case FLOW_ACTION_ADD:
		action->mangle.htype = entry->mangle.htype;
		action->mangle.offset = entry->mangle.offset;
		action->mangle.mask = entry->mangle.mask;
		action->mangle.val = entry->mangle.val;
		return 0;
	case FLOW_ACTION_CSUM:
		return simnic_parse_csum(parse, action, entry->csum_flags);
	case FLOW_ACTION_POLICE:
		return simnic_parse_police(parse, action, entry);
	default:
		return 0;
	}
}

int simnic_parse_actions(struct simnic_flow *flow, struct flow_cls_offload *f, struct net_device *tunnel)
{
	struct simnic_parse parse = {
		.flow = flow, .nic = flow->port->nic, .extack = f->common.extack, .tunnel_dev = tunnel,
	};
	const struct flow_action_entry *entry;
	int i, err;

	if (!flow_action_has_entries(&f->rule->action)) {
		NL_SET_ERR_MSG_MOD(parse.extack, "a rule without actions is not supported");
		return -EOPNOTSUPP;
	}
	if (tunnel && !(parse.nic->actions & BIT_ULL(SIMNIC_ACT_DECAP))) {
		NL_SET_ERR_MSG_MOD(parse.extack, "action decap is not supported");
		return -EOPNOTSUPP;
	}
	if (!flow_action_hw_stats_check(&f->rule->action, parse.extack, FLOW_ACTION_HW_STATS_DELAYED_BIT))
		return -EOPNOTSUPP;
	flow_action_for_each(i, entry, &f->rule->action) {
		struct simnic_action *action = &flow->actions[flow->action_count];

		err = simnic_check_action(&parse, entry);
		if (!err)
			err = simnic_parse_action(&parse, action, entry);
		if (err)
			return err;
		/* Part of the output that follows; stands for nothing by itself. */
		if (entry->id == FLOW_ACTION_TUNNEL_ENCAP)
			continue;
		action->id = entry->id;
		flow->action_count++;
	}
	if (!parse.tunnel)
		return 0;
	NL_SET_ERR_MSG_MOD(parse.extack, "a tunnel key without output to a tunnel");
	return -EOPNOTSUPP;
}
