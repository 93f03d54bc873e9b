/* SPDX-License-Identifier: Apache-2.0 */
#include "link_wave.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int esw_link_look(struct esw_link_wave *wave, uint32_t job, bool peer)
{
	const struct esw_link_op *op = &wave->jobs[job].op;

	return esw_link_get(&wave->txn, peer ? op->peer_name : op->name, 0,
			    ESW_LINK_TAG(job, peer, ESW_STEP_GET));
}

int esw_link_run(struct esw_link_wave *wave)
{
	int err = esw_nl_txn_run(&wave->txn, esw_link_got, wave);

	for (uint32_t i = 0; i < wave->txn.count; i++) {
		const struct esw_nl_req *req = &wave->txn.reqs[i];
		enum esw_link_step step = ESW_TAG_STEP(req->tag);

		if (req->error == -ENODEV && (step == ESW_STEP_GET || step == ESW_STEP_DELETE))
			continue;
		esw_link_fail(&wave->jobs[ESW_TAG_JOB(req->tag)], req->error, req->extack);
	}
	esw_nl_txn_reset(&wave->txn);
	return err;
}

void esw_link_refuse(struct esw_link_job *job, int error, const char *format, ...)
{
	char text[ESW_EXTACK_LEN];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	esw_link_fail(job, error, text);
}

int esw_link_undo_failed(struct esw_link_wave *wave)
{
	int err = 0;

	for (uint32_t i = 0; i < wave->count && !err; i++) {
		const struct esw_link_job *job = &wave->jobs[i];

		if (job->created && job->error && job->has_self)
			err = esw_link_remove(&wave->txn, job->self.rec.ifindex,
					      ESW_LINK_TAG(i, false, ESW_STEP_DELETE));
	}
	return err ? err : esw_link_run(wave);
}
