/* SPDX-License-Identifier: Apache-2.0
 *
 * Actions to rtnetlink's attributes. All of a rule's actions carry its cookie.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_csum.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>
#include <linux/tc_act/tc_pedit.h>
#include <linux/tc_act/tc_tunnel_key.h>
#include <linux/tc_act/tc_vlan.h>
#include <string.h>
#include <sys/socket.h>

#include "flower.h"

static void put_mirred(struct nlmsghdr *nlh, const struct esw_flower_act *act)
{
	bool redirect = act->kind == ESW_ACT_REDIRECT;
	const struct tc_mirred parms = {
		.action = redirect ? TC_ACT_STOLEN : TC_ACT_PIPE,
		.eaction = redirect ? TCA_EGRESS_REDIR : TCA_EGRESS_MIRROR,
		.ifindex = act->number,
	};

	mnl_attr_put(nlh, TCA_MIRRED_PARMS, sizeof(parms), &parms);
}

static void put_csum(struct nlmsghdr *nlh, const struct esw_flower_act *act)
{
	const struct tc_csum parms = { .action = TC_ACT_PIPE, .update_flags = act->number };

	mnl_attr_put(nlh, TCA_CSUM_PARMS, sizeof(parms), &parms);
}

static void put_tunnel(struct nlmsghdr *nlh, const struct esw_flower_act *act)
{
	bool set = act->kind == ESW_ACT_TUNNEL_SET, v4 = act->family == AF_INET;
	const struct tc_tunnel_key parms = {
		.action = TC_ACT_PIPE,
		.t_action = set ? TCA_TUNNEL_KEY_ACT_SET : TCA_TUNNEL_KEY_ACT_RELEASE,
	};

	mnl_attr_put(nlh, TCA_TUNNEL_KEY_PARMS, sizeof(parms), &parms);
	if (!set)
		return;
	mnl_attr_put_u32(nlh, TCA_TUNNEL_KEY_ENC_KEY_ID, htonl(act->number));
	mnl_attr_put(nlh, v4 ? TCA_TUNNEL_KEY_ENC_IPV4_SRC : TCA_TUNNEL_KEY_ENC_IPV6_SRC,
		     v4 ? 4 : 16, act->value);
	mnl_attr_put(nlh, v4 ? TCA_TUNNEL_KEY_ENC_IPV4_DST : TCA_TUNNEL_KEY_ENC_IPV6_DST,
		     v4 ? 4 : 16, act->mask);
	mnl_attr_put_u16(nlh, TCA_TUNNEL_KEY_ENC_DST_PORT, htons(act->port));
	mnl_attr_put_u8(nlh, TCA_TUNNEL_KEY_NO_CSUM, !act->csum);
	if (act->tos)
		mnl_attr_put_u8(nlh, TCA_TUNNEL_KEY_ENC_TOS, act->tos);
	if (act->ttl)
		mnl_attr_put_u8(nlh, TCA_TUNNEL_KEY_ENC_TTL, act->ttl);
}

static void put_vlan(struct nlmsghdr *nlh, const struct esw_flower_act *act)
{
	const struct tc_vlan parms = {
		.action = TC_ACT_PIPE,
		.v_action = act->kind == ESW_ACT_VLAN_PUSH   ? TCA_VLAN_ACT_PUSH :
			    act->kind == ESW_ACT_VLAN_MODIFY ? TCA_VLAN_ACT_MODIFY :
							       TCA_VLAN_ACT_POP,
	};

	mnl_attr_put(nlh, TCA_VLAN_PARMS, sizeof(parms), &parms);
	if (act->kind == ESW_ACT_VLAN_POP)
		return;
	mnl_attr_put_u16(nlh, TCA_VLAN_PUSH_VLAN_ID, act->vlan_id);
	mnl_attr_put_u16(nlh, TCA_VLAN_PUSH_VLAN_PROTOCOL, htons(act->tpid));
	mnl_attr_put_u8(nlh, TCA_VLAN_PUSH_VLAN_PRIORITY, act->vlan_prio);
}

static void put_gact(struct nlmsghdr *nlh, const struct esw_flower_act *act)
{
	struct tc_gact parms = { .action = TC_ACT_OK };

	if (act->kind == ESW_ACT_DROP)
		parms.action = TC_ACT_SHOT;
	else if (act->kind == ESW_ACT_TRAP)
		parms.action = TC_ACT_TRAP;
	else if (act->kind == ESW_ACT_GOTO)
		parms.action = (int)(TC_ACT_GOTO_CHAIN | act->number);
	mnl_attr_put(nlh, TCA_GACT_PARMS, sizeof(parms), &parms);
}

const char *const esw_flower_tc_names[ESW_TC_KINDS] = {
	[ESW_TC_MIRRED] = "mirred", [ESW_TC_PEDIT] = "pedit", [ESW_TC_CSUM] = "csum",
	[ESW_TC_TUNNEL] = "tunnel_key", [ESW_TC_VLAN] = "vlan", [ESW_TC_POLICE] = "police",
	[ESW_TC_GACT] = "gact",
};

static void (*const put_options[ESW_TC_KINDS])(struct nlmsghdr *nlh, const struct esw_flower_act *act) = {
	[ESW_TC_MIRRED] = put_mirred, [ESW_TC_CSUM] = put_csum, [ESW_TC_TUNNEL] = put_tunnel,
	[ESW_TC_VLAN] = put_vlan, [ESW_TC_POLICE] = esw_flower_put_police, [ESW_TC_GACT] = put_gact,
	[ESW_TC_PEDIT] = NULL, /* one of tc's is several of ours */
};

