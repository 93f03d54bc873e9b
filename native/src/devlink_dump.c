/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/devlink.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "devlink_parse.h"
#include "genl.h"
#include "records.h"

struct dump {
	struct esw_records records;
	/* one of: a record per message, or several */
	bool (*parse_one)(const struct nlmsghdr *nlh, void *record);
	void (*parse_many)(const struct nlmsghdr *nlh, esw_devlink_add_fn add, void *ctx);
};

static void add(void *ctx, const void *record)
{
	esw_records_add(ctx, record);
}

static void reset(void *ctx)
{
	((struct dump *)ctx)->records.total = 0;
}

static int each(void *ctx, const struct nlmsghdr *nlh)
{
	uint64_t record[64]; /* larger than any record here */
	struct dump *dump = ctx;

	if (dump->parse_many)
		dump->parse_many(nlh, add, &dump->records);
	else if (dump->parse_one(nlh, record))
		esw_records_add(&dump->records, record);
	return 0;
}

static int run(struct dump *dump, uint8_t command, void *out, uint32_t cap)
{
	const struct esw_genl_dump request = {
		.command = command, .each = each, .reset = reset, .ctx = dump,
	};
	struct esw_genl_family family;
	struct esw_nl nl;
	int err;

	if (cap && !out)
		return -EINVAL;
	dump->records.out = out;
	dump->records.cap = cap;
	err = esw_genl_open(&nl, DEVLINK_GENL_NAME, NULL, &family);
	if (err)
		return err;
	err = esw_genl_dump(&nl, &family, &request);
	esw_nl_close(&nl);
	return err ? err : (int)dump->records.total;
}

