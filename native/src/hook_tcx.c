/* SPDX-License-Identifier: Apache-2.0
 *
 * tcx links, pinned: they stay when the daemon goes, and an update swaps the program in one step.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "batch.h"
#include "bpf_hook.h"

static int pin_path(const struct esw_hook_job *job, char path[ESW_PIN_LEN])
{
	return esw_pin_path(path, job->op.dir, "links", job->op.name,
			    job->op.egress ? "_egress" : "_ingress");
}

/* 1 if the pinned link serves this hook (and runs our program now), 0 if it is a leftover of
 * another link of that name, or -errno. */
static int reuse(struct esw_hook_job *job, int link_fd)
{
	uint32_t type = job->op.egress ? ESW_BPF_TCX_EGRESS : ESW_BPF_TCX_INGRESS;
	struct esw_link_info info;
	int err = esw_bpf_link_info(link_fd, &info);

	if (err)
		return err;
	if (info.type != ESW_BPF_LINK_TYPE_TCX)
		return -EEXIST;
	if (info.ifindex != job->ifindex || info.attach_type != type)
		return 0;
	if (info.prog_id == job->prog_id)
		return 1;
	err = esw_bpf_link_replace(link_fd, job->prog_fd);
	return err ? err : 1;
}

int esw_hook_tcx_attach(struct esw_hook_job *job, bool *fresh)
{
	char path[ESW_PIN_LEN];
	int err = pin_path(job, path);
	int fd;

	*fresh = false;
	if (err)
		return err;
	fd = bpf_obj_get(path);
	if (fd < 0 && errno != ENOENT)
		return -errno;
	if (fd >= 0) {
		err = reuse(job, fd);
		close(fd);
		if (err)
			return err == 1 ? 0 : err;
		if (unlink(path) < 0)
			return -errno;
	}
	fd = esw_tcx_attach(job->prog_fd, job->ifindex, job->op.egress != 0);
	if (fd < 0)
		return fd;
	/* Closing an unpinned link takes it off again: a failed pin leaves nothing. */
	if (bpf_obj_pin(fd, path) < 0) {
		err = -errno;
		esw_text_copy(job->extack, sizeof(job->extack), "cannot pin the link");
	}
	close(fd);
	*fresh = !err;
	return err;
}

int esw_hook_tcx_detach(struct esw_hook_job *job)
{
	char path[ESW_PIN_LEN];
	int err = pin_path(job, path);
	int fd;

	if (err)
		return err;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	/* -ENOLINK: its device is gone already. */
	(void)esw_bpf_link_detach(fd);
	close(fd);
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}
