/* SPDX-License-Identifier: Apache-2.0
 *
 * The clsact qdisc of links with flower rules. Marked as hook_clsact.c marks it: an empty directory
 * beside the pinned links, since a qdisc cannot carry a mark.
 */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf_hook.h"
#include "flower_apply.h"
#include "tc.h"

int esw_flower_make_qdisc(struct esw_flower_worker *worker, struct esw_flower_link *link)
{
	char marker[ESW_PIN_LEN];
	struct esw_nl_txn txn;
	int made;

	/* A transaction of its own: the worker's is in use. */
	esw_nl_txn_init(&txn, &worker->nl);
	made = esw_tc_make_qdisc(&txn, (uint32_t)link->ifindex, NULL);
	esw_nl_txn_free(&txn);
	if (made == 1 && worker->batch->dir[0] &&
	    esw_pin_path(marker, worker->batch->dir, "links", link->name, "_qdisc") == 0)
		(void)mkdir(marker, 0700); /* without it the qdisc stays, which harms nobody */
	return made < 0 ? made : 0;
}

static int any(void *ctx, const struct nlmsghdr *nlh)
{
	struct esw_tc_filter filter;

	(void)ctx;
	if (nlh->nlmsg_type != RTM_NEWTFILTER || esw_tc_parse_filter(nlh, &filter) < 0)
		return 0;
	return filter.handle ? -ECANCELED : 0; /* one is enough to know */
}

static void reset(void *ctx)
{
	(void)ctx;
}

static bool is_empty(uint32_t ifindex, uint32_t direction)
{
	const struct tcmsg tcm = {
		.tcm_ifindex = (int)ifindex, .tcm_parent = TC_H_MAKE(TC_H_CLSACT, direction),
	};
	const struct esw_nl_dump dump = {
		.type = RTM_GETTFILTER, .fixed = &tcm, .fixed_size = sizeof(tcm), .each = any,
		.reset = reset,
	};
	struct esw_nl nl;
	int err;

	if (esw_nl_open(&nl, "", NETLINK_ROUTE) < 0)
		return false;
	err = esw_nl_dump(&nl, &dump);
	esw_nl_close(&nl); /* with what is left of a dump that was not read to its end */
	return err == 0;
}

static void remove_qdisc(const char *marker, uint32_t ifindex)
{
	struct esw_nl_txn txn;
	struct esw_nl nl;

	if (!is_empty(ifindex, TC_H_MIN_INGRESS) || !is_empty(ifindex, TC_H_MIN_EGRESS))
		return;
	if (esw_nl_open(&nl, "", NETLINK_ROUTE) < 0)
		return;
	esw_nl_txn_init(&txn, &nl);
	if (rmdir(marker) == 0)
		(void)esw_tc_remove_qdisc(&txn, ifindex, NULL);
	esw_nl_txn_free(&txn);
	esw_nl_close(&nl);
}

void esw_flower_remove_qdiscs(struct esw_flower_batch *batch)
{
	char last[ESW_NAME_LEN] = "", marker[ESW_PIN_LEN];
	struct stat st;

	for (uint32_t i = batch->first; i < batch->end; i++) {
		struct esw_flower_op op;

		esw_flower_record(batch, i, &op);
		if (!ESW_FIELD_OK(op.name) || strcmp(op.name, last) == 0)
			continue;
		esw_text_copy(last, sizeof(last), op.name);
		/* A name with a slash, as any that is no link's, was refused. */
		if (batch->results[i].ifindex && !strchr(op.name, '/') &&
		    esw_pin_path(marker, batch->dir, "links", op.name, "_qdisc") == 0 &&
		    stat(marker, &st) == 0)
			remove_qdisc(marker, batch->results[i].ifindex);
	}
}
