/* SPDX-License-Identifier: Apache-2.0
 *
 * ESW_LINK_UNMARK: a link that is not ours to delete (a NIC's) is given back without our altname.
 */
#include <errno.h>
#include <string.h>

#include "link_wave.h"

int esw_link_wave_unmark(struct esw_link_wave *wave)
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

		if (job->error || !job->has_self)
			continue;
		job->ifindex = job->self.rec.ifindex;
		if (strcmp(job->self.rec.altname, job->op.altname) == 0)
			err = esw_link_del_altname(&wave->txn, job->ifindex, job->op.altname,
						   ESW_LINK_TAG(i, false, ESW_STEP_UNMARK));
	}
	return err ? err : esw_link_run(wave);
}
