/* SPDX-License-Identifier: Apache-2.0
 *
 * The hook of kernels without tcx. A qdisc cannot carry a mark, so that we made it is recorded as
 * an empty directory beside the pinned links: it lives and dies with the bpffs, as they do.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batch.h"
#include "bpf_hook.h"
#include "tc.h"

static int marker_path(const struct esw_hook_job *job, char path[ESW_PIN_LEN])
{
	return esw_pin_path(path, job->op.dir, "links", job->op.name, "_qdisc");
}

static int look_both(const struct esw_hook_job *job, struct esw_nl *nl, struct esw_tc_state *here,
		     struct esw_tc_state *other)
{
	bool egress = job->op.egress != 0;
	int err = esw_tc_look(nl, job->ifindex, egress, job->op.dir, here);

	return err ? err : esw_tc_look(nl, job->ifindex, !egress, job->op.dir, other);
}

static int ensure_qdisc(struct esw_hook_job *job, struct esw_nl_txn *txn, bool seen_ours)
{
	char marker[ESW_PIN_LEN];
	int made, err = marker_path(job, marker);

	if (err)
		return err;
	made = esw_tc_make_qdisc(txn, job->ifindex, job->extack);
	if (made < 0)
		return made;
	if (made) {
		if (mkdir(marker, 0700) < 0 && errno != EEXIST)
			return -errno;
	} else if (!seen_ours) {
		/* Somebody else's qdisc: a marker would be of an earlier link of this name. */
		(void)rmdir(marker);
	}
	return 0;
}

int esw_hook_clsact_attach(struct esw_hook_job *job, struct esw_nl *nl, struct esw_nl_txn *txn)
{
	struct esw_tc_state here, other;
	char name[ESW_PIN_LEN];
	int err = look_both(job, nl, &here, &other);

	if (!err && here.taken && !here.ours) {
		esw_text_copy(job->extack, sizeof(job->extack),
			      "a foreign filter sits at our priority and handle");
		return -EEXIST;
	}
	if (err || (here.ours && here.prog_id == job->prog_id))
		return err;
	err = ensure_qdisc(job, txn, here.ours || other.ours);
	if (!err)
		err = esw_pin_path(name, job->op.dir, "progs", job->op.program, "");
	if (!err)
		err = esw_tc_put_filter(txn, job->ifindex, job->op.egress != 0, job->prog_fd, name,
					job->extack);
	return err;
}

int esw_hook_clsact_detach(struct esw_hook_job *job, struct esw_nl *nl, struct esw_nl_txn *txn)
{
	struct esw_tc_state here, other;
	char marker[ESW_PIN_LEN];
	int err = marker_path(job, marker);

	if (err)
		return err;
	if (!job->ifindex) {
		(void)rmdir(marker);
		return 0;
	}
	err = look_both(job, nl, &here, &other);
	if (!err && here.ours) {
		err = esw_tc_remove_filter(txn, job->ifindex, job->op.egress != 0, job->extack);
		here.filters--;
		here.ours = false;
	}
	if (err == -ENOENT || err == -ENODEV)
		err = 0;
	if (err || other.ours)
		return err;
	/* rmdir succeeds only where the marker is, that is where the qdisc is ours. */
	if (rmdir(marker) == 0 && !here.filters && !other.filters)
		err = esw_tc_remove_qdisc(txn, job->ifindex, job->extack);
	return err == -ENOENT || err == -EINVAL || err == -ENODEV ? 0 : err;
}
