/* SPDX-License-Identifier: Apache-2.0
 *
 * The clsact qdisc and its bpf filters, over rtnetlink.
 */
#ifndef ESW_TC_H
#define ESW_TC_H

#include <stdbool.h>

#include "netlink.h"

#define ESW_TC_NAME_LEN 256 /* CLS_BPF_NAME_LEN */

/* One filter as RTM_NEWTFILTER shows it. */
struct esw_tc_filter {
	uint32_t ifindex;
	uint32_t parent;
	uint32_t handle;
	uint32_t prio;
	uint32_t prog_id; /* bpf only */
	bool is_bpf;
	char name[ESW_TC_NAME_LEN]; /* TCA_BPF_NAME, bpf only */
};
/* 0 or -EBADMSG. */
int esw_tc_parse_filter(const struct nlmsghdr *nlh, struct esw_tc_filter *filter);

struct esw_tc_qdisc {
	uint32_t ifindex;
	bool is_clsact;
};
int esw_tc_parse_qdisc(const struct nlmsghdr *nlh, struct esw_tc_qdisc *qdisc);

/* What is on one direction of one link. `dir` is the pin directory that ours are named after. */
struct esw_tc_state {
	uint32_t filters;
	uint32_t before;      /* priorities in use that are tried before ESW_TC_PRIO */
	bool taken;           /* something sits at our priority and handle */
	bool ours;            /* and it is ours */
	uint32_t prog_id;     /* of ours */
};
int esw_tc_look(struct esw_nl *nl, uint32_t ifindex, bool egress, const char *dir,
		struct esw_tc_state *state);

/* 1 if the qdisc was made, 0 if one was there, or -errno. */
int esw_tc_make_qdisc(struct esw_nl_txn *txn, uint32_t ifindex, char *extack);
int esw_tc_remove_qdisc(struct esw_nl_txn *txn, uint32_t ifindex, char *extack);
int esw_tc_put_filter(struct esw_nl_txn *txn, uint32_t ifindex, bool egress, int prog_fd,
		      const char *name, char *extack);
int esw_tc_remove_filter(struct esw_nl_txn *txn, uint32_t ifindex, bool egress, char *extack);

#endif
