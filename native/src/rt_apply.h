/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop that address, route and neighbour batches share: one message per record, pipelined per
 * namespace, in order.
 */
#ifndef ESW_RT_APPLY_H
#define ESW_RT_APPLY_H

#include <stdbool.h>

#include "batch.h"
#include "netlink.h"

union esw_rt_record {
	struct esw_addr_op addr;
	struct esw_route_op route;
	struct esw_neigh_op neigh;
};

/* What the loop must know of every kind of record. */
struct esw_rt_common {
	const char *netns;
	const char *ifname; /* "" = none */
	bool is_delete;
};

enum esw_rt_verb { ESW_RT_ADD = 1, ESW_RT_DELETE = 2 };

struct esw_rt_kind {
	uint32_t record_size;
	/* NULL and the common part, or a sentence that says what is wrong. */
	const char *(*check)(const union esw_rt_record *record, struct esw_rt_common *common);
	/* Builds the message with esw_nl_txn_begin; the loop pushes it. */
	void (*build)(struct esw_nl_txn *txn, const union esw_rt_record *record, uint32_t ifindex);
	/* True if a delete that failed so has found nothing to delete. */
	bool (*absent)(int error);
};

int esw_rt_apply(const struct esw_rt_kind *kind, const void *buf, uint32_t len, void *results,
		 uint32_t cap);

/* Bytes of an address of `family`, 0 if the family is neither AF_INET nor AF_INET6. */
uint32_t esw_rt_addr_len(uint8_t family);

/* A dump of one rtnetlink type in `netns`: `each` gets every message of type `reply`. */
struct esw_rt_dump {
	uint16_t request, reply;
	const void *fixed;
	size_t fixed_size;
	void (*each)(const struct nlmsghdr *nlh, void *ctx);
	void (*reset)(void *ctx);
	void *ctx;
};
int esw_rt_dump(const char *netns, const struct esw_rt_dump *dump);

#endif
