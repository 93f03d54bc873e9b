/* SPDX-License-Identifier: Apache-2.0 */
#include "bpf_hook.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"
#include "bpf_log.h"

enum verb { ATTACH = 1, DETACH = 2 };

struct apply {
	struct esw_batch batch;
	struct esw_nl nl;
	struct esw_nl_txn txn;
	bool tcx;
	/* The program of the record before: a batch usually attaches one program everywhere. */
	char prog_path[ESW_PIN_LEN];
	int prog_fd;
	uint32_t prog_id;
};

static const char *check(const struct esw_hook_op *op)
{
	if (!ESW_FIELD_OK(op->name) || !ESW_FIELD_OK(op->program) || !ESW_FIELD_OK(op->dir))
		return "a string is not terminated";
	if (op->verb != ATTACH && op->verb != DETACH)
		return "unknown verb";
	if (op->mode > ESW_HOOK_CLSACT || op->egress > 1)
		return "unknown mode or direction";
	if (!op->name[0] || strchr(op->name, '/') || !op->dir[0])
		return "bad link name or pin directory";
	if (op->verb == ATTACH && (!op->program[0] || strchr(op->program, '/')))
		return "bad program name";
	return NULL;
}

static void forget_program(struct apply *apply)
{
	if (apply->prog_fd >= 0)
		close(apply->prog_fd);
	apply->prog_fd = -1;
	apply->prog_path[0] = '\0';
}

static int open_program(struct apply *apply, struct esw_hook_job *job)
{
	char path[ESW_PIN_LEN];
	int id, err = esw_pin_path(path, job->op.dir, "progs", job->op.program, "");

	if (err)
		return err;
	if (apply->prog_fd < 0 || strcmp(path, apply->prog_path) != 0) {
		forget_program(apply);
		apply->prog_fd = bpf_obj_get(path);
		if (apply->prog_fd < 0) {
			err = -errno;
			esw_text_copy(job->extack, sizeof(job->extack), "no such pinned program");
			return err;
		}
		id = esw_bpf_prog_id(apply->prog_fd);
		if (id < 0) {
			forget_program(apply);
			return id;
		}
		apply->prog_id = (uint32_t)id;
		esw_text_copy(apply->prog_path, sizeof(apply->prog_path), path);
	}
	job->prog_fd = apply->prog_fd;
	job->prog_id = apply->prog_id;
	return 0;
}

static int attach(struct apply *apply, struct esw_hook_job *job)
{
	bool tcx = job->op.mode == ESW_HOOK_TCX || (job->op.mode == ESW_HOOK_AUTO && apply->tcx);
	bool fresh;
	int err;

	if (tcx && !apply->tcx) {
		esw_text_copy(job->extack, sizeof(job->extack), "the kernel has no tcx (Linux 6.6)");
		return -EOPNOTSUPP;
	}
	err = open_program(apply, job);
	if (err)
		return err;
	/* When the mode changes, the new attachment is there before the old one goes: for a moment
	 * packets pass the program twice (the first run redirects or drops all of them). */
	if (!tcx) {
		err = esw_hook_clsact_attach(job, &apply->nl, &apply->txn);
		return err ? err : esw_hook_tcx_detach(job);
	}
	err = esw_hook_tcx_attach(job, &fresh);
	if (!err && fresh)
		err = esw_hook_clsact_detach(job, &apply->nl, &apply->txn);
	return err;
}

static int detach(struct apply *apply, struct esw_hook_job *job)
{
	int err = 0;

	if (job->op.mode != ESW_HOOK_CLSACT)
		err = esw_hook_tcx_detach(job);
	if (!err && job->op.mode != ESW_HOOK_TCX)
		err = esw_hook_clsact_detach(job, &apply->nl, &apply->txn);
	return err;
}

static void one(struct apply *apply, uint32_t index)
{
	struct esw_hook_job job = { .prog_fd = -1 };
	const char *text;
	int err;

	esw_batch_record(&apply->batch, index, &job.op);
	text = check(&job.op);
	if (text) {
		esw_batch_result(&apply->batch, index, -EINVAL, 0, text);
		return;
	}
	err = esw_nl_ifindex(&apply->nl, job.op.name);
	if (err < 0 && (err != -ENODEV || job.op.verb == ATTACH)) {
		esw_batch_result(&apply->batch, index, err, 0, "the link does not exist");
		return;
	}
	job.ifindex = err < 0 ? 0 : (uint32_t)err;
	err = job.op.verb == ATTACH ? attach(apply, &job) : detach(apply, &job);
	esw_batch_result(&apply->batch, index, err, job.ifindex, job.extack);
}

int esw_hook_apply(const void *buf, uint32_t len, void *results, uint32_t cap)
{
	struct apply apply = { .prog_fd = -1 };
	int err = esw_batch_open(&apply.batch, buf, len, sizeof(struct esw_hook_op), results, cap);

	if (err || !apply.batch.count)
		return err;
	err = esw_nl_open(&apply.nl, "", NETLINK_ROUTE);
	if (err)
		return err;
	esw_bpf_log_to(NULL);
	esw_nl_txn_init(&apply.txn, &apply.nl);
	apply.tcx = esw_tcx_known();
	for (uint32_t i = 0; i < apply.batch.count; i++)
		one(&apply, i);
	forget_program(&apply);
	esw_nl_txn_free(&apply.txn);
	esw_nl_close(&apply.nl);
	return 0;
}

int esw_prog_id(const char *dir, const char *name)
{
	char path[ESW_PIN_LEN];
	int fd, id;

	if (!dir || !name || !name[0] || strchr(name, '/'))
		return -EINVAL;
	id = esw_pin_path(path, dir, "progs", name, "");
	if (id)
		return id;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	id = esw_bpf_prog_id(fd);
	close(fd);
	return id;
}
