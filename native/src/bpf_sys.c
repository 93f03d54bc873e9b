/* SPDX-License-Identifier: Apache-2.0 */
#include "bpf_sys.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The part of union bpf_attr that BPF_PROG_QUERY uses, as of Linux 6.6. */
struct prog_query {
	uint32_t target_ifindex;
	uint32_t attach_type;
	uint32_t query_flags;
	uint32_t attach_flags;
	uint64_t prog_ids;
	uint32_t count;
	uint32_t pad;
	uint64_t prog_attach_flags;
	uint64_t link_ids;
	uint64_t link_attach_flags;
	uint64_t revision;
};

static int sys_bpf(int cmd, void *attr, unsigned int size)
{
	long ret = syscall(__NR_bpf, cmd, attr, size);

	return ret < 0 ? -errno : (int)ret;
}

static uint32_t tcx_type(bool egress)
{
	return egress ? ESW_BPF_TCX_EGRESS : ESW_BPF_TCX_INGRESS;
}

int esw_tcx_attach(int prog_fd, uint32_t ifindex, bool egress)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)prog_fd;
	attr.link_create.target_ifindex = ifindex;
	attr.link_create.attach_type = tcx_type(egress);
	return sys_bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
}

int esw_tcx_query(uint32_t ifindex, bool egress, struct esw_tcx_state *state)
{
	struct prog_query query = {
		.target_ifindex = ifindex,
		.attach_type = tcx_type(egress),
		.prog_ids = (uint64_t)(uintptr_t)state->prog_ids,
		.link_ids = (uint64_t)(uintptr_t)state->link_ids,
		.count = ESW_TCX_MAX,
	};
	int err;

	memset(state, 0, sizeof(*state));
	err = sys_bpf(BPF_PROG_QUERY, &query, sizeof(query));
	if (err == -ENOENT)
		return 0; /* nothing attached (Linux 6.6) */
	if (err)
		return err;
	state->count = query.count < ESW_TCX_MAX ? query.count : ESW_TCX_MAX;
	return 0;
}

bool esw_tcx_known(void)
{
	struct prog_query query = { .target_ifindex = INT_MAX, .attach_type = ESW_BPF_TCX_INGRESS };

	return sys_bpf(BPF_PROG_QUERY, &query, sizeof(query)) == -ENODEV;
}

int esw_bpf_link_info(int fd, struct esw_link_info *info)
{
	uint32_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &len) < 0 ? -errno : 0;
}

int esw_bpf_link_replace(int link_fd, int prog_fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_update.link_fd = (uint32_t)link_fd;
	attr.link_update.new_prog_fd = (uint32_t)prog_fd;
	return sys_bpf(BPF_LINK_UPDATE, &attr, sizeof(attr));
}

int esw_bpf_link_detach(int link_fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_detach.link_fd = (uint32_t)link_fd;
	return sys_bpf(BPF_LINK_DETACH, &attr, sizeof(attr));
}

int esw_bpf_prog_id(int fd)
{
	struct bpf_prog_info info;
	uint32_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	return (int)info.id;
}

int esw_pin_path(char path[ESW_PIN_LEN], const char *dir, const char *sub, const char *name,
		 const char *suffix)
{
	int len = snprintf(path, ESW_PIN_LEN, "%s/%s/%s%s", dir, sub, name, suffix);

	return len < 0 || len >= (int)ESW_PIN_LEN ? -ENAMETOOLONG : 0;
}

int esw_pin_replace(int fd, const char *path)
{
	char fresh[ESW_PIN_LEN + 8];
	int err = 0;

	if (snprintf(fresh, sizeof(fresh), "%s_new", path) >= (int)sizeof(fresh))
		return -ENAMETOOLONG;
	(void)unlink(fresh); /* of a run that was killed here */
	if (bpf_obj_pin(fd, fresh) < 0)
		return -errno;
	if (rename(fresh, path) < 0) {
		err = -errno;
		(void)unlink(fresh);
	}
	return err;
}

int esw_mkdir_p(const char *path)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (!len || len >= sizeof(part))
		return len ? -ENAMETOOLONG : -EINVAL;
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}
