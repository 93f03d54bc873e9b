/* SPDX-License-Identifier: Apache-2.0
 *
 * ESW_LINK_DELETE: only links that carry the altname are ours to delete.
 */
#include <errno.h>
#include <string.h>

#include "link_wave.h"

int esw_link_wave_delete(struct esw_link_wave *wave)
{
	int err = 0;

	for (uint32_t i = 0; i < wave->count && !err; i++) {
		if (!wave->jobs[i].error)
			err = esw_link_look(wave, i, false);
	}
	if (!err)
		err = esw_link_run(wave);
	for (uint32_t i = 0; i < wave->count && !err; i++) {
		struct esw_link_job *job = &wave->jobs[i];
		const struct esw_link_rec *self = &job->self.rec;

		if (job->error || !job->has_self)
			continue;
		if (strcmp(self->altname, job->op.altname) != 0) {
			esw_link_refuse(job, -EEXIST, "foreign link %s does not carry altname %s",
					job->op.name, job->op.altname);
			continue;
		}
		job->ifindex = self->ifindex;
		err = esw_link_remove(&wave->txn, self->ifindex,
				      ESW_LINK_TAG(i, false, ESW_STEP_DELETE));
	}
	return err ? err : esw_link_run(wave);
}