#define DUMP_ONE(name, type, parser, command)                                                     \
	static bool one_##type(const struct nlmsghdr *nlh, void *record)                          \
	{                                                                                         \
		_Static_assert(sizeof(struct type) <= 512, "the record of each() is too small");  \
		return parser(nlh, record);                                                       \
	}                                                                                         \
	int name(void *out, uint32_t cap)                                                         \
	{                                                                                         \
		struct dump dump = { .records.size = sizeof(struct type),                         \
				     .parse_one = one_##type };                                   \
		return run(&dump, command, out, cap);                                             \
	}
#define DUMP_MANY(name, type, parser, command)                                                    \
	int name(void *out, uint32_t cap)                                                         \
	{                                                                                         \
		struct dump dump = { .records.size = sizeof(struct type), .parse_many = parser }; \
		return run(&dump, command, out, cap);                                             \
	}

DUMP_ONE(esw_devlink_port_dump, esw_devlink_port, esw_devlink_parse_port, DEVLINK_CMD_PORT_GET)
DUMP_ONE(esw_devlink_rate_dump, esw_devlink_rate, esw_devlink_parse_rate, DEVLINK_CMD_RATE_GET)
DUMP_ONE(esw_devlink_health_dump, esw_devlink_health, esw_devlink_parse_health,
	 DEVLINK_CMD_HEALTH_REPORTER_GET)
DUMP_MANY(esw_devlink_info_dump, esw_devlink_info, esw_devlink_parse_info, DEVLINK_CMD_INFO_GET)
DUMP_MANY(esw_devlink_param_dump, esw_devlink_param, esw_devlink_parse_param, DEVLINK_CMD_PARAM_GET)

/* ---- instances with their eswitches ------------------------------------------------------------ */

struct instances {
	struct esw_devlink_rec *recs;
	uint32_t count, room;
};

static void instances_reset(void *ctx)
{
	((struct instances *)ctx)->count = 0;
}

static int instances_each(void *ctx, const struct nlmsghdr *nlh)
{
	struct instances *all = ctx;
	struct esw_devlink_rec rec;

	if (!esw_devlink_parse_dev(nlh, &rec))
		return 0;
	if (all->count == all->room) {
		uint32_t room = all->room ? all->room * 2 : 16;
		struct esw_devlink_rec *recs = realloc(all->recs, room * sizeof(*recs));

		if (!recs)
			return -ENOMEM;
		all->recs = recs;
		all->room = room;
	}
	all->recs[all->count++] = rec;
	return 0;
}

static void got_eswitch(void *ctx, const struct esw_nl_req *req, const struct nlmsghdr *nlh)
{
	struct instances *all = ctx;

	esw_devlink_parse_eswitch(nlh, &all->recs[req->tag]);
}

/* Asks each instance for its eswitch. One that is gone by now, or has none, is no failure of all. */
static int ask_eswitches(struct esw_nl *nl, const struct esw_genl_family *family,
			 struct instances *all)
{
	struct esw_nl_txn txn;
	int err = 0;

	esw_nl_txn_init(&txn, nl);
	for (uint32_t i = 0; i < all->count && !err; i++) {
		struct nlmsghdr *nlh = esw_genl_begin(&txn, family, DEVLINK_CMD_ESWITCH_GET);

		mnl_attr_put_strz(nlh, DEVLINK_ATTR_BUS_NAME, all->recs[i].bus);
		mnl_attr_put_strz(nlh, DEVLINK_ATTR_DEV_NAME, all->recs[i].dev);
		err = esw_nl_txn_push(&txn, i);
	}
	if (!err)
		err = esw_nl_txn_run(&txn, got_eswitch, all);
	for (uint32_t i = 0; !err && i < txn.count; i++)
		all->recs[txn.reqs[i].tag].error = txn.reqs[i].error;
	esw_nl_txn_free(&txn);
	return err;
}

int esw_devlink_dump(void *out, uint32_t cap)
{
	struct esw_records records = { .out = out, .cap = cap, .size = sizeof(struct esw_devlink_rec) };
	struct instances all = { .recs = NULL };
	const struct esw_genl_dump request = {
		.command = DEVLINK_CMD_GET, .each = instances_each, .reset = instances_reset,
		.ctx = &all,
	};
	struct esw_genl_family family;
	struct esw_nl nl;
	int err;

	if (cap && !out)
		return -EINVAL;
	err = esw_genl_open(&nl, DEVLINK_GENL_NAME, NULL, &family);
	if (err)
		return err;
	err = esw_genl_dump(&nl, &family, &request);
	if (!err)
		err = ask_eswitches(&nl, &family, &all);
	esw_nl_close(&nl);
	for (uint32_t i = 0; !err && i < all.count; i++)
		esw_records_add(&records, &all.recs[i]);
	free(all.recs);
	return err ? err : (int)records.total;
}

/* ---- resources of one instance ------------------------------------------------------------------ */

static void got_resource(void *ctx, const struct esw_nl_req *req, const struct nlmsghdr *nlh)
{
	(void)req;
	esw_devlink_parse_resource(nlh, add, ctx);
}

int esw_devlink_resource_dump(const char *bus, const char *dev, void *out, uint32_t cap)
{
	struct esw_records records = {
		.out = out, .cap = cap, .size = sizeof(struct esw_devlink_resource),
	};
	struct esw_genl_family family;
	struct esw_nl_txn txn;
	struct nlmsghdr *nlh;
	struct esw_nl nl;
	int err;

	if (!bus || !dev || (cap && !out) || strlen(bus) >= ESW_BUS_LEN || strlen(dev) >= ESW_DEV_LEN)
		return -EINVAL;
	err = esw_genl_open(&nl, DEVLINK_GENL_NAME, NULL, &family);
	if (err)
		return err;
	esw_nl_txn_init(&txn, &nl);
	nlh = esw_genl_begin(&txn, &family, DEVLINK_CMD_RESOURCE_DUMP);
	mnl_attr_put_strz(nlh, DEVLINK_ATTR_BUS_NAME, bus);
	mnl_attr_put_strz(nlh, DEVLINK_ATTR_DEV_NAME, dev);
	err = esw_nl_txn_push(&txn, 0);
	if (!err)
		err = esw_nl_txn_run(&txn, got_resource, &records);
	if (!err)
		err = txn.reqs[0].error;
	esw_nl_txn_free(&txn);
	esw_nl_close(&nl);
	/* -EOPNOTSUPP: the driver has registered none */
	if (err == -EOPNOTSUPP)
		return 0;
	return err ? err : (int)records.total;
}
