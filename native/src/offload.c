/* SPDX-License-Identifier: Apache-2.0
 *
 * hw-tc-offload, the switch that lets a netdev's driver take flower rules, through ethtool's netlink.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool_netlink.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "genl.h"
#include "nic_parse.h"
#include "records.h"

#define FEATURE "hw-tc-offload"

/* Whether a bitset in its verbose form has the bit. In a list (NOMASK) its presence says so, with a
 * mask the VALUE flag does. */
static bool has_feature(const struct nlattr *bitset)
{
	const struct nlattr *part, *bit, *attr;
	bool list = false;

	mnl_attr_for_each_nested(part, bitset) {
		if (mnl_attr_get_type(part) == ETHTOOL_A_BITSET_NOMASK)
			list = true;
	}
	mnl_attr_for_each_nested(part, bitset) {
		if (mnl_attr_get_type(part) != ETHTOOL_A_BITSET_BITS)
			continue;
		mnl_attr_for_each_nested(bit, part) {
			bool named = false, value = list;
			char name[sizeof(FEATURE)];

			mnl_attr_for_each_nested(attr, bit) {
				if (mnl_attr_get_type(attr) == ETHTOOL_A_BITSET_BIT_NAME)
					named = esw_nl_text(attr, name, sizeof(name)) &&
						strcmp(name, FEATURE) == 0;
				else if (mnl_attr_get_type(attr) == ETHTOOL_A_BITSET_BIT_VALUE)
					value = true;
			}
			if (named)
				return value;
		}
	}
	return false;
}

static void parse_header(const struct nlattr *header, struct esw_offload_rec *rec)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, header) {
		if (mnl_attr_get_type(attr) == ETHTOOL_A_HEADER_DEV_INDEX)
			esw_nl_u32(attr, &rec->ifindex);
	}
}

bool esw_offload_parse(const struct nlmsghdr *nlh, struct esw_offload_rec *rec)
{
	const struct nlattr *attr;

	memset(rec, 0, sizeof(*rec));
	if (esw_genl_command(nlh) != ETHTOOL_MSG_FEATURES_GET_REPLY)
		return false;
	esw_genl_for_each_attr(attr, nlh) {
		switch (mnl_attr_get_type(attr)) {
		case ETHTOOL_A_FEATURES_HEADER:
			parse_header(attr, rec);
			break;
		case ETHTOOL_A_FEATURES_HW:
			rec->capable = has_feature(attr);
			break;
		case ETHTOOL_A_FEATURES_ACTIVE:
			rec->active = has_feature(attr);
			break;
		default:
			break;
		}
	}
	return rec->ifindex != 0;
}

static void put_header(struct nlmsghdr *nlh, uint32_t ifindex)
{
	struct nlattr *header = mnl_attr_nest_start(nlh, ETHTOOL_A_FEATURES_HEADER);

	mnl_attr_put_u32(nlh, ETHTOOL_A_HEADER_DEV_INDEX, ifindex);
	mnl_attr_nest_end(nlh, header);
}

static void got(void *ctx, const struct esw_nl_req *req, const struct nlmsghdr *nlh)
{
	struct esw_offload_rec *recs = ctx;
	struct esw_offload_rec rec;

	if (esw_offload_parse(nlh, &rec)) {
		recs[req->tag].active = rec.active;
		recs[req->tag].capable = rec.capable;
	}
}

static int ask(const uint32_t *ifindexes, uint32_t count, struct esw_offload_rec *recs)
{
	struct esw_genl_family family;
	struct esw_nl_txn txn;
	struct esw_nl nl;
	int err = esw_genl_open(&nl, ETHTOOL_GENL_NAME, NULL, &family);

	if (err)
		return err;
	esw_nl_txn_init(&txn, &nl);
	for (uint32_t i = 0; i < count && !err; i++) {
		/* The caller's array may start at any address. */
		memcpy(&recs[i].ifindex, (const uint8_t *)ifindexes + (size_t)i * sizeof(uint32_t),
		       sizeof(uint32_t));
		put_header(esw_genl_begin(&txn, &family, ETHTOOL_MSG_FEATURES_GET),
			   recs[i].ifindex);
		err = esw_nl_txn_push(&txn, i);
	}
	if (!err && count)
		err = esw_nl_txn_run(&txn, got, recs);
	for (uint32_t i = 0; !err && i < txn.count; i++)
		recs[txn.reqs[i].tag].error = txn.reqs[i].error;
	esw_nl_txn_free(&txn);
	esw_nl_close(&nl);
	return err;
}

