/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "records.h"
#include "rt_apply.h"
#include "rt_parse.h"

static const char *check(const union esw_rt_record *record, struct esw_rt_common *common)
{
	const struct esw_neigh_op *op = &record->neigh;

	if (!ESW_FIELD_OK(op->netns) || !ESW_FIELD_OK(op->name))
		return "a string is not terminated";
	if (op->verb != ESW_RT_ADD && op->verb != ESW_RT_DELETE)
		return "unknown verb";
	if (!op->name[0])
		return "the link has no name";
	if (!esw_rt_addr_len(op->family))
		return "bad address family";
	*common = (struct esw_rt_common){
		.netns = op->netns, .ifname = op->name, .is_delete = op->verb == ESW_RT_DELETE,
	};
	return NULL;
}

static void build(struct esw_nl_txn *txn, const union esw_rt_record *record, uint32_t ifindex)
{
	const struct esw_neigh_op *op = &record->neigh;
	bool add = op->verb == ESW_RT_ADD;
	const struct ndmsg ndm = {
		.ndm_family = op->family, .ndm_ifindex = (int)ifindex,
		.ndm_state = !add ? 0 : op->permanent ? NUD_PERMANENT : NUD_REACHABLE,
	};
	struct nlmsghdr *nlh;

	nlh = esw_nl_txn_begin(txn, add ? RTM_NEWNEIGH : RTM_DELNEIGH,
			       add ? NLM_F_CREATE | NLM_F_REPLACE : 0, &ndm, sizeof(ndm));
	mnl_attr_put(nlh, NDA_DST, esw_rt_addr_len(op->family), op->addr);
	if (add) {
		mnl_attr_put(nlh, NDA_LLADDR, sizeof(op->mac), op->mac);
		mnl_attr_put_u8(nlh, NDA_PROTOCOL, ESW_PROTO_MARK);
	}
}

static bool absent(int error)
{
	return error == -ENOENT || error == -ENODEV;
}

int esw_neigh_apply(const void *batch, uint32_t len, void *results, uint32_t cap)
{
	static const struct esw_rt_kind kind = {
		.record_size = sizeof(struct esw_neigh_op), .check = check, .build = build,
		.absent = absent,
	};

	return esw_rt_apply(&kind, batch, len, results, cap);
}

bool esw_neigh_parse(const struct nlmsghdr *nlh, struct esw_neigh_rec *rec)
{
	const struct ndmsg *ndm = esw_nl_fixed(nlh, sizeof(*ndm));
	const struct nlattr *attr;
	bool has_addr = false;
	uint32_t len;

	if (!ndm)
		return false;
	len = esw_rt_addr_len(ndm->ndm_family);
	if (!len)
		return false;
	memset(rec, 0, sizeof(*rec));
	rec->ifindex = (uint32_t)ndm->ndm_ifindex;
	rec->state = ndm->ndm_state;
	rec->family = ndm->ndm_family;
	esw_nl_for_each_attr(attr, nlh, sizeof(*ndm)) {
		switch (mnl_attr_get_type(attr)) {
		case NDA_DST:
			has_addr = esw_nl_bytes(attr, rec->addr, len) || has_addr;
			break;
		case NDA_LLADDR:
			esw_nl_bytes(attr, rec->mac, sizeof(rec->mac));
			break;
		case NDA_PROTOCOL:
			esw_nl_u8(attr, &rec->protocol);
			break;
		default:
			break;
		}
	}
	return has_addr;
}

static void each(const struct nlmsghdr *nlh, void *ctx)
{
	struct esw_neigh_rec rec;

	if (esw_neigh_parse(nlh, &rec))
		esw_records_add(ctx, &rec);
}

static void reset(void *ctx)
{
	((struct esw_records *)ctx)->total = 0;
}

int esw_neigh_dump(const char *netns, void *out, uint32_t cap)
{
	const struct ndmsg ndm = { .ndm_family = AF_UNSPEC };
	struct esw_records records = { .out = out, .cap = cap, .size = sizeof(struct esw_neigh_rec) };
	const struct esw_rt_dump dump = {
		.request = RTM_GETNEIGH, .reply = RTM_NEWNEIGH, .fixed = &ndm,
		.fixed_size = sizeof(ndm), .each = each, .reset = reset, .ctx = &records,
	};
	int err = cap && !out ? -EINVAL : esw_rt_dump(netns, &dump);

	return err ? err : (int)records.total;
}