static enum esw_flower_tc_kind kind_of(uint32_t kind)
{
	static const uint8_t of[] = {
		[ESW_ACT_REDIRECT] = ESW_TC_MIRRED, [ESW_ACT_MIRROR] = ESW_TC_MIRRED, [ESW_ACT_PEDIT] = ESW_TC_PEDIT,
		[ESW_ACT_CSUM] = ESW_TC_CSUM, [ESW_ACT_TUNNEL_SET] = ESW_TC_TUNNEL,
		[ESW_ACT_TUNNEL_UNSET] = ESW_TC_TUNNEL, [ESW_ACT_VLAN_PUSH] = ESW_TC_VLAN,
		[ESW_ACT_VLAN_MODIFY] = ESW_TC_VLAN, [ESW_ACT_VLAN_POP] = ESW_TC_VLAN,
		[ESW_ACT_POLICE] = ESW_TC_POLICE, [ESW_ACT_DROP] = ESW_TC_GACT, [ESW_ACT_PASS] = ESW_TC_GACT,
		[ESW_ACT_TRAP] = ESW_TC_GACT, [ESW_ACT_GOTO] = ESW_TC_GACT,
	};

	return of[kind];
}

static uint32_t pedits_from(const struct esw_flower_op *op, uint32_t first)
{
	uint32_t count = 0;

	while (first + count < op->action_count &&
	       op->actions[first + count].kind == ESW_ACT_PEDIT)
		count++;
	return count;
}

void esw_flower_put_actions(struct nlmsghdr *nlh, const struct esw_flower_op *op)
{
	const struct nla_bitfield32 flags = {
		.value = TCA_ACT_FLAGS_NO_PERCPU_STATS, .selector = TCA_ACT_FLAGS_NO_PERCPU_STATS,
	};
	struct nlattr *acts = mnl_attr_nest_start(nlh, TCA_FLOWER_ACT);
	uint16_t order = 1;

	for (uint32_t i = 0; i < op->action_count; order++) {
		enum esw_flower_tc_kind kind = kind_of(op->actions[i].kind);
		uint32_t pedits = pedits_from(op, i);
		struct nlattr *act = mnl_attr_nest_start(nlh, order), *options;

		mnl_attr_put_strz(nlh, TCA_ACT_KIND, esw_flower_tc_names[kind]);
		options = mnl_attr_nest_start(nlh, TCA_ACT_OPTIONS | NLA_F_NESTED);
		if (pedits)
			esw_flower_put_pedit(nlh, &op->actions[i], pedits);
		else
			put_options[kind](nlh, &op->actions[i]);
		mnl_attr_nest_end(nlh, options);
		mnl_attr_put(nlh, TCA_ACT_COOKIE, sizeof(op->cookie), op->cookie);
		mnl_attr_put(nlh, TCA_ACT_FLAGS, sizeof(flags), &flags);
		mnl_attr_nest_end(nlh, act);
		i += pedits ? pedits : 1;
	}
	mnl_attr_nest_end(nlh, acts);
}
