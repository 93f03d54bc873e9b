/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <string.h>
#include <sys/socket.h>

#include "records.h"
#include "rt_apply.h"
#include "rt_parse.h"

static const char *check(const union esw_rt_record *record, struct esw_rt_common *common)
{
	const struct esw_addr_op *op = &record->addr;
	uint32_t len = esw_rt_addr_len(op->family);

	if (!ESW_FIELD_OK(op->netns) || !ESW_FIELD_OK(op->name))
		return "a string is not terminated";
	if (op->verb != ESW_RT_ADD && op->verb != ESW_RT_DELETE)
		return "unknown verb";
	if (!op->name[0])
		return "the link has no name";
	if (!len || op->prefixlen > len * 8)
		return "bad address family or prefix length";
	*common = (struct esw_rt_common){
		.netns = op->netns, .ifname = op->name, .is_delete = op->verb == ESW_RT_DELETE,
	};
	return NULL;
}

static void build(struct esw_nl_txn *txn, const union esw_rt_record *record, uint32_t ifindex)
{
	const struct esw_addr_op *op = &record->addr;
	bool add = op->verb == ESW_RT_ADD;
	uint32_t flags = op->family == AF_INET6 && op->nodad ? IFA_F_NODAD : 0;
	const struct ifaddrmsg ifa = {
		.ifa_family = op->family, .ifa_prefixlen = op->prefixlen, .ifa_index = ifindex,
		.ifa_flags = (uint8_t)flags,
	};
	struct nlmsghdr *nlh;

	nlh = esw_nl_txn_begin(txn, add ? RTM_NEWADDR : RTM_DELADDR,
			       add ? NLM_F_CREATE | NLM_F_REPLACE : 0, &ifa, sizeof(ifa));
	mnl_attr_put(nlh, IFA_LOCAL, esw_rt_addr_len(op->family), op->addr);
	mnl_attr_put(nlh, IFA_ADDRESS, esw_rt_addr_len(op->family), op->addr);
	if (add) {
		mnl_attr_put_u32(nlh, IFA_FLAGS, flags);
		mnl_attr_put_u8(nlh, IFA_PROTO, ESW_PROTO_MARK);
	}
}

static bool absent(int error)
{
	return error == -EADDRNOTAVAIL || error == -ENODEV;
}

int esw_addr_apply(const void *batch, uint32_t len, void *results, uint32_t cap)
{
	static const struct esw_rt_kind kind = {
		.record_size = sizeof(struct esw_addr_op), .check = check, .build = build,
		.absent = absent,
	};

	return esw_rt_apply(&kind, batch, len, results, cap);
}

bool esw_addr_parse(const struct nlmsghdr *nlh, struct esw_addr_rec *rec)
{
	const struct ifaddrmsg *ifa = esw_nl_fixed(nlh, sizeof(*ifa));
	bool local = false, any = false;
	const struct nlattr *attr;
	uint32_t len;

	if (!ifa)
		return false;
	len = esw_rt_addr_len(ifa->ifa_family);
	if (!len)
		return false;
	memset(rec, 0, sizeof(*rec));
	rec->ifindex = ifa->ifa_index;
	rec->family = ifa->ifa_family;
	rec->prefixlen = ifa->ifa_prefixlen;
	rec->scope = ifa->ifa_scope;
	rec->flags = ifa->ifa_flags;
	esw_nl_for_each_attr(attr, nlh, sizeof(*ifa)) {
		switch (mnl_attr_get_type(attr)) {
		case IFA_LOCAL:
			local = esw_nl_bytes(attr, rec->addr, len) || local;
			any = any || local;
			break;
		case IFA_ADDRESS:
			/* On a point-to-point link this is the peer's; ours is IFA_LOCAL. */
			if (!local)
				any = esw_nl_bytes(attr, rec->addr, len) || any;
			break;
		case IFA_FLAGS:
			esw_nl_u32(attr, &rec->flags);
			break;
		case IFA_PROTO:
			esw_nl_u8(attr, &rec->proto);
			break;
		default:
			break;
		}
	}
	return any;
}

static void each(const struct nlmsghdr *nlh, void *ctx)
{
	struct esw_addr_rec rec;

	if (esw_addr_parse(nlh, &rec))
		esw_records_add(ctx, &rec);
}

static void reset(void *ctx)
{
	((struct esw_records *)ctx)->total = 0;
}

int esw_addr_dump(const char *netns, void *out, uint32_t cap)
{
	const struct ifaddrmsg ifa = { .ifa_family = AF_UNSPEC };
	struct esw_records records = { .out = out, .cap = cap, .size = sizeof(struct esw_addr_rec) };
	const struct esw_rt_dump dump = {
		.request = RTM_GETADDR, .reply = RTM_NEWADDR, .fixed = &ifa,
		.fixed_size = sizeof(ifa), .each = each, .reset = reset, .ctx = &records,
	};
	int err = cap && !out ? -EINVAL : esw_rt_dump(netns, &dump);

	return err ? err : (int)records.total;
}
