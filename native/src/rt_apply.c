/* SPDX-License-Identifier: Apache-2.0 */
#include "rt_apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct loop {
	const struct esw_rt_kind *kind;
	struct esw_batch batch;
	struct esw_nl nl;
	struct esw_nl_txn txn;
	uint32_t *ifindexes; /* of each record, for its result */
	bool *deletes;
	bool open;
	char netns[ESW_PATH_LEN];
};

uint32_t esw_rt_addr_len(uint8_t family)
{
	if (family == AF_INET)
		return 4;
	return family == AF_INET6 ? 16 : 0;
}

/* Runs what is queued and writes the results. */
static void flush(struct loop *loop)
{
	int err = esw_nl_txn_run(&loop->txn, NULL, NULL);

	(void)err; /* requests without an answer carry it */
	for (uint32_t i = 0; i < loop->txn.count; i++) {
		const struct esw_nl_req *req = &loop->txn.reqs[i];
		bool gone = req->error && loop->deletes[req->tag] && loop->kind->absent(req->error);

		esw_batch_result(&loop->batch, req->tag, gone ? 0 : req->error,
				 loop->ifindexes[req->tag], gone ? NULL : req->extack);
	}
	esw_nl_txn_reset(&loop->txn);
}

static void leave(struct loop *loop)
{
	if (!loop->open)
		return;
	flush(loop);
	esw_nl_txn_free(&loop->txn);
	esw_nl_close(&loop->nl);
	loop->open = false;
}

static int enter(struct loop *loop, const char *netns)
{
	int err;

	if (loop->open && strcmp(loop->netns, netns) == 0)
		return 0;
	leave(loop);
	err = esw_nl_open(&loop->nl, netns, NETLINK_ROUTE);
	if (err)
		return err;
	esw_nl_txn_init(&loop->txn, &loop->nl);
	esw_text_copy(loop->netns, sizeof(loop->netns), netns);
	loop->open = true;
	return 0;
}

static void one(struct loop *loop, uint32_t index)
{
	struct esw_rt_common common;
	union esw_rt_record record;
	const char *text;
	int err, ifindex = 0;

	esw_batch_record(&loop->batch, index, &record);
	text = loop->kind->check(&record, &common);
	if (text) {
		esw_batch_result(&loop->batch, index, -EINVAL, 0, text);
		return;
	}
	err = enter(loop, common.netns);
	if (err) {
		bool gone = common.is_delete && err == -ENOENT;

		esw_batch_result(&loop->batch, index, gone ? 0 : err, 0,
				 gone ? NULL : "cannot enter the network namespace");
		return;
	}
	if (common.ifname[0])
		ifindex = esw_nl_ifindex(&loop->nl, common.ifname);
	if (ifindex < 0) {
		bool gone = common.is_delete && ifindex == -ENODEV;

		esw_batch_result(&loop->batch, index, gone ? 0 : ifindex, 0,
				 gone ? NULL : "the link does not exist");
		return;
	}
	loop->ifindexes[index] = (uint32_t)ifindex;
	loop->deletes[index] = common.is_delete;
	loop->kind->build(&loop->txn, &record, (uint32_t)ifindex);
	if (esw_nl_txn_push(&loop->txn, index) < 0)
		esw_batch_result(&loop->batch, index, -ENOMEM, 0, NULL);
}

int esw_rt_apply(const struct esw_rt_kind *kind, const void *buf, uint32_t len, void *results,
		 uint32_t cap)
{
	struct loop loop = { .kind = kind };
	int err = esw_batch_open(&loop.batch, buf, len, kind->record_size, results, cap);

	if (err || !loop.batch.count)
		return err;
	loop.ifindexes = calloc(loop.batch.count, sizeof(*loop.ifindexes));
	loop.deletes = calloc(loop.batch.count, sizeof(*loop.deletes));
	if (loop.ifindexes && loop.deletes) {
		for (uint32_t i = 0; i < loop.batch.count; i++)
			one(&loop, i);
		leave(&loop);
	} else {
		err = -ENOMEM;
	}
	free(loop.ifindexes);
	free(loop.deletes);
	return err;
}

static int each(void *ctx, const struct nlmsghdr *nlh)
{
	const struct esw_rt_dump *dump = ctx;

	if (nlh->nlmsg_type == dump->reply)
		dump->each(nlh, dump->ctx);
	return 0;
}

static void reset(void *ctx)
{
	const struct esw_rt_dump *dump = ctx;

	dump->reset(dump->ctx);
}

int esw_rt_dump(const char *netns, const struct esw_rt_dump *dump)
{
	struct esw_rt_dump state = *dump;
	const struct esw_nl_dump request = {
		.type = dump->request, .fixed = dump->fixed, .fixed_size = dump->fixed_size,
		.each = each, .reset = reset, .ctx = &state,
	};
	struct esw_nl nl;
	int err;

	if (!netns)
		return -EINVAL;
	err = esw_nl_open(&nl, netns, NETLINK_ROUTE);
	if (err)
		return err;
	err = esw_nl_dump(&nl, &request);
	esw_nl_close(&nl);
	return err;
}
