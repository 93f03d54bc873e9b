/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of a record. Each step sends its messages many at a time, and its outcome says which step
 * comes next.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "flower_apply.h"

#define FLUSH_COUNT 512u /* records whose messages are held at once */

static const char *const text_foreign = "a foreign rule is there";
static const char *const text_taken = "another rule of this prio has the same match";

static void done(struct esw_flower_worker *worker, uint32_t index, int err, const char *text)
{
	struct esw_flower_result *result = &worker->batch->results[index];

	result->error = err;
	esw_text_copy(result->extack, sizeof(result->extack), text);
	worker->batch->next[index] = ESW_STEP_DONE;
}

static void absent(struct esw_flower_worker *worker, uint32_t index, bool is_delete, int err,
		   const char *format, const char *name)
{
	char text[ESW_EXTACK_LEN];

	if (is_delete) {
		done(worker, index, 0, NULL);
		return;
	}
	snprintf(text, sizeof(text), format, name);
	done(worker, index, err, text);
}

static bool resolve_actions(struct esw_flower_worker *worker, uint32_t index,
			    struct esw_flower_op *op)
{
	for (uint32_t i = 0; i < op->action_count; i++) {
		struct esw_flower_act *act = &op->actions[i];
		const struct esw_flower_link *link;

		if (act->kind != ESW_ACT_REDIRECT && act->kind != ESW_ACT_MIRROR)
			continue;
		link = esw_flower_link(worker, act->link);
		if (!link || link->ifindex < 0) {
			absent(worker, index, false, link ? link->ifindex : -ENOMEM,
			       "the link %s, where it sends to, does not exist", act->link);
			return false;
		}
		act->number = (uint32_t)link->ifindex;
	}
	return true;
}

/* Copies a record out, makes it normal and resolves its links. False: it is done. */
static bool load(struct esw_flower_worker *worker, uint32_t index, struct esw_flower_op *op,
		 struct esw_flower_link **link)
{
	const char *text;

	esw_flower_record(worker->batch, index, op);
	text = esw_flower_check(op);
	if (text) {
		done(worker, index, -EINVAL, text);
		return false;
	}
	*link = esw_flower_link(worker, op->name);
	if (!*link || (*link)->ifindex < 0) {
		absent(worker, index, op->verb == ESW_FLOWER_DELETE,
		       *link ? (*link)->ifindex : -ENOMEM, "the link %s does not exist", op->name);
		return false;
	}
	worker->batch->results[index].ifindex = (uint32_t)(*link)->ifindex;
	return op->verb == ESW_FLOWER_DELETE || resolve_actions(worker, index, op);
}

/* ---- sending --------------------------------------------------------------------------------- */

static void build(struct esw_flower_worker *worker, enum esw_flower_step step,
		  const struct esw_flower_op *op, uint32_t ifindex)
{
	uint16_t echo = op->flags & ESW_FLOWER_ECHO ? NLM_F_ECHO : 0;

	switch (step) {
	case ESW_STEP_LOOK:
		esw_flower_begin(&worker->txn, RTM_GETTFILTER, 0, ifindex, op);
		break;
	case ESW_STEP_REMOVE:
		esw_flower_begin(&worker->txn, RTM_DELTFILTER, 0, ifindex, op);
		break;
	case ESW_STEP_REPLACE:
		esw_flower_begin(&worker->txn, RTM_NEWTFILTER, NLM_F_CREATE | echo, ifindex, op);
		break;
	default:
		esw_flower_begin(&worker->txn, RTM_NEWTFILTER,
				 NLM_F_CREATE | NLM_F_EXCL | echo, ifindex, op);
		break;
	}
	/* The NIC's sentence comes with the ack of a success, too. */
	if (op->flags & ESW_FLOWER_VERBOSE)
		esw_nl_txn_keep_ack(&worker->txn);
}

/* ---- the kernel's answers ------------------------------------------------------------------------ */

struct answering {
	struct esw_flower_worker *worker;
	enum esw_flower_step step;
};

static void take_echo(struct esw_flower_worker *worker, uint32_t index,
		      const struct esw_flower_op *op, const struct esw_flower_full *rule)
{
	struct esw_flower_result *result = &worker->batch->results[index];
	const char *what = esw_flower_differs(op, rule);

	result->flags = rule->rec.flags & (ESW_REC_IN_HW | ESW_REC_NOT_IN_HW);
	result->error = what ? -EILSEQ : 0;
	if (what)
		snprintf(result->extack, sizeof(result->extack),
			 "the kernel has something else: %s", what);
}

