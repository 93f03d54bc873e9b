/* SPDX-License-Identifier: Apache-2.0
 *
 * Netlink notifications as fixed records on a socketpair, one thread per stream. A slow reader makes
 * the thread wait and the kernel's queue overflow, which comes out as one record of zeros ("events
 * were lost"): memory stays bounded and nothing is lost unnoticed.
 */
#ifndef ESW_STREAM_H
#define ESW_STREAM_H

#include "netlink.h"

#define ESW_STREAM_RECORD_MAX 128

struct esw_stream_kind {
	uint32_t record_size; /* at most ESW_STREAM_RECORD_MAX */
	/* Turns a notification into a record; false if it is none that callers want. */
	bool (*parse)(const struct nlmsghdr *nlh, void *record);
};

/* Takes over the socket, which has joined its groups, and starts the thread. Returns the fd to read
 * or -errno; the socket is closed then. */
int esw_stream_start(struct esw_nl *nl, const struct esw_stream_kind *kind);

/* Joins a multicast group. 0 or -errno. */
int esw_stream_join(const struct esw_nl *nl, uint32_t group);

#endif
