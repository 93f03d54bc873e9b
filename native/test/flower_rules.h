/* SPDX-License-Identifier: Apache-2.0
 *
 * Flow rules for tests: one of each field and each action, and random ones.
 */
#ifndef ESW_TEST_FLOWER_RULES_H
#define ESW_TEST_FLOWER_RULES_H

#include "support.h"

#include <linux/if_ether.h>
#include <linux/tc_act/tc_csum.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "flower.h"

static const uint8_t test_owner[ESW_COOKIE_OWNER_LEN] = { 0xe5, 0x57, 1, 1, 't', 'e', 's', 't' };

static inline struct esw_flower_op rule_op(const char *name, uint32_t handle)
{
	struct esw_flower_op op = {
		.verb = ESW_FLOWER_PUT, .flags = ESW_FLOWER_SKIP_HW | ESW_FLOWER_ECHO, .handle = handle,
		.prio = 1, .protocol = ETH_P_ALL, .action_count = 1,
		.actions = { { .kind = ESW_ACT_DROP } },
	};

	snprintf(op.name, sizeof(op.name), "%s", name);
	memcpy(op.cookie, test_owner, sizeof(test_owner));
	op.cookie[15] = (uint8_t)handle;
	return op;
}

/* Sets a field to bytes of `first`, first + 1, …, all bits of it. */
static inline void set_field(struct esw_flower_op *op, enum esw_flower_field_id id, uint8_t first)
{
	const struct esw_flower_place *place = &esw_flower_places[id];
	uint8_t *value = (uint8_t *)&op->key + place->offset;

	for (int i = 0; i < place->len; i++)
		value[i] = (uint8_t)(first + i);
	esw_flower_full_mask(id, (uint8_t *)&op->mask + place->offset);
	op->fields |= 1u << id;
}

static inline void set_u16(struct esw_flower_op *op, enum esw_flower_field_id id, uint16_t number)
{
	uint8_t *value = (uint8_t *)&op->key + esw_flower_places[id].offset;

	set_field(op, id, 0);
	value[0] = (uint8_t)(number >> 8);
	value[1] = (uint8_t)number;
}

/* What the field needs beside it, so that the kernel reads it. */
static inline void set_context(struct esw_flower_op *op, enum esw_flower_field_id id)
{
	switch (id) {
	case ESW_FIELD_cvlan_id:
	case ESW_FIELD_cvlan_prio:
	case ESW_FIELD_cvlan_ethtype:
		op->protocol = ETH_P_8021AD;
		set_u16(op, ESW_FIELD_vlan_ethtype, ETH_P_8021Q);
		break;
	case ESW_FIELD_vlan_id:
	case ESW_FIELD_vlan_prio:
	case ESW_FIELD_vlan_ethtype:
		op->protocol = ETH_P_8021Q;
		break;
	case ESW_FIELD_ipv6_src:
	case ESW_FIELD_ipv6_dst:
		op->protocol = ETH_P_IPV6;
		break;
	case ESW_FIELD_src_port:
	case ESW_FIELD_dst_port:
	case ESW_FIELD_tcp_flags:
	case ESW_FIELD_icmp_type:
	case ESW_FIELD_icmp_code:
		set_field(op, ESW_FIELD_ip_proto,
			  id == ESW_FIELD_icmp_type || id == ESW_FIELD_icmp_code ? IPPROTO_ICMP :
										  IPPROTO_TCP);
		op->protocol = ETH_P_IP;
		break;
	case ESW_FIELD_ip_proto:
	case ESW_FIELD_ip_tos:
	case ESW_FIELD_ip_ttl:
	case ESW_FIELD_ip_flags:
	case ESW_FIELD_ipv4_src:
	case ESW_FIELD_ipv4_dst:
		op->protocol = ETH_P_IP;
		break;
	default:
		break;
	}
}

/* A rule with that one field (and what it needs). */
static inline struct esw_flower_op field_op(const char *name, enum esw_flower_field_id id)
{
	struct esw_flower_op op = rule_op(name, 100 + id);

	op.prio = (uint16_t)(100 + id);
	set_context(&op, id);
	if (id == ESW_FIELD_vlan_ethtype)
		set_u16(&op, id, ETH_P_IP);
	else if (id == ESW_FIELD_cvlan_ethtype)
		set_u16(&op, id, ETH_P_IPV6);
	else
		set_field(&op, id, id == ESW_FIELD_vlan_prio || id == ESW_FIELD_cvlan_prio ? 5 : 1);
	if (id == ESW_FIELD_ip_flags) {
		const uint8_t fragment[4] = { 0, 0, 0, TCA_FLOWER_KEY_FLAGS_IS_FRAGMENT };

		memcpy(op.key.ip_flags, fragment, 4);
		memcpy(op.mask.ip_flags, fragment, 4);
	}
	return op;
}

static inline struct esw_flower_act pedit_act(uint32_t field)
{
	struct esw_flower_act act = { .kind = ESW_ACT_PEDIT, .number = field };
	uint32_t len = esw_flower_pedit_len(field);

	for (uint32_t i = 0; i < len; i++) {
		act.value[i] = (uint8_t)(0xa0 + i);
		act.mask[i] = 0xff;
	}
	return act;
}

/* One of each kind that is followed by another; `index` < PLAIN_ACTS. */
#define PLAIN_ACTS 9u
static inline struct esw_flower_act plain_act(uint32_t index, const char *link)
{
	struct esw_flower_act acts[PLAIN_ACTS] = {
		{ .kind = ESW_ACT_MIRROR },
		{ .kind = ESW_ACT_CSUM, .number = TCA_CSUM_UPDATE_FLAG_IPV4HDR | TCA_CSUM_UPDATE_FLAG_UDP },
		{ .kind = ESW_ACT_TUNNEL_SET, .number = 0xabcdef, .port = 4789, .family = AF_INET,
		  .ttl = 64, .tos = 8, .csum = 1, .value = { 10, 0, 0, 1 }, .mask = { 10, 0, 0, 2 } },
		{ .kind = ESW_ACT_TUNNEL_SET, .number = 0, .port = 8472, .family = AF_INET6,
		  .value = { 0xfd, 1 }, .mask = { 0xfd, 2 } },
		{ .kind = ESW_ACT_TUNNEL_UNSET },
		{ .kind = ESW_ACT_VLAN_PUSH, .vlan_id = 0, .vlan_prio = 7, .tpid = ETH_P_8021AD },
		{ .kind = ESW_ACT_VLAN_MODIFY, .vlan_id = 4094, .vlan_prio = 0, .tpid = ETH_P_8021Q },
		{ .kind = ESW_ACT_VLAN_POP },
		{ .kind = ESW_ACT_POLICE, .rate = 1250000, .number = 100000 },
	};

	snprintf(acts[0].link, sizeof(acts[0].link), "%s", link);
	return acts[index];
}

#define FINAL_ACTS 5u
static inline struct esw_flower_act final_act(uint32_t index, const char *link)
{
	struct esw_flower_act acts[FINAL_ACTS] = {
		{ .kind = ESW_ACT_REDIRECT }, { .kind = ESW_ACT_DROP }, { .kind = ESW_ACT_PASS },
		{ .kind = ESW_ACT_TRAP }, { .kind = ESW_ACT_GOTO, .number = 77 },
	};

	snprintf(acts[0].link, sizeof(acts[0].link), "%s", link);
	return acts[index];
}

#endif
