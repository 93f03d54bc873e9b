/* SPDX-License-Identifier: Apache-2.0
 *
 * Probes try the thing itself on throw-away objects. "no" is the kernel's answer, "unknown" means
 * that the question could not be put (no privilege, no memory).
 */
#ifndef ESW_PROBE_H
#define ESW_PROBE_H

#include <stdbool.h>

#include "netlink.h"

#define ESW_REASON_LEN 160

struct esw_probe_env {
	/* rtnetlink in the throw-away namespace, whose lo has ifindex 1. */
	struct esw_nl nl;
	struct esw_nl_txn txn;
	int netns_error; /* 0, or why there is no such namespace */
	char reason[ESW_REASON_LEN];
};

#define ESW_PROBE_LO 1u

struct esw_probe_entry {
	const char *name;
	enum esw_answer (*run)(struct esw_probe_env *env);
	bool needs_netns;
};

extern const struct esw_probe_entry esw_probes_bpf[];
extern const unsigned int esw_probes_bpf_count;
extern const struct esw_probe_entry esw_probes_net[];
extern const unsigned int esw_probes_net_count;

/* The answer that an errno (0 or negative) means; sets the reason to `text`, or to the errno's own
 * sentence when it is empty. */
enum esw_answer esw_probe_answer(struct esw_probe_env *env, int error, const char *text);

/* Loads a SCHED_CLS program that calls helper `func` (0 = calls none): fd, or -errno with the
 * verifier's line in `log`. */
int esw_probe_program(int func, char *log, unsigned int cap);

#endif