static void take_look(struct esw_flower_worker *worker, uint32_t index,
		      const struct esw_flower_op *op, const struct esw_flower_full *rule)
{
	struct esw_flower_result *result = &worker->batch->results[index];

	if (!(rule->rec.flags & ESW_REC_OURS)) {
		done(worker, index, -EEXIST, text_foreign);
	} else if (op->verb == ESW_FLOWER_DELETE) {
		worker->batch->next[index] = ESW_STEP_REMOVE;
	} else if (!esw_flower_differs(op, rule) &&
		   rule->rec.flags & (ESW_REC_IN_HW | ESW_REC_SKIP_HW)) {
		/* There already, with its counters. */
		done(worker, index, 0, NULL);
		result->flags = rule->rec.flags & (ESW_REC_IN_HW | ESW_REC_NOT_IN_HW);
	} else {
		worker->batch->next[index] = ESW_STEP_REPLACE;
	}
}

static void answer(void *ctx, const struct esw_nl_req *req, const struct nlmsghdr *nlh)
{
	const struct answering *answering = ctx;
	struct esw_flower_worker *worker = answering->worker;
	struct esw_flower_full rule;
	struct esw_flower_link *link;
	struct esw_flower_op op;

	if (!load(worker, req->tag, &op, &link) ||
	    esw_flower_parse(nlh, op.cookie, ESW_FLOWER_ALL, &rule) < 0)
		return;
	if (answering->step == ESW_STEP_LOOK)
		take_look(worker, req->tag, &op, &rule);
	else
		take_echo(worker, req->tag, &op, &rule);
}

/* ---- outcomes -------------------------------------------------------------------------------- */

static void succeeded(struct esw_flower_worker *worker, uint32_t index, const char *text)
{
	struct esw_flower_result *result = &worker->batch->results[index];

	/* The echo came first, and may have found a difference. */
	if (!result->error)
		esw_text_copy(result->extack, sizeof(result->extack), text);
	worker->batch->next[index] = ESW_STEP_DONE;
}

static void settle_create(struct esw_flower_worker *worker, const struct esw_nl_req *req,
			  enum esw_flower_step step)
{
	struct esw_flower_link *link;
	struct esw_flower_op op;

	if (req->error == -EEXIST) {
		if (step == ESW_STEP_CREATE)
			worker->batch->next[req->tag] = ESW_STEP_LOOK;
		else
			done(worker, req->tag, -EEXIST, text_taken);
		return;
	}
	if (req->error != -EINVAL || !load(worker, req->tag, &op, &link) || link->qdisc_known) {
		done(worker, req->tag, req->error, req->extack);
		return;
	}
	/* It may be that the link has no clsact; the kernel says no more than EINVAL. The record stays
	 * where it is and is sent once more. */
}

static void settle_look(struct esw_flower_worker *worker, const struct esw_nl_req *req)
{
	struct esw_flower_op op;

	if (!req->error)
		return; /* the answer has said what comes next */
	esw_flower_record(worker->batch, req->tag, &op);
	if (req->error != -ENOENT && req->error != -EINVAL)
		done(worker, req->tag, req->error, req->extack);
	else if (op.verb == ESW_FLOWER_DELETE)
		done(worker, req->tag, 0, NULL);
	else
		done(worker, req->tag, -EEXIST, text_taken);
}

static void settle_remove(struct esw_flower_worker *worker, const struct esw_nl_req *req)
{
	bool gone = req->error == 0 || req->error == -ENOENT || req->error == -ENODEV;
	struct esw_flower_op op;

	esw_flower_record(worker->batch, req->tag, &op);
	if (!gone)
		done(worker, req->tag, req->error, req->extack);
	else if (op.verb == ESW_FLOWER_DELETE)
		done(worker, req->tag, 0, NULL);
	else
		worker->batch->next[req->tag] = ESW_STEP_CREATE_AGAIN;
}

static void settle(struct esw_flower_worker *worker, const struct esw_nl_req *req,
		   enum esw_flower_step step)
{
	if (step == ESW_STEP_LOOK)
		settle_look(worker, req);
	else if (step == ESW_STEP_REMOVE)
		settle_remove(worker, req);
	else if (!req->error)
		succeeded(worker, req->tag, req->extack);
	else if (step == ESW_STEP_REPLACE && req->error == -EINVAL)
		worker->batch->next[req->tag] = ESW_STEP_REMOVE;
	else if (step == ESW_STEP_REPLACE)
		done(worker, req->tag, req->error, req->extack);
	else
		settle_create(worker, req, step);
}

