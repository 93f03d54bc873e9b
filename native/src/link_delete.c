/* SPDX-License-Identifier: Apache-2.0
 *
 * ESW_LINK_DELETE: only links that carry the altname are ours to delete.
 *
 * Each RTM_DELLINK waits for RCU grace periods (about 18 ms under the rtnl lock), so many links go
 * as one: they are put into a group of their own, and the group is deleted in one message.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "link_wave.h"

#define GROUP_MIN 4u            /* from so many links on, the extra round trips pay */
#define GROUP_BASE 0xE5000000u  /* | ifindex of the first link: no two callers can share it */

struct doomed {
	uint32_t *ifindexes; /* sorted */
	uint32_t count;
	uint32_t group;
	uint32_t strangers; /* links in the group that are none of these */
};

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int each(void *ctx, const struct nlmsghdr *nlh)
{
	struct doomed *doomed = ctx;
	struct esw_link_view view;

	if (nlh->nlmsg_type != RTM_NEWLINK || esw_link_parse(nlh, "", ESW_ALTNAME_EXACT, &view) < 0)
		return 0;
	if (view.group == doomed->group &&
	    !bsearch(&view.rec.ifindex, doomed->ifindexes, doomed->count, sizeof(uint32_t), compare))
		doomed->strangers++;
	return 0;
}

static void reset(void *ctx)
{
	((struct doomed *)ctx)->strangers = 0;
}

static bool marked(const struct esw_link_job *job)
{
	return !job->error && job->has_self;
}

/* Deletes everything marked through a group. True if that worked; if not, nothing is deleted. */
static bool delete_group(struct esw_link_wave *wave, struct doomed *doomed)
{
	const struct esw_nl_dump dump = {
		.type = RTM_GETLINK, .fixed = &esw_link_dump_request,
		.fixed_size = sizeof(esw_link_dump_request), .each = each, .reset = reset,
		.ctx = doomed,
	};
	bool done = true;
	int err = 0;

	for (uint32_t i = 0; i < doomed->count && !err; i++)
		err = esw_link_set_group(&wave->txn, doomed->ifindexes[i], doomed->group, 0);
	if (!err)
		err = esw_nl_txn_run(&wave->txn, NULL, NULL);
	esw_nl_txn_reset(&wave->txn);
	/* Somebody else's link with this group number would go with ours: look first. */
	if (!err)
		err = esw_nl_dump(&wave->nl, &dump);
	if (err || doomed->strangers)
		return false;
	if (esw_link_remove_group(&wave->txn, doomed->group, 0) < 0 ||
	    esw_nl_txn_run(&wave->txn, NULL, NULL) < 0 || wave->txn.reqs[0].error)
		done = false;
	esw_nl_txn_reset(&wave->txn);
	return done;
}

static int delete_many(struct esw_link_wave *wave, uint32_t count, bool *done)
{
	struct doomed doomed = { .ifindexes = calloc(count, sizeof(uint32_t)) };

	if (!doomed.ifindexes)
		return -ENOMEM;
	for (uint32_t i = 0; i < wave->count; i++) {
		if (marked(&wave->jobs[i]))
			doomed.ifindexes[doomed.count++] = wave->jobs[i].self.rec.ifindex;
	}
	doomed.group = GROUP_BASE | (doomed.ifindexes[0] & 0xffffffu);
	qsort(doomed.ifindexes, doomed.count, sizeof(uint32_t), compare);
	*done = delete_group(wave, &doomed);
	free(doomed.ifindexes);
	return 0;
}

/* Refuses what does not carry the altname. Returns how many links are left to delete. */
static uint32_t check_owners(struct esw_link_wave *wave)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < wave->count; i++) {
		struct esw_link_job *job = &wave->jobs[i];

		if (!marked(job))
			continue;
		job->ifindex = job->self.rec.ifindex;
		if (strcmp(job->self.rec.altname, job->op.altname) != 0)
			esw_link_refuse(job, -EEXIST, "foreign link %s does not carry altname %s",
					job->op.name, job->op.altname);
		else
			count++;
	}
	return count;
}

int esw_link_wave_delete(struct esw_link_wave *wave)
{
	bool done = false;
	uint32_t count;
	int err = 0;

	for (uint32_t i = 0; i < wave->count && !err; i++) {
		if (!wave->jobs[i].error)
			err = esw_link_look(wave, i, false);
	}
	if (!err)
		err = esw_link_run(wave);
	if (err)
		return err;
	count = check_owners(wave);
	if (count >= GROUP_MIN)
		err = delete_many(wave, count, &done);
	/* One by one: a few, or what a refused group left. A peer that went along answers ENODEV,
	 * which is success. */
	for (uint32_t i = 0; i < wave->count && !err && !done; i++) {
		if (marked(&wave->jobs[i]))
			err = esw_link_remove(&wave->txn, wave->jobs[i].self.rec.ifindex,
					      ESW_LINK_TAG(i, false, ESW_STEP_DELETE));
	}
	return err ? err : esw_link_run(wave);
}
