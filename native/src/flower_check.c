/* SPDX-License-Identifier: Apache-2.0
 *
 * Records before they are sent, and what the kernel made of them.
 */
#include <linux/if_ether.h>
#include <linux/tc_act/tc_csum.h>
#include <string.h>
#include <sys/socket.h>

#include "batch.h"
#include "flower.h"

#define CSUM_KNOWN                                                                                \
	(TCA_CSUM_UPDATE_FLAG_IPV4HDR | TCA_CSUM_UPDATE_FLAG_ICMP | TCA_CSUM_UPDATE_FLAG_TCP |   \
	 TCA_CSUM_UPDATE_FLAG_UDP | TCA_CSUM_UPDATE_FLAG_SCTP)
#define FIELDS_OF(a, b, c) (ESW_FIELD_BIT(a) | ESW_FIELD_BIT(b) | ESW_FIELD_BIT(c))

/* ---- fields ---------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *bytes, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

/* Values within masks, masks within what the kernel keeps, nothing in fields that are not there. */
static const char *normal_field(struct esw_flower_op *op, uint32_t id)
{
	const struct esw_flower_place *place = &esw_flower_places[id];
	uint8_t *value = (uint8_t *)&op->key + place->offset;
	uint8_t *mask = (uint8_t *)&op->mask + place->offset;
	uint8_t full[16];

	esw_flower_full_mask(id, full);
	for (uint32_t i = 0; i < place->len; i++) {
		mask[i] &= op->fields & 1u << id ? full[i] : 0;
		value[i] &= mask[i];
	}
	if (is_zero(mask, place->len))
		op->fields &= ~(1u << id);
	else if (esw_flower_is_exact(id) && memcmp(mask, full, place->len) != 0)
		return "a field that the kernel has no mask for has one";
	return NULL;
}

static const char *check_fields(struct esw_flower_op *op)
{
	uint32_t fields;

	if (op->fields >> ESW_FIELD_COUNT)
		return "unknown field";
	for (uint32_t id = 0; id < ESW_FIELD_COUNT; id++) {
		const char *text = normal_field(op, id);

		if (text)
			return text;
	}
	op->key.pad = op->mask.pad = 0;
	fields = op->fields;
	/* The kernel passes these over without a word: the rule would match more than it says. */
	if (fields & (FIELDS_OF(src_port, dst_port, tcp_flags) |
		      FIELDS_OF(icmp_type, icmp_code, icmp_code)) &&
	    !(fields & ESW_FIELD_BIT(ip_proto)))
		return "ports, TCP flags and ICMP fields need an ip_proto";
	if (fields & FIELDS_OF(vlan_id, vlan_prio, vlan_ethtype) &&
	    op->protocol != ETH_P_8021Q && op->protocol != ETH_P_8021AD)
		return "VLAN fields need a VLAN protocol";
	return NULL;
}

/* ---- actions --------------------------------------------------------------------------------- */

/* What each kind names; the rest of the record is made zero. */
static void keep_named(struct esw_flower_act *act)
{
	struct esw_flower_act named = { .kind = act->kind };
	uint32_t len = act->kind == ESW_ACT_PEDIT ? esw_flower_pedit_len(act->number) :
		       act->kind != ESW_ACT_TUNNEL_SET ? 0 : act->family == AF_INET ? 4 : 16;

	memcpy(named.value, act->value, len);
	memcpy(named.mask, act->mask, len);
	switch (act->kind) {
	case ESW_ACT_REDIRECT:
	case ESW_ACT_MIRROR:
		esw_text_copy(named.link, sizeof(named.link), act->link);
		break;
	case ESW_ACT_TUNNEL_SET:
		named.port = act->port;
		named.family = act->family;
		named.tos = act->tos;
		named.ttl = act->ttl;
		named.csum = act->csum != 0;
		named.number = act->number;
		break;
	case ESW_ACT_VLAN_PUSH:
	case ESW_ACT_VLAN_MODIFY:
		named.vlan_id = act->vlan_id;
		named.vlan_prio = act->vlan_prio;
		named.tpid = act->tpid;
		break;
	case ESW_ACT_POLICE:
		named.rate = act->rate;
		named.number = esw_flower_police_burst(act->rate, act->number);
		break;
	default:
		named.number = act->number;
		break;
	}
	*act = named;
}

static const char *check_pedit(struct esw_flower_act *act)
{
	uint32_t len = esw_flower_pedit_len(act->number);

	for (uint32_t i = 0; i < len; i++)
		act->value[i] &= act->mask[i];
	return !len || is_zero(act->mask, len) ? "pedit of no field, or of no bit of it" : NULL;
}

