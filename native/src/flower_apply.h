/* SPDX-License-Identifier: Apache-2.0
 *
 * A batch of flower rules at work. Its records are cut into waves of one verb; a wave is shared out
 * to workers, each with a socket; a worker takes its records through steps, many messages at a time.
 */
#ifndef ESW_FLOWER_APPLY_H
#define ESW_FLOWER_APPLY_H

#include "batch.h"
#include "flower.h"
#include "netlink.h"

#define ESW_FLOWER_SOCKETS_MAX 8u

/* What is to be done with a record next. In this order within a wave. */
enum esw_flower_step {
	ESW_STEP_CREATE,  /* a rule that is not there; else look */
	ESW_STEP_LOOK,    /* whose is what is there, and is it as asked */
	ESW_STEP_REPLACE, /* ours, in place; the kernel cannot when the mask changes: remove first */
	ESW_STEP_REMOVE,
	ESW_STEP_CREATE_AGAIN,
	ESW_STEP_COUNT,
	ESW_STEP_DONE = ESW_STEP_COUNT,
};

struct esw_flower_batch {
	struct esw_batch batch;
	const uint8_t *owner; /* of records that are identities only, else NULL */
	const char *dir; /* for the mark of qdiscs that we made, "" for none */
	uint32_t sockets;
	uint32_t first, end; /* the wave */
	uint8_t *next;       /* enum esw_flower_step of each record */
	struct esw_flower_result *results; /* of each record; copied out at the end */
	/* Links of a wave of deletes that were dumped, and whose the rules on them are. */
	struct esw_flower_owned *owned;
};

/* Copies a record out, whatever its form. */
void esw_flower_record(const struct esw_flower_batch *batch, uint32_t index, struct esw_flower_op *op);

/* Dumps the links that lose many rules in this wave, for esw_flower_whose. Links that cannot be
 * dumped are left to be looked at rule by rule. */
void esw_flower_look_at_links(struct esw_flower_batch *batch);
void esw_flower_forget_links(struct esw_flower_batch *batch);

enum esw_flower_whose { ESW_NOT_KNOWN, ESW_NOBODYS, ESW_OURS, ESW_THEIRS };
enum esw_flower_whose esw_flower_whose(const struct esw_flower_batch *batch,
				       const struct esw_flower_op *op);

struct esw_flower_link {
	char name[ESW_NAME_LEN];
	int ifindex;       /* or -errno */
	bool qdisc_known;  /* it has clsact: we looked */
};

struct esw_flower_worker {
	struct esw_flower_batch *batch;
	uint32_t number;
	struct esw_nl nl;
	struct esw_nl_txn txn;
	struct esw_flower_link *links; /* open addressing by name */
	uint32_t link_room, link_count;
};

/* The link of that name, looked up once per worker; NULL without memory. */
struct esw_flower_link *esw_flower_link(struct esw_flower_worker *worker, const char *name);

/* Takes all records of one wave that are this worker's to their end. */
void esw_flower_work(struct esw_flower_worker *worker);

/* Which worker has a record: the same for all records of one identity. */
uint32_t esw_flower_share(const struct esw_flower_op *op, uint32_t sockets);

/* Makes the qdisc of a link that has none, with its mark. 0 or -errno. */
int esw_flower_make_qdisc(struct esw_flower_worker *worker, struct esw_flower_link *link);
/* Removes the qdiscs that we made from links of the wave that have no filters left. */
void esw_flower_remove_qdiscs(struct esw_flower_batch *batch);

#endif
