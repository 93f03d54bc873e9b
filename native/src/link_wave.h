/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps that the handlers of all verbs share.
 */
#ifndef ESW_LINK_WAVE_H
#define ESW_LINK_WAVE_H

#include "link_apply.h"

/* Queues a GET of one end by name. */
int esw_link_look(struct esw_link_wave *wave, uint32_t job, bool peer);

/* Runs the queue, records failures in the jobs and empties the queue. An ENODEV answer to a GET
 * or a delete is no failure: it says that the link is absent. */
int esw_link_run(struct esw_link_wave *wave);

/* Deletes links of this call of which a step after the creation failed: they must not stay behind
 * unmarked. */
int esw_link_undo_failed(struct esw_link_wave *wave);

/* The request that a full dump of links needs (without statistics). */
struct esw_link_dump_request {
	struct ifinfomsg ifi;
	struct nlattr attr;
	uint32_t mask;
};
extern const struct esw_link_dump_request esw_link_dump_request;

/* Formats a sentence into the job and marks it failed. */
void esw_link_refuse(struct esw_link_job *job, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
