/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESW_BPF_HOOK_H
#define ESW_BPF_HOOK_H

#include "bpf_sys.h"
#include "netlink.h"

enum esw_hook_mode { ESW_HOOK_AUTO = 0, ESW_HOOK_TCX = 1, ESW_HOOK_CLSACT = 2 };

/* One attach or detach. */
struct esw_hook_job {
	struct esw_hook_op op;
	uint32_t ifindex;
	int prog_fd;
	uint32_t prog_id;
	char extack[ESW_EXTACK_LEN];
};

/* tcx (hook_tcx.c). 0 or -errno. `fresh` says whether a new link was made. */
int esw_hook_tcx_attach(struct esw_hook_job *job, bool *fresh);
int esw_hook_tcx_detach(struct esw_hook_job *job);

/* clsact (hook_clsact.c). Detaching works without the link, too (ifindex 0). */
int esw_hook_clsact_attach(struct esw_hook_job *job, struct esw_nl *nl, struct esw_nl_txn *txn);
int esw_hook_clsact_detach(struct esw_hook_job *job, struct esw_nl *nl, struct esw_nl_txn *txn);

#endif