int esw_offload_dump(const uint32_t *ifindexes, uint32_t count, void *out, uint32_t cap)
{
	struct esw_records records = { .out = out, .cap = cap, .size = sizeof(struct esw_offload_rec) };
	struct esw_offload_rec *recs;
	int err;

	if (count > ESW_BATCH_MAX || (count && !ifindexes) || (cap && !out))
		return -EINVAL;
	if (!count)
		return 0;
	recs = calloc(count, sizeof(*recs));
	err = recs ? ask(ifindexes, count, recs) : -ENOMEM;
	for (uint32_t i = 0; !err && i < count; i++)
		esw_records_add(&records, &recs[i]);
	free(recs);
	return err ? err : (int)records.total;
}

/* One named bit: value and mask. */
static void put_feature(struct nlmsghdr *nlh, bool active)
{
	struct nlattr *wanted = mnl_attr_nest_start(nlh, ETHTOOL_A_FEATURES_WANTED);
	struct nlattr *bits = mnl_attr_nest_start(nlh, ETHTOOL_A_BITSET_BITS);
	struct nlattr *bit = mnl_attr_nest_start(nlh, ETHTOOL_A_BITSET_BITS_BIT);

	mnl_attr_put_strz(nlh, ETHTOOL_A_BITSET_BIT_NAME, FEATURE);
	if (active)
		mnl_attr_put(nlh, ETHTOOL_A_BITSET_BIT_VALUE, 0, NULL);
	mnl_attr_nest_end(nlh, bit);
	mnl_attr_nest_end(nlh, bits);
	mnl_attr_nest_end(nlh, wanted);
}

/* The kernel acknowledges a change that a driver does not make; what is so afterwards is looked at. */
static void confirm(const struct esw_batch *batch, uint32_t index, const struct esw_offload_op *op)
{
	struct esw_offload_rec rec;
	int err = esw_offload_dump(&op->ifindex, 1, &rec, sizeof(rec));

	if (err < 0 || rec.error)
		esw_batch_result(batch, index, err < 0 ? err : rec.error, op->ifindex, NULL);
	else if (rec.active != op->active)
		esw_batch_result(batch, index, -EOPNOTSUPP, op->ifindex,
				 "the driver does not change " FEATURE);
	else
		esw_batch_result(batch, index, 0, op->ifindex, NULL);
}

int esw_offload_apply(const void *buf, uint32_t len, void *results, uint32_t cap)
{
	struct esw_genl_family family;
	struct esw_batch batch;
	struct esw_nl nl;
	int err = esw_batch_open(&batch, buf, len, sizeof(struct esw_offload_op), results, cap);

	if (err || !batch.count)
		return err;
	err = esw_genl_open(&nl, ETHTOOL_GENL_NAME, NULL, &family);
	if (err)
		return err;
	for (uint32_t i = 0; i < batch.count; i++) {
		char extack[ESW_EXTACK_LEN] = "";
		struct esw_offload_op op;
		struct esw_nl_txn txn;
		struct nlmsghdr *nlh;

		esw_batch_record(&batch, i, &op);
		if (!op.ifindex || op.active > 1) {
			esw_batch_result(&batch, i, -EINVAL, op.ifindex, "bad ifindex or value");
			continue;
		}
		esw_nl_txn_init(&txn, &nl);
		nlh = esw_genl_begin(&txn, &family, ETHTOOL_MSG_FEATURES_SET);
		put_header(nlh, op.ifindex);
		put_feature(nlh, op.active != 0);
		err = esw_nl_request(&txn, extack);
		esw_nl_txn_free(&txn);
		if (err)
			esw_batch_result(&batch, i, err, op.ifindex, extack);
		else
			confirm(&batch, i, &op);
	}
	esw_nl_close(&nl);
	return 0;
}
