/* SPDX-License-Identifier: Apache-2.0
 *
 * ESW_LINK_SET: change fields, rename, move to another namespace.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "link_wave.h"
#include "netns.h"

static bool moves(const struct esw_link_job *job)
{
	return (job->op.set & ESW_SET_NETNS) != 0;
}

static const char *final_name(const struct esw_link_op *op)
{
	return (op->set & ESW_SET_NAME) ? op->new_name : op->name;
}

static int look_all(struct esw_link_wave *wave)
{
	int err = 0;

	for (uint32_t i = 0; i < wave->count && !err; i++) {
		if (!wave->jobs[i].error)
			err = esw_link_look(wave, i, false);
	}
	return err ? err : esw_link_run(wave);
}

/* A link that is absent under its old name may have been renamed or moved by an earlier run: the
 * altname tells. Renames are looked up here, moves in the namespace they go to. */
static int look_done_already(struct esw_link_wave *wave)
{
	int err = 0;

	for (uint32_t i = 0; i < wave->count && !err; i++) {
		struct esw_link_job *job = &wave->jobs[i];

		if (job->error || job->has_self)
			continue;
		if (job->op.altname[0] && moves(job))
			job->moved = true;
		else if (job->op.altname[0] && (job->op.set & ESW_SET_NAME))
			err = esw_link_get(&wave->txn, job->op.new_name, 0,
					   ESW_LINK_TAG(i, false, ESW_STEP_GET));
	}
	if (!err)
		err = esw_link_run(wave);
	for (uint32_t i = 0; i < wave->count; i++) {
		struct esw_link_job *job = &wave->jobs[i];
		bool renamed = job->has_self && strcmp(job->self.rec.name, job->op.name) != 0;

		if (!job->has_self && !job->moved)
			esw_link_refuse(job, -ENODEV, "link %s does not exist", job->op.name);
		else if (renamed && !job->self.rec.altname[0])
			esw_link_refuse(job, -ENODEV, "link %s does not exist (link %s is another)",
					job->op.name, job->self.rec.name);
	}
	return err;
}

static struct esw_link_want wanted(const struct esw_link_job *job)
{
	const struct esw_link_op *op = &job->op;
	struct esw_link_want want = { .up = -1 };

	if (op->set & ESW_SET_MTU)
		want.mtu = op->mtu;
	if (op->set & ESW_SET_MAC)
		want.mac = op->mac;
	if (op->set & ESW_SET_ALTNAME)
		want.altname = op->altname;
	if (moves(job))
		return want; /* the rest is done where the link ends up */
	if (op->set & ESW_SET_NAME)
		want.name = op->new_name;
	want.noaddrgen = (op->set & ESW_SET_NOADDRGEN) != 0;
	if (op->set & ESW_SET_UP)
		want.up = op->up != 0;
	return want;
}

/* Kernels before 6.3 refuse to rename a link that is up. */
static int rename_down(struct esw_link_wave *wave, uint32_t index)
{
	const struct esw_link_job *job = &wave->jobs[index];
	uint32_t ifindex = job->self.rec.ifindex;
	bool up = (job->op.set & ESW_SET_UP) ? job->op.up != 0 : (job->self.rec.flags & IFF_UP) != 0;
	uint32_t flags = ESW_LINK_TAG(index, false, ESW_STEP_FLAGS);
	int err = esw_link_flags(&wave->txn, ifindex, false, flags);

	if (!err)
		err = esw_link_rename(&wave->txn, ifindex, job->op.new_name,
				      ESW_LINK_TAG(index, false, ESW_STEP_RENAME));
	if (!err && up)
		err = esw_link_flags(&wave->txn, ifindex, true, flags);
	return err;
}

