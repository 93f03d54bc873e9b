/* SPDX-License-Identifier: Apache-2.0
 *
 * Batch headers and the checks of link records. The first byte says how far from alignment the
 * batch starts; nothing here reaches the kernel.
 */
#include "batch.h"
#include "input.h"
#include "link_apply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t shift = size ? data[0] % 8 : 0;
	uint8_t *copy = malloc(size + 8);
	struct esw_batch batch;

	if (!copy || !size) {
		free(copy);
		return 0;
	}
	size--;
	/* The tail of the allocation, so that its end is the input's end. */
	memmove(copy + 8 - shift, data + 1, size);
	if (esw_batch_check(&batch, copy + 8 - shift, (uint32_t)size,
			    sizeof(struct esw_link_op)) == 0) {
		for (uint32_t i = 0; i < batch.count; i++) {
			struct esw_link_job job;

			memset(&job, 0, sizeof(job));
			esw_batch_record(&batch, i, &job.op);
			if (esw_link_check(&job) == 0 && (strlen(job.op.name) >= ESW_NAME_LEN ||
							  strlen(job.op.netns) >= ESW_PATH_LEN))
				abort();
		}
		(void)esw_bench_sum(copy + 8 - shift, (uint32_t)size);
	}
	free(copy);
	return 0;
}
