/* SPDX-License-Identifier: Apache-2.0
 *
 * ESW_LINK_VETH: look, create what is absent, look again, converge both ends.
 */
#include <errno.h>
#include <string.h>

#include "link_wave.h"

static const uint8_t no_mac[6];

/* A pair that we made but were killed before marking: both names, both MACs and the kind are as
 * asked, the ends belong together, and nobody has put a mark of his own on either. */
static bool half_made(const struct esw_link_job *job)
{
	const struct esw_link_op *op = &job->op;

	return job->has_peer && !job->self.has_altnames && !job->peer.has_altnames &&
	       strcmp(job->self.rec.kind, "veth") == 0 &&
	       job->self.rec.peer_ifindex == job->peer.rec.ifindex &&
	       memcmp(op->mac, no_mac, 6) != 0 && memcmp(op->peer_mac, no_mac, 6) != 0 &&
	       memcmp(op->mac, job->self.rec.mac, 6) == 0 &&
	       memcmp(op->peer_mac, job->peer.rec.mac, 6) == 0;
}

/* Decides what an existing link of either name means. */
static void classify(struct esw_link_job *job)
{
	const struct esw_link_op *op = &job->op;
	const struct esw_link_rec *self = &job->self.rec;
	bool marked = op->altname[0] && strcmp(self->altname, op->altname) == 0;

	if (!job->has_self) {
		if (job->has_peer)
			esw_link_refuse(job, -EEXIST, "link %s exists without %s: not ours",
					op->peer_name, op->name);
		return;
	}
	if (strcmp(self->name, op->name) != 0)
		esw_link_refuse(job, -EEXIST, "%s is an alternative name of foreign link %s",
				op->name, self->name);
	else if (!marked && !half_made(job))
		esw_link_refuse(job, -EEXIST, "foreign link %s exists (no altname %s)", op->name,
				op->altname);
	else if (strcmp(self->kind, "veth") != 0)
		esw_link_refuse(job, -EEXIST, "link %s exists and is no veth", op->name);
	else if (self->peer_netnsid >= 0)
		job->has_peer = false; /* in a sandbox, where nothing of it is ours to change */
	else if (job->has_peer && self->peer_ifindex != job->peer.rec.ifindex)
		esw_link_refuse(job, -EEXIST, "foreign link %s is not the peer of %s",
				op->peer_name, op->name);
}

static int look_both(struct esw_link_wave *wave)
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

/* The peer of a pair of ours may be here under another name (a sandbox gave it back). */
static int look_renamed_peers(struct esw_link_wave *wave)
{
	int err = 0;

	for (uint32_t i = 0; i < wave->count && !err; i++) {
		const struct esw_link_job *job = &wave->jobs[i];
		const struct esw_link_rec *self = &job->self.rec;

		if (!job->error && job->has_self && !job->has_peer && self->peer_netnsid < 0 &&
		    self->peer_ifindex)
			err = esw_link_get(&wave->txn, "", self->peer_ifindex,
					   ESW_LINK_TAG(i, true, ESW_STEP_GET));
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
		err = esw_link_create_veth(&wave->txn, &job->op,
					   ESW_LINK_TAG(i, false, ESW_STEP_CREATE));
		if (!err)
			err = esw_link_look(wave, i, false);
		if (!err)
			err = esw_link_look(wave, i, true);
	}
	if (!err)
		err = esw_link_run(wave);
	for (uint32_t i = 0; i < wave->count; i++) {
		struct esw_link_job *job = &wave->jobs[i];

		/* A create that lost a race against somebody else: what was found is not ours. */
		if (job->created && job->error)
			job->created = false;
		else if (job->created && (!job->has_self || !job->has_peer))
			esw_link_refuse(job, -ENODEV, "link %s vanished after its creation",
					job->op.name);
	}
	return err;
}

static int converge_both(struct esw_link_wave *wave)
{
	int err = 0;

	for (uint32_t i = 0; i < wave->count && !err; i++) {
		const struct esw_link_job *job = &wave->jobs[i];
		const struct esw_link_op *op = &job->op;
		const struct esw_link_want self = {
			.mtu = op->mtu, .mac = op->mac, .altname = op->altname,
			.noaddrgen = op->noaddrgen, .up = op->up ? 1 : -1,
		};
		const struct esw_link_want peer = {
			.mtu = op->mtu, .mac = op->peer_mac, .name = op->peer_name,
			.altname = op->peer_altname, .up = op->peer_up ? 1 : -1,
		};

		if (job->error)
			continue;
		err = esw_link_converge(&wave->txn, &job->self, &self, i, false);
		if (!err && job->has_peer)
			err = esw_link_converge(&wave->txn, &job->peer, &peer, i, true);
	}
	return err ? err : esw_link_run(wave);
}

int esw_link_wave_veth(struct esw_link_wave *wave)
{
	int err = look_both(wave);

	for (uint32_t i = 0; i < wave->count && !err; i++) {
		if (!wave->jobs[i].error)
			classify(&wave->jobs[i]);
	}
	if (!err)
		err = look_renamed_peers(wave);
	if (!err)
		err = create_absent(wave);
	if (!err)
		err = converge_both(wave);
	if (!err)
		err = esw_link_undo_failed(wave);
	for (uint32_t i = 0; i < wave->count; i++) {
		if (!wave->jobs[i].error)
			wave->jobs[i].ifindex = wave->jobs[i].self.rec.ifindex;
	}
	return err;
}
