/* SPDX-License-Identifier: Apache-2.0
 *
 * bpf(2) commands that libbpf 1.1 and its headers do not know (tcx arrived in Linux 6.6), and
 * small helpers around object fds and pins.
 */
#ifndef ESW_BPF_SYS_H
#define ESW_BPF_SYS_H

#include <stdbool.h>
#include <stdint.h>

#include "api.h"

#define ESW_BPF_TCX_INGRESS 46u /* enum bpf_attach_type, include/uapi/linux/bpf.h of Linux 6.6 */
#define ESW_BPF_TCX_EGRESS 47u
#define ESW_BPF_LINK_TYPE_TCX 11u
#define ESW_ENOTSUPP 524 /* the kernel's own, leaks out of bpf(2) */

#define ESW_PIN_LEN (ESW_PATH_LEN + 4 * ESW_NAME_LEN + 32)

/* struct bpf_link_info of a tcx link. */
struct esw_link_info {
	uint32_t type;
	uint32_t id;
	uint32_t prog_id;
	uint32_t pad;
	uint32_t ifindex;
	uint32_t attach_type;
	uint32_t rest[32]; /* other link types are longer */
};

#define ESW_TCX_MAX 64u /* BPF_MPROG_MAX: programs on one hook */
struct esw_tcx_state {
	uint32_t count;
	uint32_t prog_ids[ESW_TCX_MAX];
	uint32_t link_ids[ESW_TCX_MAX];
};

/* fd of a tcx link or -errno. */
int esw_tcx_attach(int prog_fd, uint32_t ifindex, bool egress);
/* The hook's programs, in the order they run. 0 or -errno; -EINVAL: the kernel has no tcx. */
int esw_tcx_query(uint32_t ifindex, bool egress, struct esw_tcx_state *state);
/* True if the kernel has tcx. Asks about a link that cannot exist, so nothing is touched. */
bool esw_tcx_known(void);
int esw_bpf_link_info(int fd, struct esw_link_info *info);
/* 0 or -errno */
int esw_bpf_link_replace(int link_fd, int prog_fd);

/* Takes the link off its hook at once; dropping the last reference would do so only later. */
int esw_bpf_link_detach(int link_fd);

/* Id of the program behind fd, or -errno. */
int esw_bpf_prog_id(int fd);

/* Pins `fd` at `path` in one step whatever is there: pinned beside it, then renamed over it, so
 * that a reader finds the old object or the new one. 0 or -errno. */
int esw_pin_replace(int fd, const char *path);

/* Formats DIR/sub/NAME+suffix into `path`. 0, or -ENAMETOOLONG. */
int esw_pin_path(char path[ESW_PIN_LEN], const char *dir, const char *sub, const char *name,
		 const char *suffix);

/* mkdir -p with mode 0700. 0 or -errno. */
int esw_mkdir_p(const char *path);

#endif
