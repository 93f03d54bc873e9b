/* SPDX-License-Identifier: Apache-2.0
 *
 * Monotonic time in nanoseconds, and a histogram of durations with a relative error under 1.6 %.
 */
#ifndef TRAFFIC_CLOCK_H
#define TRAFFIC_CLOCK_H

#include <stdint.h>
#include <time.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

/* Buckets: 64 linear steps in each power of two. */
#define HISTOGRAM_STEPS 64
#define HISTOGRAM_BUCKETS (60 * HISTOGRAM_STEPS)

struct histogram {
	uint64_t count;
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

static unsigned histogram_index(uint64_t ns)
{
	unsigned shift;

	if (ns < 2 * HISTOGRAM_STEPS)
		return ns;
	shift = 63 - __builtin_clzll(ns) - 6;
	return shift * HISTOGRAM_STEPS + (ns >> shift);
}

static void histogram_add(struct histogram *h, uint64_t ns)
{
	unsigned i = histogram_index(ns);

	h->bucket[i < HISTOGRAM_BUCKETS ? i : HISTOGRAM_BUCKETS - 1]++;
	h->count++;
}

/* Lower bound of the bucket that holds quantile `q`, in nanoseconds. */
static uint64_t histogram_quantile(const struct histogram *h, double q)
{
	uint64_t seen = 0, wanted = h->count * q;
	unsigned i, shift;

	for (i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		seen += h->bucket[i];
		if (seen > wanted)
			break;
	}
	if (i < 2 * HISTOGRAM_STEPS)
		return i;
	shift = i / HISTOGRAM_STEPS - 1;
	return (uint64_t)(i - shift * HISTOGRAM_STEPS) << shift;
}

#endif
