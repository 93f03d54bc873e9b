/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole filter: identity, match, actions.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "flower.h"
#include "netlink.h"

static bool is_vlan(uint16_t protocol)
{
	return protocol == ETH_P_8021Q || protocol == ETH_P_8021AD;
}

void esw_flower_begin(struct esw_nl_txn *txn, uint16_t type, uint16_t flags, uint32_t ifindex,
		      const struct esw_flower_op *op)
{
	const struct tcmsg tcm = {
		.tcm_ifindex = (int)ifindex, .tcm_handle = op->handle,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
		.tcm_info = TC_H_MAKE((uint32_t)op->prio << 16, htons(op->protocol)),
	};
	struct nlmsghdr *nlh = esw_nl_txn_begin(txn, type, flags, &tcm, sizeof(tcm));
	struct nlattr *options;

	mnl_attr_put_strz(nlh, TCA_KIND, "flower");
	mnl_attr_put_u32(nlh, TCA_CHAIN, op->chain);
	if (type != RTM_NEWTFILTER)
		return;
	options = mnl_attr_nest_start(nlh, TCA_OPTIONS | NLA_F_NESTED);
	if (op->protocol != ETH_P_ALL)
		mnl_attr_put_u16(nlh, TCA_FLOWER_KEY_ETH_TYPE, htons(op->protocol));
	esw_flower_put_fields(nlh, op);
	mnl_attr_put_u32(nlh, TCA_FLOWER_FLAGS,
			 (op->flags & ESW_FLOWER_SKIP_SW ? TCA_CLS_FLAGS_SKIP_SW : 0) |
				 (op->flags & ESW_FLOWER_SKIP_HW ? TCA_CLS_FLAGS_SKIP_HW : 0) |
				 (op->flags & ESW_FLOWER_VERBOSE ? TCA_CLS_FLAGS_VERBOSE : 0));
	esw_flower_put_actions(nlh, op);
	mnl_attr_nest_end(nlh, options);
}

static void parse_flags(const struct nlattr *attr, struct esw_flower_rec *rec)
{
	uint32_t flags = 0;

	esw_nl_u32(attr, &flags);
	rec->flags |= (uint16_t)((flags & TCA_CLS_FLAGS_IN_HW ? ESW_REC_IN_HW : 0) |
				 (flags & TCA_CLS_FLAGS_NOT_IN_HW ? ESW_REC_NOT_IN_HW : 0) |
				 (flags & TCA_CLS_FLAGS_SKIP_SW ? ESW_REC_SKIP_SW : 0) |
				 (flags & TCA_CLS_FLAGS_SKIP_HW ? ESW_REC_SKIP_HW : 0));
}

/* The ethertype is said by the filter's protocol and the VLAN fields already; the kernel repeats it,
 * of tagged frames that of what is inside. */
static bool known_ethertype(const struct esw_flower_full *rule, uint16_t type)
{
	uint16_t inner;

	if (type == rule->rec.protocol || !type)
		return true;
	if (!is_vlan(rule->rec.protocol))
		return false;
	memcpy(&inner, rule->fields & ESW_FIELD_BIT(cvlan_ethtype) ? rule->key.cvlan_ethtype :
									rule->key.vlan_ethtype, 2);
	return ntohs(inner) == type;
}

static void parse_options(const struct nlattr *options, enum esw_flower_depth depth,
			  struct esw_flower_full *rule)
{
	const struct nlattr *attr;
	uint32_t masked = 0;
	uint16_t ethertype = 0;

	esw_nl_for_each_nested(attr, options) {
		switch (esw_nl_type(attr)) {
		case TCA_FLOWER_FLAGS:
			parse_flags(attr, &rule->rec);
			break;
		case TCA_FLOWER_IN_HW_COUNT:
			esw_nl_u32(attr, &rule->rec.in_hw_count);
			break;
		case TCA_FLOWER_ACT:
			esw_flower_parse_actions(attr, depth, rule);
			break;
		case TCA_FLOWER_KEY_ETH_TYPE:
			esw_nl_bytes(attr, &ethertype, sizeof(ethertype));
			break;
		default:
			if (depth == ESW_FLOWER_ALL && !esw_flower_parse_field(attr, rule, &masked))
				rule->rec.flags |= ESW_REC_UNKNOWN;
			break;
		}
	}
	if (depth == ESW_FLOWER_ALL && !known_ethertype(rule, ntohs(ethertype)))
		rule->rec.flags |= ESW_REC_UNKNOWN;
}

/* The identity of a filter, its kind and its options. */
static int parse_head(const struct nlmsghdr *nlh, struct esw_flower_rec *rec,
		      const struct nlattr **options)
{
	const struct tcmsg *tcm = esw_nl_fixed(nlh, sizeof(*tcm));
	const struct nlattr *attr;
	char kind[16] = "";

	if (nlh->nlmsg_type != RTM_NEWTFILTER || !tcm)
		return -EBADMSG;
	rec->ifindex = (uint32_t)tcm->tcm_ifindex;
	rec->handle = tcm->tcm_handle;
	rec->prio = (uint16_t)(TC_H_MAJ(tcm->tcm_info) >> 16);
	rec->protocol = ntohs((uint16_t)TC_H_MIN(tcm->tcm_info));
	*options = NULL;
	esw_nl_for_each_attr(attr, nlh, sizeof(*tcm)) {
		switch (esw_nl_type(attr)) {
		case TCA_KIND:
			esw_nl_text(attr, kind, sizeof(kind));
			break;
		case TCA_CHAIN:
			esw_nl_u32(attr, &rec->chain);
			break;
		case TCA_OPTIONS:
			*options = attr;
			break;
		default:
			break;
		}
	}
	/* Handle 0 is the prio itself, shown beside the rules in it. */
	return strcmp(kind, "flower") == 0 && rec->handle && *options ? 0 : -ENOENT;
}

int esw_flower_parse(const struct nlmsghdr *nlh, const uint8_t *owner, enum esw_flower_depth depth,
		     struct esw_flower_full *rule)
{
	const struct nlattr *options;
	int err;

	memset(&rule->rec, 0, sizeof(rule->rec));
	memset(rule->cookie, 0, sizeof(rule->cookie));
	if (depth == ESW_FLOWER_ALL)
		memset(rule, 0, sizeof(*rule));
	rule->rec.idle_ms = ESW_IDLE_UNKNOWN;
	err = parse_head(nlh, &rule->rec, &options);
	if (err)
		return err;
	parse_options(options, depth, rule);
	/* Of rules of others the kernel shows what was written, bits beyond the mask included. */
	for (size_t i = 0; depth == ESW_FLOWER_ALL && i < sizeof(rule->key); i++)
		((uint8_t *)&rule->key)[i] &= ((const uint8_t *)&rule->mask)[i];
	if (memcmp(rule->cookie, owner, ESW_COOKIE_OWNER_LEN) != 0)
		return 0;
	rule->rec.flags |= ESW_REC_OURS;
	for (int i = ESW_COOKIE_OWNER_LEN; i < ESW_COOKIE_LEN; i++)
		rule->rec.fingerprint = rule->rec.fingerprint << 8 | rule->cookie[i];
	return 0;
}
