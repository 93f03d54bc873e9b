/* SPDX-License-Identifier: Apache-2.0
 *
 * Actions of a dumped rule, by a table of tc's kinds.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/gen_stats.h>
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
#include "netlink.h"

#define MS_PER_TICK 10 /* the kernel's USER_HZ is 100 everywhere */

/* ---- parsing: false for what cannot be said ----------------------------------------------------- */

static bool parse_mirred(const struct nlattr *options, struct esw_flower_act *act)
{
	struct tc_mirred parms;
	const struct nlattr *attr;
	bool found = false;

	esw_nl_for_each_nested(attr, options) {
		if (esw_nl_type(attr) == TCA_MIRRED_PARMS)
			found = esw_nl_bytes(attr, &parms, sizeof(parms));
	}
	if (!found)
		return false;
	act->number = parms.ifindex;
	act->kind = parms.eaction == TCA_EGRESS_REDIR ? ESW_ACT_REDIRECT : ESW_ACT_MIRROR;
	return (parms.eaction == TCA_EGRESS_REDIR && parms.action == TC_ACT_STOLEN) ||
	       (parms.eaction == TCA_EGRESS_MIRROR && parms.action == TC_ACT_PIPE);
}

static bool parse_csum(const struct nlattr *options, struct esw_flower_act *act)
{
	struct tc_csum parms = { .action = TC_ACT_UNSPEC };
	const struct nlattr *attr;

	esw_nl_for_each_nested(attr, options) {
		if (esw_nl_type(attr) == TCA_CSUM_PARMS)
			esw_nl_bytes(attr, &parms, sizeof(parms));
	}
	act->kind = ESW_ACT_CSUM;
	act->number = parms.update_flags;
	return parms.action == TC_ACT_PIPE;
}

static bool parse_tunnel_attr(const struct nlattr *attr, struct esw_flower_act *act)
{
	uint16_t port;
	uint8_t flag;

	switch (esw_nl_type(attr)) {
	case TCA_TUNNEL_KEY_ENC_KEY_ID:
		if (!esw_nl_u32(attr, &act->number))
			return false;
		act->number = ntohl(act->number);
		return true;
	case TCA_TUNNEL_KEY_ENC_IPV4_SRC:
		act->family = AF_INET;
		return esw_nl_bytes(attr, act->value, 4);
	case TCA_TUNNEL_KEY_ENC_IPV4_DST:
		return esw_nl_bytes(attr, act->mask, 4);
	case TCA_TUNNEL_KEY_ENC_IPV6_SRC:
		act->family = AF_INET6;
		return esw_nl_bytes(attr, act->value, 16);
	case TCA_TUNNEL_KEY_ENC_IPV6_DST:
		return esw_nl_bytes(attr, act->mask, 16);
	case TCA_TUNNEL_KEY_ENC_DST_PORT:
		if (!esw_nl_bytes(attr, &port, sizeof(port)))
			return false;
		act->port = ntohs(port);
		return true;
	case TCA_TUNNEL_KEY_NO_CSUM:
		if (!esw_nl_u8(attr, &flag))
			return false;
		act->csum = !flag;
		return true;
	case TCA_TUNNEL_KEY_ENC_TOS:
		return esw_nl_u8(attr, &act->tos);
	case TCA_TUNNEL_KEY_ENC_TTL:
		return esw_nl_u8(attr, &act->ttl);
	case TCA_TUNNEL_KEY_TM:
	case TCA_TUNNEL_KEY_PAD:
	case TCA_TUNNEL_KEY_PARMS:
		return true;
	default:
		return false;
	}
}

static bool parse_tunnel(const struct nlattr *options, struct esw_flower_act *act)
{
	struct tc_tunnel_key parms = { .action = TC_ACT_UNSPEC };
	const struct nlattr *attr;
	bool good = true;

	esw_nl_for_each_nested(attr, options) {
		if (esw_nl_type(attr) == TCA_TUNNEL_KEY_PARMS)
			esw_nl_bytes(attr, &parms, sizeof(parms));
		good = parse_tunnel_attr(attr, act) && good;
	}
	act->kind = parms.t_action == TCA_TUNNEL_KEY_ACT_SET ? ESW_ACT_TUNNEL_SET :
							       ESW_ACT_TUNNEL_UNSET;
	return good && parms.action == TC_ACT_PIPE;
}

