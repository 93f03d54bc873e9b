/* SPDX-License-Identifier: Apache-2.0
 *
 * esw_link_apply: cuts a batch into waves and hands each to the handler of its verb.
 */
#include "link_apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"

#define SET_ALL (ESW_SET_MTU | ESW_SET_MAC | ESW_SET_UP | ESW_SET_NAME | ESW_SET_NETNS | \
		 ESW_SET_ALTNAME | ESW_SET_NOADDRGEN)
#define VLAN_ID_MAX 4094u
#define NAME_SLOTS 8192u /* open addressing, at most 2 * ESW_WAVE_MAX names in it */

struct builder {
	struct esw_batch batch;
	struct esw_link_job jobs[ESW_WAVE_MAX];
	uint32_t count;
	const char *names[NAME_SLOTS];
};

void esw_link_fail(struct esw_link_job *job, int error, const char *text)
{
	if (job->error || !error)
		return;
	job->error = error;
	esw_text_copy(job->extack, sizeof(job->extack), text);
}

static const char *check_text(const struct esw_link_op *op)
{
	if (!ESW_FIELD_OK(op->netns) || !ESW_FIELD_OK(op->name) || !ESW_FIELD_OK(op->new_name) ||
	    !ESW_FIELD_OK(op->to_netns) || !ESW_FIELD_OK(op->altname) ||
	    !ESW_FIELD_OK(op->peer_name) || !ESW_FIELD_OK(op->peer_altname))
		return "a string is not terminated";
	if (!op->name[0])
		return "the link has no name";
	switch (op->verb) {
	case ESW_LINK_VETH:
		if (!op->peer_name[0] || strcmp(op->name, op->peer_name) == 0)
			return "a veth pair needs two different names";
		return NULL;
	case ESW_LINK_MACVLAN:
	case ESW_LINK_VLAN:
		if (!op->peer_name[0] || strcmp(op->name, op->peer_name) == 0)
			return "no link below is named";
		if (op->verb == ESW_LINK_VLAN && (op->vlan_id < 1 || op->vlan_id > VLAN_ID_MAX))
			return "a VLAN is 1 to 4094";
		return NULL;
	case ESW_LINK_UNMARK:
		return op->altname[0] ? NULL : "altname is empty";
	case ESW_LINK_DELETE:
		return op->altname[0] ? NULL : "a delete needs the altname that proves ownership";
	case ESW_LINK_SET:
		if (op->set & ~(uint32_t)SET_ALL)
			return "unknown bits in set";
		if ((op->set & ESW_SET_NAME) && !op->new_name[0])
			return "a rename needs new_name";
		if ((op->set & ESW_SET_ALTNAME) && !op->altname[0])
			return "altname is empty";
		return NULL;
	default:
		return "unknown verb";
	}
}

int esw_link_check(struct esw_link_job *job)
{
	const char *text = check_text(&job->op);

	if (text)
		esw_link_fail(job, -EINVAL, text);
	return job->error;
}

static uint32_t hash(const char *name)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h;
}

/* False if the name is in the set already. */
static bool claim(struct builder *builder, const char *name, bool commit)
{
	uint32_t slot = hash(name) % NAME_SLOTS;

	for (; builder->names[slot]; slot = (slot + 1) % NAME_SLOTS) {
		if (strcmp(builder->names[slot], name) == 0)
			return false;
	}
	if (commit)
		builder->names[slot] = name;
	return true;
}

/* The other name that a record touches, "" if none: a link below is only looked at. */
static const char *second_name(const struct esw_link_op *op)
{
	if (op->verb == ESW_LINK_VETH)
		return op->peer_name;
	return op->verb == ESW_LINK_SET ? op->new_name : "";
}

static bool fits(struct builder *builder, const struct esw_link_job *job,
		 const struct esw_link_job *lead)
{
	if (lead && (job->op.verb != lead->op.verb || strcmp(job->op.netns, lead->op.netns) != 0 ||
		     strcmp(job->op.to_netns, lead->op.to_netns) != 0))
		return false;
	return claim(builder, job->op.name, false) &&
	       (!second_name(&job->op)[0] || claim(builder, second_name(&job->op), false));
}

/* Fills the builder with the records from `start` that form one wave. */
static void gather(struct builder *builder, uint32_t start)
{
	const struct esw_link_job *lead = NULL;

	builder->count = 0;
	memset(builder->names, 0, sizeof(builder->names));
	while (builder->count < ESW_WAVE_MAX && start + builder->count < builder->batch.count) {
		struct esw_link_job *job = &builder->jobs[builder->count];

		memset(job, 0, sizeof(*job));
		esw_batch_record(&builder->batch, start + builder->count, &job->op);
		if (esw_link_check(job) == 0) {
			if (!fits(builder, job, lead))
				return;
			claim(builder, job->op.name, true);
			if (second_name(&job->op)[0])
				claim(builder, second_name(&job->op), true);
			lead = lead ? lead : job;
		}
		builder->count++;
	}
}

static const struct esw_link_job *leader(const struct builder *builder)
{
	for (uint32_t i = 0; i < builder->count; i++) {
		if (!builder->jobs[i].error)
			return &builder->jobs[i];
	}
	return NULL;
}

static int dispatch(struct esw_link_wave *wave, uint32_t verb)
{
	switch (verb) {
	case ESW_LINK_VETH:
		return esw_link_wave_veth(wave);
	case ESW_LINK_MACVLAN:
	case ESW_LINK_VLAN:
		return esw_link_wave_child(wave);
	case ESW_LINK_DELETE:
		return esw_link_wave_delete(wave);
	case ESW_LINK_UNMARK:
		return esw_link_wave_unmark(wave);
	default:
		return esw_link_wave_set(wave);
	}
}

static void run_wave(struct builder *builder)
{
	struct esw_link_wave wave = { .jobs = builder->jobs, .count = builder->count };
	const struct esw_link_job *lead = leader(builder);
	const char *text = "cannot enter the network namespace";
	int err;

	if (!lead)
		return;
	err = esw_nl_open(&wave.nl, lead->op.netns, NETLINK_ROUTE);
	if (err == -ENOENT && lead->op.verb != ESW_LINK_SET && lead->op.verb != ESW_LINK_VETH)
		return; /* the namespace is gone, and all its links with it */
	if (!err) {
		esw_nl_txn_init(&wave.txn, &wave.nl);
		err = dispatch(&wave, lead->op.verb);
		esw_nl_txn_free(&wave.txn);
		esw_nl_close(&wave.nl);
		text = NULL;
	}
	for (uint32_t i = 0; err && i < builder->count; i++)
		esw_link_fail(&builder->jobs[i], err, text);
}

int esw_link_apply(const void *buf, uint32_t len, void *results, uint32_t cap)
{
	struct esw_batch batch;
	struct builder *builder;
	int err = esw_batch_open(&batch, buf, len, sizeof(struct esw_link_op), results, cap);

	if (err || !batch.count)
		return err;
	builder = malloc(sizeof(*builder));
	if (!builder)
		return -ENOMEM;
	builder->batch = batch;
	for (uint32_t start = 0; start < batch.count; start += builder->count) {
		gather(builder, start);
		run_wave(builder);
		for (uint32_t i = 0; i < builder->count; i++) {
			const struct esw_link_job *job = &builder->jobs[i];

			esw_batch_result(&batch, start + i, job->error, job->ifindex, job->extack);
		}
	}
	free(builder);
	return 0;
}
