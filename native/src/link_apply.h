/* SPDX-License-Identifier: Apache-2.0
 *
 * Link operations run in waves: consecutive records with one verb and one namespace that share no
 * name, so that pipelining them cannot change their meaning. Each wave is a few transactions (look,
 * act, check), whatever its size.
 */
#ifndef ESW_LINK_APPLY_H
#define ESW_LINK_APPLY_H

#include "link_parse.h"
#include "netlink.h"

#define ESW_WAVE_MAX 1024u

/* One record of a wave. */
struct esw_link_job {
	struct esw_link_op op;
	int error;
	uint32_t ifindex;
	char extack[ESW_EXTACK_LEN];
	bool has_self, has_peer;
	bool created; /* by this call: undone if a later step fails */
	bool moved;
	struct esw_link_view self, peer;
};

struct esw_link_wave {
	struct esw_link_job *jobs;
	uint32_t count;
	struct esw_nl nl;
	struct esw_nl_txn txn;
};

/* Marks the job failed unless an earlier failure is recorded already. */
void esw_link_fail(struct esw_link_job *job, int error, const char *text);

/* Per-record checks that need no kernel. 0 or -errno with a sentence in the job. */
int esw_link_check(struct esw_link_job *job);

/* Handlers of whole waves; each leaves error, extack and ifindex in the jobs. A negative return is
 * a failure of the socket or of memory and goes to every job without a result. */
int esw_link_wave_veth(struct esw_link_wave *wave);
int esw_link_wave_child(struct esw_link_wave *wave);
int esw_link_wave_delete(struct esw_link_wave *wave);
int esw_link_wave_set(struct esw_link_wave *wave);
int esw_link_wave_unmark(struct esw_link_wave *wave);

/* ---- messages (link_msg.c) ------------------------------------------------------------------- */

/* What a transaction's request was about: which job, which end, which step. */
enum esw_link_step {
	ESW_STEP_GET,
	ESW_STEP_CREATE,
	ESW_STEP_ALTNAME,
	ESW_STEP_UNMARK,
	ESW_STEP_RENAME,
	ESW_STEP_FIELDS,
	ESW_STEP_FLAGS,
	ESW_STEP_MOVE,
	ESW_STEP_DELETE,
	ESW_STEP_GROUP,
};
#define ESW_LINK_TAG(job, peer, step) ((job) << 8 | (uint32_t)(peer) << 7 | (uint32_t)(step))
#define ESW_TAG_JOB(tag) ((tag) >> 8)
#define ESW_TAG_PEER(tag) (((tag) >> 7 & 1) != 0)
#define ESW_TAG_STEP(tag) ((enum esw_link_step)((tag) & 0x7f))

/* What one end of a link shall be like. Zero values leave a field alone. */
struct esw_link_want {
	uint32_t mtu;
	const uint8_t *mac; /* NULL: leave */
	const char *name;
	const char *altname;
	bool noaddrgen;
	int up; /* 1 up, 0 down, -1 leave */
};

int esw_link_get(struct esw_nl_txn *txn, const char *name, uint32_t ifindex, uint32_t tag);
int esw_link_rename(struct esw_nl_txn *txn, uint32_t ifindex, const char *name, uint32_t tag);
int esw_link_del_altname(struct esw_nl_txn *txn, uint32_t ifindex, const char *altname, uint32_t tag);
int esw_link_flags(struct esw_nl_txn *txn, uint32_t ifindex, bool up, uint32_t tag);
int esw_link_move(struct esw_nl_txn *txn, uint32_t ifindex, int netns_fd, const char *name,
		  uint32_t tag);
int esw_link_remove(struct esw_nl_txn *txn, uint32_t ifindex, uint32_t tag);
int esw_link_set_group(struct esw_nl_txn *txn, uint32_t ifindex, uint32_t group, uint32_t tag);
int esw_link_remove_group(struct esw_nl_txn *txn, uint32_t group, uint32_t tag);
int esw_link_create_veth(struct esw_nl_txn *txn, const struct esw_link_op *op, uint32_t tag);
/* A macvlan child or 802.1Q sub-interface, by the verb of `op`. */
int esw_link_create_child(struct esw_nl_txn *txn, const struct esw_link_op *op, uint32_t lower,
			  uint32_t tag);
/* Queues what it takes to make `view` as `want`; what is so already costs no message. */
int esw_link_converge(struct esw_nl_txn *txn, const struct esw_link_view *view,
		      const struct esw_link_want *want, uint32_t job, bool peer);

/* esw_nl_reply_fn with the wave as context: stores the views that GETs brought. */
void esw_link_got(void *ctx, const struct esw_nl_req *req, const struct nlmsghdr *nlh);

#endif
