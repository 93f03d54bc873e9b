/* SPDX-License-Identifier: Apache-2.0
 *
 * One table says how each field travels; encoder and parser both read it.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <netinet/in.h>
#include <string.h>

#include "flower.h"
#include "netlink.h"

#define PLACE(field)                                                                              \
	{ #field, offsetof(struct esw_flower_key, field),                                         \
	  sizeof(((struct esw_flower_key *)0)->field) },
const struct esw_flower_place esw_flower_places[ESW_FIELD_COUNT] = { ESW_FLOWER_FIELDS(PLACE) };

enum order { NETWORK, HOST16 };

struct row {
	uint8_t id;
	uint8_t proto; /* travels so only with this ip_proto; 0: always */
	uint8_t order;
	uint16_t value, mask; /* attributes; mask 0: the kernel takes none */
};

#define EXACT(field, order, attr) \
	{ ESW_FIELD_##field, 0, order, TCA_FLOWER_KEY_##attr, TCA_FLOWER_UNSPEC }
/* Not by way of MASKED_OF: some of these names are macros of netinet/in.h. */
#define MASKED(field, attr) \
	{ ESW_FIELD_##field, 0, NETWORK, TCA_FLOWER_KEY_##attr, TCA_FLOWER_KEY_##attr##_MASK }
#define MASKED_OF(field, proto, attr) \
	{ ESW_FIELD_##field, proto, NETWORK, TCA_FLOWER_KEY_##attr, TCA_FLOWER_KEY_##attr##_MASK }

static const struct row rows[] = {
	MASKED(eth_dst, ETH_DST),
	MASKED(eth_src, ETH_SRC),
	EXACT(vlan_id, HOST16, VLAN_ID),
	EXACT(vlan_prio, NETWORK, VLAN_PRIO),
	EXACT(vlan_ethtype, NETWORK, VLAN_ETH_TYPE),
	EXACT(cvlan_id, HOST16, CVLAN_ID),
	EXACT(cvlan_prio, NETWORK, CVLAN_PRIO),
	EXACT(cvlan_ethtype, NETWORK, CVLAN_ETH_TYPE),
	EXACT(ip_proto, NETWORK, IP_PROTO),
	MASKED(ip_tos, IP_TOS),
	MASKED(ip_ttl, IP_TTL),
	MASKED(ip_flags, FLAGS),
	MASKED(ipv4_src, IPV4_SRC),
	MASKED(ipv4_dst, IPV4_DST),
	MASKED(ipv6_src, IPV6_SRC),
	MASKED(ipv6_dst, IPV6_DST),
	MASKED_OF(src_port, IPPROTO_TCP, TCP_SRC),
	MASKED_OF(dst_port, IPPROTO_TCP, TCP_DST),
	MASKED_OF(src_port, IPPROTO_UDP, UDP_SRC),
	MASKED_OF(dst_port, IPPROTO_UDP, UDP_DST),
	MASKED_OF(src_port, IPPROTO_SCTP, SCTP_SRC),
	MASKED_OF(dst_port, IPPROTO_SCTP, SCTP_DST),
	MASKED(tcp_flags, TCP_FLAGS),
	MASKED_OF(icmp_type, IPPROTO_ICMP, ICMPV4_TYPE),
	MASKED_OF(icmp_code, IPPROTO_ICMP, ICMPV4_CODE),
	MASKED_OF(icmp_type, IPPROTO_ICMPV6, ICMPV6_TYPE),
	MASKED_OF(icmp_code, IPPROTO_ICMPV6, ICMPV6_CODE),
	EXACT(enc_key_id, NETWORK, ENC_KEY_ID),
	MASKED(enc_ipv4_src, ENC_IPV4_SRC),
	MASKED(enc_ipv4_dst, ENC_IPV4_DST),
	MASKED(enc_ipv6_src, ENC_IPV6_SRC),
	MASKED(enc_ipv6_dst, ENC_IPV6_DST),
	MASKED(enc_src_port, ENC_UDP_SRC_PORT),
	MASKED(enc_dst_port, ENC_UDP_DST_PORT),
	MASKED(enc_ip_tos, ENC_IP_TOS),
	MASKED(enc_ip_ttl, ENC_IP_TTL),
};

static uint8_t *at(struct esw_flower_key *key, uint32_t id)
{
	return (uint8_t *)key + esw_flower_places[id].offset;
}

static const uint8_t *at_const(const struct esw_flower_key *key, uint32_t id)
{
	return (const uint8_t *)key + esw_flower_places[id].offset;
}

void esw_flower_full_mask(enum esw_flower_field_id id, uint8_t *mask)
{
	memset(mask, 0xff, esw_flower_places[id].len);
	if (id == ESW_FIELD_vlan_id || id == ESW_FIELD_cvlan_id)
		mask[0] = 0x0f;
	else if (id == ESW_FIELD_vlan_prio || id == ESW_FIELD_cvlan_prio)
		mask[0] = 0x07;
}

bool esw_flower_is_exact(enum esw_flower_field_id id)
{
	for (size_t i = 0; i < ESW_ARRAY_SIZE(rows); i++) {
		if (rows[i].id == id)
			return !rows[i].mask;
	}
	return true;
}

/* Two bytes between network order and the kernel's own, which only VLAN IDs have. */
static void reorder(const struct row *row, uint8_t *bytes)
{
	uint16_t value;

	if (row->order != HOST16)
		return;
	memcpy(&value, bytes, sizeof(value));
	value = ntohs(value);
	memcpy(bytes, &value, sizeof(value));
}

void esw_flower_put_fields(struct nlmsghdr *nlh, const struct esw_flower_op *op)
{
	for (size_t i = 0; i < ESW_ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		uint32_t len = esw_flower_places[row->id].len;
		uint8_t bytes[16];

		if (!(op->fields & 1u << row->id) ||
		    (row->proto && row->proto != op->key.ip_proto[0]))
			continue;
		memcpy(bytes, at_const(&op->key, row->id), len);
		reorder(row, bytes);
		mnl_attr_put(nlh, row->value, len, bytes);
		if (row->mask)
			mnl_attr_put(nlh, row->mask, len, at_const(&op->mask, row->id));
	}
}

static bool take_value(const struct row *row, const struct nlattr *attr,
		       struct esw_flower_full *rule, uint32_t masked)
{
	uint8_t *value = at(&rule->key, row->id);

	if (!esw_nl_bytes(attr, value, esw_flower_places[row->id].len))
		return false;
	reorder(row, value);
	rule->fields |= 1u << row->id;
	if (!(masked & 1u << row->id))
		esw_flower_full_mask(row->id, at(&rule->mask, row->id));
	return true;
}

bool esw_flower_parse_field(const struct nlattr *attr, struct esw_flower_full *rule,
			    uint32_t *masked)
{
	uint16_t type = esw_nl_type(attr);

	for (size_t i = 0; i < ESW_ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		if (type == row->value)
			return take_value(row, attr, rule, *masked);
		if (row->mask && type == row->mask) {
			*masked |= 1u << row->id;
			return esw_nl_bytes(attr, at(&rule->mask, row->id),
					    esw_flower_places[row->id].len);
		}
	}
	return false;
}