/* ---- rounds ---------------------------------------------------------------------------------- */

/* Links of what is queued that may lack a qdisc get one; from then on EINVAL means what it says. */
static bool learn_qdiscs(struct esw_flower_worker *worker)
{
	bool again = false;

	for (uint32_t i = 0; i < worker->txn.count; i++) {
		uint32_t index = worker->txn.reqs[i].tag;
		struct esw_flower_link *link;
		struct esw_flower_op op;
		int err;

		if (worker->txn.reqs[i].error != -EINVAL ||
		    worker->batch->next[index] == ESW_STEP_DONE || !load(worker, index, &op, &link))
			continue;
		err = link->qdisc_known ? 0 : esw_flower_make_qdisc(worker, link);
		if (err)
			done(worker, index, err, worker->batch->results[index].extack);
		link->qdisc_known = true;
		again = true;
	}
	return again;
}

/* Runs what is queued. True if some of it has to be sent once more. */
static bool flush(struct esw_flower_worker *worker, enum esw_flower_step step)
{
	struct answering answering = { .worker = worker, .step = step };
	bool again = false;

	(void)esw_nl_txn_run(&worker->txn, answer, &answering); /* requests carry the error */
	for (uint32_t i = 0; i < worker->txn.count; i++)
		settle(worker, &worker->txn.reqs[i], step);
	if (step == ESW_STEP_CREATE || step == ESW_STEP_CREATE_AGAIN)
		again = learn_qdiscs(worker);
	esw_nl_txn_reset(&worker->txn);
	return again;
}

static bool is_mine(const struct esw_flower_worker *worker, uint32_t index)
{
	struct esw_flower_op op;

	if (worker->batch->sockets == 1)
		return true;
	esw_flower_record(worker->batch, index, &op);
	return esw_flower_share(&op, worker->batch->sockets) == worker->number;
}

/* One step for every record that is at it. True if some have to be sent once more. */
static bool round_of(struct esw_flower_worker *worker, enum esw_flower_step step)
{
	struct esw_flower_batch *batch = worker->batch;
	bool again = false;

	for (uint32_t i = batch->first; i < batch->end; i++) {
		struct esw_flower_link *link;
		struct esw_flower_op op;

		if (batch->next[i] != step || !is_mine(worker, i) || !load(worker, i, &op, &link))
			continue;
		build(worker, step, &op, (uint32_t)link->ifindex);
		if (esw_nl_txn_push(&worker->txn, i) < 0)
			done(worker, i, -ENOMEM, NULL);
		if (worker->txn.count == FLUSH_COUNT)
			again = flush(worker, step) || again;
	}
	return flush(worker, step) || again;
}

static void begin(struct esw_flower_worker *worker)
{
	struct esw_flower_batch *batch = worker->batch;

	for (uint32_t i = batch->first; i < batch->end; i++) {
		struct esw_flower_op op;

		if (!is_mine(worker, i))
			continue;
		esw_flower_record(batch, i, &op);
		batch->next[i] = op.verb == ESW_FLOWER_DELETE ? ESW_STEP_LOOK : ESW_STEP_CREATE;
		if (!batch->owned || esw_flower_check(&op))
			continue; /* the step will say what is wrong with it */
		switch (esw_flower_whose(batch, &op)) {
		case ESW_NOBODYS:
			done(worker, i, 0, NULL);
			break;
		case ESW_OURS:
			batch->next[i] = ESW_STEP_REMOVE;
			break;
		case ESW_THEIRS:
			done(worker, i, -EEXIST, text_foreign);
			break;
		default:
			break;
		}
	}
}

void esw_flower_work(struct esw_flower_worker *worker)
{
	begin(worker);
	for (uint32_t step = ESW_STEP_CREATE; step < ESW_STEP_COUNT; step++) {
		if (round_of(worker, step))
			(void)round_of(worker, step);
	}
	for (uint32_t i = worker->batch->first; i < worker->batch->end; i++) {
		if (worker->batch->next[i] != ESW_STEP_DONE && is_mine(worker, i))
			done(worker, i, -EIO, "the kernel gave no answer");
	}
}