static bool parse_vlan(const struct nlattr *options, struct esw_flower_act *act)
{
	static const uint8_t kinds[] = {
		[TCA_VLAN_ACT_POP] = ESW_ACT_VLAN_POP, [TCA_VLAN_ACT_PUSH] = ESW_ACT_VLAN_PUSH,
		[TCA_VLAN_ACT_MODIFY] = ESW_ACT_VLAN_MODIFY,
	};
	struct tc_vlan parms = { .action = TC_ACT_UNSPEC };
	const struct nlattr *attr;
	bool good = true;

	esw_nl_for_each_nested(attr, options) {
		switch (esw_nl_type(attr)) {
		case TCA_VLAN_PARMS:
			esw_nl_bytes(attr, &parms, sizeof(parms));
			break;
		case TCA_VLAN_PUSH_VLAN_ID:
			good = esw_nl_bytes(attr, &act->vlan_id, sizeof(act->vlan_id)) && good;
			break;
		case TCA_VLAN_PUSH_VLAN_PROTOCOL:
			good = esw_nl_bytes(attr, &act->tpid, sizeof(act->tpid)) && good;
			act->tpid = ntohs(act->tpid);
			break;
		case TCA_VLAN_PUSH_VLAN_PRIORITY:
			good = esw_nl_u8(attr, &act->vlan_prio) && good;
			break;
		default:
			break;
		}
	}
	if (parms.v_action < TCA_VLAN_ACT_POP || parms.v_action > TCA_VLAN_ACT_MODIFY)
		return false;
	act->kind = kinds[parms.v_action];
	return good && parms.action == TC_ACT_PIPE;
}

static bool parse_police(const struct nlattr *options, struct esw_flower_act *act)
{
	act->kind = ESW_ACT_POLICE;
	return esw_flower_parse_police(options, act);
}

static bool parse_gact(const struct nlattr *options, struct esw_flower_act *act)
{
	struct tc_gact parms = { .action = TC_ACT_UNSPEC };
	const struct nlattr *attr;
	bool plain = true;

	esw_nl_for_each_nested(attr, options) {
		if (esw_nl_type(attr) == TCA_GACT_PARMS)
			esw_nl_bytes(attr, &parms, sizeof(parms));
		else if (esw_nl_type(attr) == TCA_GACT_PROB)
			plain = false;
	}
	if (parms.action == TC_ACT_SHOT) {
		act->kind = ESW_ACT_DROP;
	} else if (parms.action == TC_ACT_OK) {
		act->kind = ESW_ACT_PASS;
	} else if (parms.action == TC_ACT_TRAP) {
		act->kind = ESW_ACT_TRAP;
	} else if (TC_ACT_EXT_CMP(parms.action, TC_ACT_GOTO_CHAIN)) {
		act->kind = ESW_ACT_GOTO;
		act->number = (uint32_t)parms.action & TC_ACT_EXT_VAL_MASK;
	} else {
		return false;
	}
	return plain;
}

/* ---- the table --------------------------------------------------------------------------------- */

struct tc_kind {
	uint16_t times; /* the attribute with struct tcf_t */
	bool (*parse)(const struct nlattr *options, struct esw_flower_act *act);
};

static const struct tc_kind tc_kinds[ESW_TC_KINDS] = {
	[ESW_TC_MIRRED] = { TCA_MIRRED_TM, parse_mirred },
	[ESW_TC_PEDIT] = { TCA_PEDIT_TM, NULL }, /* one of tc's is several of ours */
	[ESW_TC_CSUM] = { TCA_CSUM_TM, parse_csum },
	[ESW_TC_TUNNEL] = { TCA_TUNNEL_KEY_TM, parse_tunnel },
	[ESW_TC_VLAN] = { TCA_VLAN_TM, parse_vlan },
	[ESW_TC_POLICE] = { TCA_POLICE_TM, parse_police },
	[ESW_TC_GACT] = { TCA_GACT_TM, parse_gact },
};

/* ---- parsing one action -------------------------------------------------------------------------- */

/* Counters of one action: TCA_STATS_BASIC is of all packets, BASIC_HW of those in hardware, and
 * PKT64 follows the one whose 32 bits did not suffice. */
static void parse_counters(const struct nlattr *nest, struct esw_flower_rec *rec)
{
	uint64_t bytes[2] = { 0, 0 }, packets[2] = { 0, 0 }; /* all, hardware */
	struct gnet_stats_basic basic;
	const struct nlattr *attr;
	int last = 0;

	esw_nl_for_each_nested(attr, nest) {
		switch (esw_nl_type(attr)) {
		case TCA_STATS_BASIC:
		case TCA_STATS_BASIC_HW:
			last = esw_nl_type(attr) == TCA_STATS_BASIC_HW;
			memset(&basic, 0, sizeof(basic));
			/* The kernel sends the struct without its padding at the end, or with it. */
			esw_nl_bytes(attr, &basic, sizeof(basic.bytes) + sizeof(basic.packets));
			bytes[last] = basic.bytes;
			packets[last] = basic.packets;
			break;
		case TCA_STATS_PKT64:
			esw_nl_bytes(attr, &packets[last], sizeof(packets[last]));
			break;
		default:
			break;
		}
	}
	rec->hw_packets = packets[1];
	rec->hw_bytes = bytes[1];
	rec->sw_packets = packets[0] > packets[1] ? packets[0] - packets[1] : 0;
	rec->sw_bytes = bytes[0] > bytes[1] ? bytes[0] - bytes[1] : 0;
}

