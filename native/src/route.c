/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "records.h"
#include "rt_apply.h"
#include "rt_parse.h"

static const char *check(const union esw_rt_record *record, struct esw_rt_common *common)
{
	const struct esw_route_op *op = &record->route;
	uint32_t len = esw_rt_addr_len(op->family);

	if (!ESW_FIELD_OK(op->netns) || !ESW_FIELD_OK(op->oif))
		return "a string is not terminated";
	if (op->verb != ESW_RT_ADD && op->verb != ESW_RT_DELETE)
		return "unknown verb";
	if (!len || op->prefixlen > len * 8)
		return "bad address family or prefix length";
	if (!op->oif[0] && !op->has_gateway && op->verb == ESW_RT_ADD)
		return "a route needs a link or a gateway";
	*common = (struct esw_rt_common){
		.netns = op->netns, .ifname = op->oif, .is_delete = op->verb == ESW_RT_DELETE,
	};
	return NULL;
}

static void build(struct esw_nl_txn *txn, const union esw_rt_record *record, uint32_t ifindex)
{
	const struct esw_route_op *op = &record->route;
	bool add = op->verb == ESW_RT_ADD;
	uint32_t len = esw_rt_addr_len(op->family);
	uint8_t wide = op->type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	struct rtmsg rtm = {
		.rtm_family = op->family, .rtm_dst_len = op->prefixlen, .rtm_protocol = op->protocol,
		.rtm_type = op->type ? op->type : RTN_UNICAST,
		.rtm_table = op->table < 256 ? op->table : RT_TABLE_UNSPEC,
		.rtm_scope = op->scope_link ? RT_SCOPE_LINK : wide,
	};
	struct nlmsghdr *nlh;

	if (!add && !op->scope_link)
		rtm.rtm_scope = RT_SCOPE_NOWHERE; /* matches any */
	nlh = esw_nl_txn_begin(txn, add ? RTM_NEWROUTE : RTM_DELROUTE,
			       add ? NLM_F_CREATE | NLM_F_REPLACE : 0, &rtm, sizeof(rtm));
	mnl_attr_put_u32(nlh, RTA_TABLE, op->table);
	if (op->prefixlen)
		mnl_attr_put(nlh, RTA_DST, len, op->dst);
	if (ifindex)
		mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
	if (op->has_gateway)
		mnl_attr_put(nlh, RTA_GATEWAY, len, op->gateway);
	if (op->metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, op->metric);
}

static bool absent(int error)
{
	return error == -ESRCH || error == -ENODEV;
}

int esw_route_apply(const void *batch, uint32_t len, void *results, uint32_t cap)
{
	static const struct esw_rt_kind kind = {
		.record_size = sizeof(struct esw_route_op), .check = check, .build = build,
		.absent = absent,
	};

	return esw_rt_apply(&kind, batch, len, results, cap);
}

static void parse_gateway(const struct nlattr *attr, uint32_t len, struct esw_route_rec *rec)
{
	if (esw_nl_bytes(attr, rec->gateway, len))
		rec->has_gateway = 1;
}

static void parse_first_hop(const struct nlattr *attr, uint32_t len, struct esw_route_rec *rec)
{
	const char *payload = mnl_attr_get_payload(attr);
	uint32_t room = mnl_attr_get_payload_len(attr);
	struct rtnexthop hop;

	if (room < sizeof(hop))
		return;
	memcpy(&hop, payload, sizeof(hop));
	if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > room)
		return;
	rec->oif = (uint32_t)hop.rtnh_ifindex;
	mnl_attr_for_each_payload((void *)(payload + sizeof(hop)), hop.rtnh_len - sizeof(hop)) {
		if (mnl_attr_get_type(attr) == RTA_GATEWAY)
			parse_gateway(attr, len, rec);
	}
}

bool esw_route_parse(const struct nlmsghdr *nlh, struct esw_route_rec *rec)
{
	const struct rtmsg *rtm = esw_nl_fixed(nlh, sizeof(*rtm));
	const struct nlattr *attr;
	uint32_t len;

	if (!rtm || (rtm->rtm_flags & RTM_F_CLONED))
		return false;
	/* Of the other types only our own: the kernel makes a local route for every address. */
	if (rtm->rtm_type != RTN_UNICAST && rtm->rtm_protocol != ESW_PROTO_MARK)
		return false;
	len = esw_rt_addr_len(rtm->rtm_family);
	if (!len)
		return false;
	memset(rec, 0, sizeof(*rec));
	rec->family = rtm->rtm_family;
	rec->prefixlen = rtm->rtm_dst_len;
	rec->protocol = rtm->rtm_protocol;
	rec->table = rtm->rtm_table;
	esw_nl_for_each_attr(attr, nlh, sizeof(*rtm)) {
		switch (mnl_attr_get_type(attr)) {
		case RTA_DST:
			esw_nl_bytes(attr, rec->dst, len);
			break;
		case RTA_OIF:
			esw_nl_u32(attr, &rec->oif);
			break;
		case RTA_TABLE:
			esw_nl_u32(attr, &rec->table);
			break;
		case RTA_PRIORITY:
			esw_nl_u32(attr, &rec->metric);
			break;
		case RTA_GATEWAY:
			parse_gateway(attr, len, rec);
			break;
		case RTA_MULTIPATH:
			parse_first_hop(attr, len, rec);
			break;
		default:
			break;
		}
	}
	return true;
}

struct route_dump {
	struct esw_records records;
	uint32_t protocol;
};

static void each(const struct nlmsghdr *nlh, void *ctx)
{
	struct route_dump *dump = ctx;
	struct esw_route_rec rec;

	if (esw_route_parse(nlh, &rec) && (!dump->protocol || rec.protocol == dump->protocol))
		esw_records_add(&dump->records, &rec);
}

static void reset(void *ctx)
{
	((struct route_dump *)ctx)->records.total = 0;
}

int esw_route_dump(const char *netns, uint32_t protocol, void *out, uint32_t cap)
{
	/* Kernels with strict checking filter by protocol themselves; each() does it for the rest. */
	const struct rtmsg rtm = { .rtm_family = AF_UNSPEC, .rtm_protocol = (uint8_t)protocol };
	struct route_dump state = {
		.records = { .out = out, .cap = cap, .size = sizeof(struct esw_route_rec) },
		.protocol = protocol,
	};
	const struct esw_rt_dump dump = {
		.request = RTM_GETROUTE, .reply = RTM_NEWROUTE, .fixed = &rtm,
		.fixed_size = sizeof(rtm), .each = each, .reset = reset, .ctx = &state,
	};
	int err = (cap && !out) || protocol > 255 ? -EINVAL : esw_rt_dump(netns, &dump);

	return err ? err : (int)state.records.total;
}
