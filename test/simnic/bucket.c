// SPDX-License-Identifier: GPL-2.0
/* Token buckets: rates of VFs and of police actions. */
#include <linux/math64.h>

#include "simnic.h"

void simnic_bucket_init(struct simnic_bucket *bucket)
{
	spin_lock_init(&bucket->lock);
	simnic_bucket_set(bucket, 0, 0);
}

/* `rate` in bytes per second, 0 for no limit; `burst` in bytes, 0 for 10 ms of the rate. */
void simnic_bucket_set(struct simnic_bucket *bucket, u64 rate, u64 burst)
{
	spin_lock_bh(&bucket->lock);
	bucket->rate = rate;
	bucket->burst = burst ?: max_t(u64, div_u64(rate, 100), 2 * SIMNIC_MAX_MTU);
	bucket->tokens = bucket->burst;
	bucket->last_ns = ktime_get_ns();
	spin_unlock_bh(&bucket->lock);
}

/* Whether `len` bytes may pass now. */
bool simnic_bucket_take(struct simnic_bucket *bucket, unsigned int len)
{
	bool pass = true;
	u64 now, elapsed;

	if (!READ_ONCE(bucket->rate))
		return true;
	spin_lock_bh(&bucket->lock);
	now = ktime_get_ns();
	/* A second fills any bucket that a test makes and cannot overflow the product. */
	elapsed = min_t(u64, now - bucket->last_ns, NSEC_PER_SEC);
	bucket->last_ns = now;
	bucket->tokens = min(bucket->burst, bucket->tokens + mul_u64_u64_div_u64(elapsed, bucket->rate,
										   NSEC_PER_SEC));
	if (bucket->tokens >= len)
		bucket->tokens -= len;
	else
		pass = false;
	spin_unlock_bh(&bucket->lock);
	return pass;
}
