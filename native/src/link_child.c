/* SPDX-License-Identifier: Apache-2.0
 *
 * ESW_LINK_MACVLAN and ESW_LINK_VLAN: links that stand on another. Look, create what is absent, look
 * again, converge. The link below is a job's `peer`: it is looked at and never changed.
 */
#include <errno.h>
#include <string.h>

#include "link_wave.h"

static const uint8_t no_mac[6];

static const char *kind_of(const struct esw_link_op *op)
{
	return op->verb == ESW_LINK_VLAN ? "vlan" : "macvlan";
}

/* As asked in what cannot be changed later. */
static bool fits(const struct esw_link_job *job)
{
	const struct esw_link_rec *self = &job->self.rec;

	return strcmp(self->kind, kind_of(&job->op)) == 0 && self->peer_netnsid < 0 &&
	       self->peer_ifindex == job->peer.rec.ifindex &&
	       (job->op.verb != ESW_LINK_VLAN || self->vlan_id == job->op.vlan_id);
}

/* One that we made but were killed before marking: everything that was asked for in its creation is
 * so, and nobody has put a mark of his own on it. */
static bool half_made(const struct esw_link_job *job)
{
	const struct esw_link_op *op = &job->op;

	return !job->self.has_altnames && fits(job) &&
	       (op->verb == ESW_LINK_VLAN || (memcmp(op->mac, no_mac, 6) != 0 &&
					      memcmp(op->mac, job->self.rec.mac, 6) == 0));
}

static void classify(struct esw_link_job *job)
{
	const struct esw_link_op *op = &job->op;
	const struct esw_link_rec *self = &job->self.rec;
	bool marked = op->altname[0] && strcmp(self->altname, op->altname) == 0;

	if (!job->has_peer)
		esw_link_refuse(job, -ENODEV, "link %s, which %s would stand on, does not exist",
				op->peer_name, op->name);
	else if (!job->has_self)
		return;
	else if (strcmp(self->name, op->name) != 0)
		esw_link_refuse(job, -EEXIST, "%s is an alternative name of foreign link %s",
				op->name, self->name);
	else if (!marked && !half_made(job))
		esw_link_refuse(job, -EEXIST, "foreign link %s exists (no altname %s)", op->name,
				op->altname);
	else if (!fits(job))
		esw_link_refuse(job, -EEXIST, "link %s exists and is no %s as asked", op->name,
				kind_of(op));
}

static int look(struct esw_link_wave *wave)
{
	int err = 0;

	for (uint32_t i = 0; i < wave->count && !err; i++) {
		if (wave->jobs[i].error)
			continue;
		err = esw_link_look(wave, i, false);
		if (!err)
			err = esw_link_look(wave, i, true);
	}
	return err ? err : esw_link_run(wave);
}

static int create_absent(struct esw_link_wave *wave)
{
	int err = 0;

	for (uint32_t i = 0; i < wave->count && !err; i++) {
		struct esw_link_job *job = &wave->jobs[i];

		if (job->error || job->has_self)
			continue;
		job->created = true;
		err = esw_link_create_child(&wave->txn, &job->op, job->peer.rec.ifindex,
					    ESW_LINK_TAG(i, false, ESW_STEP_CREATE));
		if (!err)
			err = esw_link_look(wave, i, false);
	}
	if (!err)
		err = esw_link_run(wave);
	for (uint32_t i = 0; i < wave->count; i++) {
		struct esw_link_job *job = &wave->jobs[i];

		/* A create that lost a race against somebody else: what was found is not ours. */
		if (job->created && job->error)
			job->created = false;
		else if (job->created && !job->has_self)
			esw_link_refuse(job, -ENODEV, "link %s vanished after its creation",
					job->op.name);
	}
	return err;
}

static int converge(struct esw_link_wave *wave)
{
	int err = 0;

	for (uint32_t i = 0; i < wave->count && !err; i++) {
		const struct esw_link_job *job = &wave->jobs[i];
		const struct esw_link_op *op = &job->op;
		const struct esw_link_want want = {
			.mtu = op->mtu, .mac = op->mac, .altname = op->altname,
			.noaddrgen = op->noaddrgen, .up = op->up ? 1 : -1,
		};

		if (!job->error)
			err = esw_link_converge(&wave->txn, &job->self, &want, i, false);
	}
	return err ? err : esw_link_run(wave);
}

int esw_link_wave_child(struct esw_link_wave *wave)
{
	int err = look(wave);

	for (uint32_t i = 0; i < wave->count && !err; i++) {
		if (!wave->jobs[i].error)
			classify(&wave->jobs[i]);
	}
	if (!err)
		err = create_absent(wave);
	if (!err)
		err = converge(wave);
	if (!err)
		err = esw_link_undo_failed(wave);
	for (uint32_t i = 0; i < wave->count; i++) {
		if (!wave->jobs[i].error)
			wave->jobs[i].ifindex = wave->jobs[i].self.rec.ifindex;
	}
	return err;
}