static void parse_times(const struct nlattr *options, uint16_t type, struct esw_flower_rec *rec)
{
	const struct nlattr *attr;
	struct tcf_t times;

	esw_nl_for_each_nested(attr, options) {
		if (esw_nl_type(attr) != type || !esw_nl_bytes(attr, &times, sizeof(times)))
			continue;
		rec->idle_ms = times.lastuse < ESW_IDLE_UNKNOWN / MS_PER_TICK ?
				       (uint32_t)times.lastuse * MS_PER_TICK :
				       ESW_IDLE_UNKNOWN - 1;
	}
}

static void parse_options(const struct tc_kind *kind, const struct nlattr *options,
			  struct esw_flower_full *rule)
{
	uint32_t room = ESW_FLOWER_ACTIONS_MAX - rule->action_count;
	struct esw_flower_act *act = rule->actions + rule->action_count;
	int count = room ? 1 : -1;

	if (!room) {
		rule->rec.flags |= ESW_REC_UNKNOWN;
		return;
	}
	if (kind == &tc_kinds[ESW_TC_PEDIT])
		count = esw_flower_parse_pedit(options, act, room);
	else if (!kind->parse(options, act))
		count = -1;
	if (count < 0) {
		memset(act, 0, room * sizeof(*act));
		rule->rec.flags |= ESW_REC_UNKNOWN;
		return;
	}
	rule->action_count += (uint32_t)count;
}

static void take_cookie(const struct nlattr *attr, struct esw_flower_full *rule)
{
	if (attr->nla_len == NLA_HDRLEN + ESW_COOKIE_LEN)
		memcpy(rule->cookie, (const char *)attr + NLA_HDRLEN, ESW_COOKIE_LEN);
}

/* The first action of a terse dump: there may be hundreds of thousands. */
static void parse_terse(const struct nlattr *nest, struct esw_flower_full *rule)
{
	const struct nlattr *first = (const struct nlattr *)((const char *)nest + NLA_HDRLEN), *attr;

	if (!esw_nl_attr_ok(first, (const char *)nest + nest->nla_len))
		return;
	esw_nl_for_each_nested(attr, first) {
		if (esw_nl_type(attr) == TCA_ACT_STATS)
			parse_counters(attr, &rule->rec);
		else if (esw_nl_type(attr) == TCA_ACT_COOKIE)
			take_cookie(attr, rule);
	}
}

struct seen {
	const struct tc_kind *kind;
	const struct nlattr *options, *stats, *cookie;
};

static void look_at(const struct nlattr *nest, struct seen *seen)
{
	const struct nlattr *attr;
	char name[16] = "";

	memset(seen, 0, sizeof(*seen));
	esw_nl_for_each_nested(attr, nest) {
		switch (esw_nl_type(attr)) {
		case TCA_ACT_KIND:
			esw_nl_text(attr, name, sizeof(name));
			break;
		case TCA_ACT_OPTIONS:
			seen->options = attr;
			break;
		case TCA_ACT_STATS:
			seen->stats = attr;
			break;
		case TCA_ACT_COOKIE:
			seen->cookie = attr;
			break;
		default:
			break;
		}
	}
	for (size_t i = 0; i < ESW_ARRAY_SIZE(tc_kinds); i++) {
		if (strcmp(name, esw_flower_tc_names[i]) == 0)
			seen->kind = &tc_kinds[i];
	}
}

static bool is_dangling(const struct seen *seen)
{
	struct esw_flower_act act = { 0 };

	return seen->kind == &tc_kinds[ESW_TC_MIRRED] && seen->options &&
	       parse_mirred(seen->options, &act) && !act.number;
}

void esw_flower_parse_actions(const struct nlattr *nest, enum esw_flower_depth depth,
			      struct esw_flower_full *rule)
{
	const struct nlattr *attr;
	bool first = true;
	struct seen seen;

	if (depth == ESW_FLOWER_TERSE) {
		parse_terse(nest, rule);
		return;
	}
	esw_nl_for_each_nested(attr, nest) {
		look_at(attr, &seen);
		if (first) {
			if (seen.stats)
				parse_counters(seen.stats, &rule->rec);
			if (seen.options && seen.kind)
				parse_times(seen.options, seen.kind->times, &rule->rec);
			if (seen.cookie)
				take_cookie(seen.cookie, rule);
		}
		first = false;
		if (is_dangling(&seen))
			rule->rec.flags |= ESW_REC_DANGLING;
		if (depth != ESW_FLOWER_ALL)
			continue;
		if (seen.kind && seen.options)
			parse_options(seen.kind, seen.options, rule);
		else
			rule->rec.flags |= ESW_REC_UNKNOWN;
	}
}
