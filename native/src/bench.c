/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "batch.h"

#define SUM_MASK 0x7fffffffu

static uint32_t sum(const struct esw_batch *batch)
{
	const uint8_t *at = batch->records + offsetof(struct esw_link_op, mtu);
	uint32_t total = 0, mtu;

	for (uint32_t i = 0; i < batch->count; i++, at += sizeof(struct esw_link_op)) {
		memcpy(&mtu, at, sizeof(mtu));
		total += mtu;
	}
	return total & SUM_MASK;
}

int esw_bench_sum(const void *buf, uint32_t len)
{
	struct esw_batch batch;
	int err = esw_batch_check(&batch, buf, len, sizeof(struct esw_link_op));

	return err ? err : (int)sum(&batch);
}

int esw_bench_loop(const void *buf, uint32_t len, uint32_t rounds, uint64_t *ns_x1000)
{
	struct timespec from, to;
	struct esw_batch batch;
	uint32_t total = 0;
	uint64_t ns;
	int err = esw_batch_check(&batch, buf, len, sizeof(struct esw_link_op));

	if (err)
		return err;
	if (!ns_x1000 || !rounds || !batch.count)
		return -EINVAL;
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (uint32_t i = 0; i < rounds; i++) {
		/* The buffer may have changed, as far as the compiler knows: no hoisting. */
		__asm__ volatile("" ::: "memory");
		total += sum(&batch);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	ns = (uint64_t)(to.tv_sec - from.tv_sec) * 1000000000u + (uint64_t)to.tv_nsec -
	     (uint64_t)from.tv_nsec;
	*ns_x1000 = (uint64_t)((double)ns * 1000.0 / ((double)rounds * batch.count));
	return (int)(total & SUM_MASK);
}