static const char *check_action(struct esw_flower_act *act)
{
	if (act->kind < ESW_ACT_REDIRECT || act->kind > ESW_ACT_GOTO)
		return "unknown action";
	if (!ESW_FIELD_OK(act->link))
		return "a string is not terminated";
	keep_named(act);
	switch (act->kind) {
	case ESW_ACT_REDIRECT:
	case ESW_ACT_MIRROR:
		return act->link[0] ? NULL : "redirect or mirror to no link";
	case ESW_ACT_PEDIT:
		return check_pedit(act);
	case ESW_ACT_CSUM:
		return !act->number || act->number & ~CSUM_KNOWN ? "unknown checksum" : NULL;
	case ESW_ACT_TUNNEL_SET:
		return act->number > 0xffffff || !act->port ||
				       (act->family != AF_INET && act->family != AF_INET6) ?
			       "bad VNI, port or address family of a tunnel" : NULL;
	case ESW_ACT_VLAN_PUSH:
	case ESW_ACT_VLAN_MODIFY:
		return act->vlan_id >= 0xfff || act->vlan_prio > 7 ||
				       (act->tpid != ETH_P_8021Q && act->tpid != ETH_P_8021AD) ?
			       "bad VLAN id, prio or protocol" : NULL;
	case ESW_ACT_POLICE:
		return act->number ? NULL : "the kernel cannot hold that rate and burst";
	case ESW_ACT_GOTO:
		return act->number > TC_ACT_EXT_VAL_MASK ? "no such chain" : NULL;
	default:
		act->number = 0;
		return NULL;
	}
}

static bool is_final(uint32_t kind)
{
	return kind == ESW_ACT_REDIRECT || kind >= ESW_ACT_DROP;
}

const char *esw_flower_check(struct esw_flower_op *op)
{
	const char *text;

	if (!ESW_FIELD_OK(op->name))
		return "a string is not terminated";
	if (op->verb != ESW_FLOWER_PUT && op->verb != ESW_FLOWER_DELETE)
		return "unknown verb";
	if (!op->name[0] || !op->prio || !op->handle || !op->protocol ||
	    op->chain > TC_ACT_EXT_VAL_MASK)
		return "link, chain, prio, protocol or handle is no identity of a rule";
	if (op->verb == ESW_FLOWER_DELETE)
		return NULL;
	if ((op->flags & ESW_FLOWER_SKIP_SW) && (op->flags & ESW_FLOWER_SKIP_HW))
		return "skip_sw and skip_hw at once";
	if (!op->action_count || op->action_count > ESW_FLOWER_ACTIONS_MAX)
		return "no action, or too many";
	text = check_fields(op);
	for (uint32_t i = 0; !text && i < op->action_count; i++) {
		text = check_action(&op->actions[i]);
		if (!text && i + 1 < op->action_count && is_final(op->actions[i].kind))
			text = "an action follows one that ends the packet's way";
	}
	return text;
}

/* ---- comparing ------------------------------------------------------------------------------- */

static const char *field_differs(const struct esw_flower_op *op, const struct esw_flower_full *rule)
{
	for (uint32_t id = 0; id < ESW_FIELD_COUNT; id++) {
		const struct esw_flower_place *place = &esw_flower_places[id];

		if ((op->fields ^ rule->fields) & 1u << id ||
		    memcmp((const uint8_t *)&op->key + place->offset,
			   (const uint8_t *)&rule->key + place->offset, place->len) != 0 ||
		    memcmp((const uint8_t *)&op->mask + place->offset,
			   (const uint8_t *)&rule->mask + place->offset, place->len) != 0)
			return place->name;
	}
	return NULL;
}

static bool action_differs(const struct esw_flower_act *asked, const struct esw_flower_act *made)
{
	struct esw_flower_act nameless = *asked;

	/* Links are compared by index. */
	memset(nameless.link, 0, sizeof(nameless.link));
	return memcmp(&nameless, made, sizeof(nameless)) != 0;
}

const char *esw_flower_differs(const struct esw_flower_op *op, const struct esw_flower_full *rule)
{
	static const char *const names[] = {
		"action 1", "action 2", "action 3", "action 4", "action 5", "action 6",
		"action 7", "action 8", "action 9", "action 10", "action 11", "action 12",
	};
	const uint32_t skips = ESW_FLOWER_SKIP_SW | ESW_FLOWER_SKIP_HW;
	const char *field = field_differs(op, rule);

	if (field)
		return field;
	for (uint32_t i = 0; i < op->action_count && i < rule->action_count; i++) {
		if (action_differs(&op->actions[i], &rule->actions[i]))
			return names[i];
	}
	if (op->action_count != rule->action_count)
		return "the number of actions";
	if (memcmp(op->cookie, rule->cookie, sizeof(op->cookie)) != 0)
		return "the cookie";
	/* ESW_REC_SKIP_* are the same bits, one to the left. */
	if (((op->flags & skips) << 1) != (rule->rec.flags & (ESW_REC_SKIP_SW | ESW_REC_SKIP_HW)))
		return "skip_sw or skip_hw";
	return rule->rec.flags & ESW_REC_UNKNOWN ? "something that was not asked for" : NULL;
}