static int converge_all(struct esw_link_wave *wave)
{
	bool busy[ESW_WAVE_MAX] = { false };
	int err = 0;

	for (uint32_t i = 0; i < wave->count && !err; i++) {
		const struct esw_link_job *job = &wave->jobs[i];
		struct esw_link_want want = wanted(job);

		if (!job->error && !job->moved)
			err = esw_link_converge(&wave->txn, &job->self, &want, i, false);
	}
	if (err)
		return err;
	err = esw_nl_txn_run(&wave->txn, esw_link_got, wave);
	for (uint32_t i = 0; i < wave->txn.count; i++) {
		const struct esw_nl_req *req = &wave->txn.reqs[i];

		if (ESW_TAG_STEP(req->tag) == ESW_STEP_RENAME && req->error == -EBUSY)
			busy[ESW_TAG_JOB(req->tag)] = true;
		else
			esw_link_fail(&wave->jobs[ESW_TAG_JOB(req->tag)], req->error, req->extack);
	}
	esw_nl_txn_reset(&wave->txn);
	for (uint32_t i = 0; i < wave->count && !err; i++) {
		if (busy[i] && !wave->jobs[i].error)
			err = rename_down(wave, i);
	}
	return err ? err : esw_link_run(wave);
}

static int move_out(struct esw_link_wave *wave, int netns_fd)
{
	int err = 0;

	for (uint32_t i = 0; i < wave->count && !err; i++) {
		const struct esw_link_job *job = &wave->jobs[i];
		const char *name = (job->op.set & ESW_SET_NAME) ? job->op.new_name : "";

		if (!job->error && moves(job) && !job->moved)
			err = esw_link_move(&wave->txn, job->self.rec.ifindex, netns_fd, name,
					    ESW_LINK_TAG(i, false, ESW_STEP_MOVE));
	}
	return err ? err : esw_link_run(wave);
}

/* What the move resets (addresses, flags, addr_gen_mode) is set in the new namespace. */
static int settle(struct esw_link_wave *wave)
{
	int err = 0;

	for (uint32_t i = 0; i < wave->count && !err; i++) {
		struct esw_link_job *job = &wave->jobs[i];

		if (job->error || !moves(job))
			continue;
		job->has_self = false;
		err = esw_link_get(&wave->txn, final_name(&job->op), 0,
				   ESW_LINK_TAG(i, false, ESW_STEP_GET));
	}
	if (!err)
		err = esw_link_run(wave);
	for (uint32_t i = 0; i < wave->count && !err; i++) {
		struct esw_link_job *job = &wave->jobs[i];
		const struct esw_link_want want = {
			.noaddrgen = (job->op.set & ESW_SET_NOADDRGEN) != 0,
			.up = (job->op.set & ESW_SET_UP) ? job->op.up != 0 : -1,
		};

		if (job->error || !moves(job))
			continue;
		if (!job->has_self || (job->moved && !job->self.rec.altname[0]))
			esw_link_refuse(job, -ENODEV, "link %s does not exist", job->op.name);
		else
			err = esw_link_converge(&wave->txn, &job->self, &want, i, false);
	}
	return err ? err : esw_link_run(wave);
}

static int move_all(struct esw_link_wave *wave, const char *to_netns)
{
	struct esw_link_wave there = { .jobs = wave->jobs, .count = wave->count };
	int fd = esw_netns_fd(to_netns);
	int err;

	if (fd < 0)
		return fd;
	err = move_out(wave, fd);
	close(fd);
	if (!err)
		err = esw_nl_open(&there.nl, to_netns, NETLINK_ROUTE);
	if (err)
		return err;
	esw_nl_txn_init(&there.txn, &there.nl);
	err = settle(&there);
	esw_nl_txn_free(&there.txn);
	esw_nl_close(&there.nl);
	return err;
}

int esw_link_wave_set(struct esw_link_wave *wave)
{
	const char *to_netns = NULL;
	int err = look_all(wave);

	if (!err)
		err = look_done_already(wave);
	if (!err)
		err = converge_all(wave);
	for (uint32_t i = 0; i < wave->count; i++) {
		if (!wave->jobs[i].error && moves(&wave->jobs[i]))
			to_netns = wave->jobs[i].op.to_netns; /* one per wave */
	}
	if (!err && to_netns)
		err = move_all(wave, to_netns);
	for (uint32_t i = 0; i < wave->count; i++) {
		if (!wave->jobs[i].error)
			wave->jobs[i].ifindex = wave->jobs[i].self.rec.ifindex;
	}
	return err;
}
