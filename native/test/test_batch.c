/* SPDX-License-Identifier: Apache-2.0
 *
 * Malformed batches of every kind are refused whole, before anything happens.
 */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct lane {
	apply_fn apply;
	uint32_t record_size;
};

static const struct lane lanes[] = {
	{ esw_link_apply, sizeof(struct esw_link_op) },
	{ esw_addr_apply, sizeof(struct esw_addr_op) },
	{ esw_route_apply, sizeof(struct esw_route_op) },
	{ esw_neigh_apply, sizeof(struct esw_neigh_op) },
	{ esw_hook_apply, sizeof(struct esw_hook_op) },
};
#define LANES (sizeof(lanes) / sizeof(lanes[0]))

/* A header change that makes the batch malformed. */
struct damage {
	const char *what;
	struct esw_batch_hdr (*apply)(struct esw_batch_hdr hdr);
};

#define DAMAGE(name, statement)                                                                   \
	static struct esw_batch_hdr name(struct esw_batch_hdr hdr)                                \
	{                                                                                         \
		statement;                                                                        \
		return hdr;                                                                       \
	}
DAMAGE(bad_magic, hdr.magic ^= 1)
DAMAGE(bad_version, hdr.version++)
DAMAGE(bad_record_size, hdr.record_size--)
DAMAGE(no_record_size, hdr.record_size = 0)
DAMAGE(short_length, hdr.length--)
DAMAGE(long_length, hdr.length++)
DAMAGE(more_records, hdr.count++)
DAMAGE(fewer_records, hdr.count--)
DAMAGE(too_many, hdr.count = ESW_BATCH_MAX + 1; hdr.length = sizeof(hdr) + hdr.count * hdr.record_size)
/* count * record_size + 16 wraps around 32 bits to a small length */
DAMAGE(overflow, hdr.count = UINT32_MAX / hdr.record_size + 1;
       hdr.length = sizeof(hdr) + hdr.count * hdr.record_size)

static const struct damage damages[] = {
	{ "magic", bad_magic }, { "version", bad_version }, { "record size", bad_record_size },
	{ "no record size", no_record_size }, { "short length", short_length },
	{ "long length", long_length }, { "more records", more_records },
	{ "fewer records", fewer_records }, { "too many", too_many }, { "overflow", overflow },
};

static void untouched(const struct batch *batch)
{
	for (size_t i = 0; i < sizeof(batch->results); i++)
		assert_int_equal(((const uint8_t *)batch->results)[i], 0xff);
}

static void test_damaged_headers(void **state)
{
	static uint8_t zero[2 * sizeof(struct esw_link_op)];

	(void)state;
	for (size_t lane = 0; lane < LANES; lane++) {
		for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
			struct batch *batch = batch_of(zero, lanes[lane].record_size, 2);
			struct esw_batch_hdr hdr;
			int ret;

			memcpy(&hdr, batch->bytes, sizeof(hdr));
			hdr = damages[i].apply(hdr);
			memcpy(batch->bytes, &hdr, sizeof(hdr));
			ret = lanes[lane].apply(batch->bytes, batch->len, batch->results,
						sizeof(batch->results));
			if (ret != -EINVAL)
				fail_msg("lane %zu took a batch with bad %s: %d", lane,
					 damages[i].what, ret);
			untouched(batch);
			batch_free(batch);
		}
	}
}

static void test_short_buffers(void **state)
{
	static uint8_t zero[sizeof(struct esw_link_op)];

	(void)state;
	for (size_t lane = 0; lane < LANES; lane++) {
		struct batch *batch = batch_of(zero, lanes[lane].record_size, 1);
		apply_fn apply = lanes[lane].apply;

		for (uint32_t len = 0; len < batch->len; len++)
			assert_int_equal(apply(batch->bytes, len, batch->results,
					       sizeof(batch->results)), -EINVAL);
		assert_int_equal(apply(batch->bytes, batch->len, batch->results,
				       sizeof(struct esw_result) - 1), -EINVAL);
		assert_int_equal(apply(batch->bytes, batch->len, NULL, 4096), -EINVAL);
		assert_int_equal(apply(NULL, batch->len, batch->results, 4096), -EINVAL);
		untouched(batch);
		batch_free(batch);
	}
}

static void test_empty_batch(void **state)
{
	(void)state;
	for (size_t lane = 0; lane < LANES; lane++) {
		struct batch *batch = batch_of("", lanes[lane].record_size, 0);

		assert_int_equal(lanes[lane].apply(batch->bytes, batch->len, NULL, 0), 0);
		batch_free(batch);
	}
}

/* Records of only 0xff: no verb, no terminator. Each is refused by itself. */
static void test_garbage_records(void **state)
{
	static uint8_t ones[3 * sizeof(struct esw_link_op)];

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	for (size_t lane = 0; lane < LANES; lane++) {
		struct batch *batch = batch_of(ones, lanes[lane].record_size, 3);

		assert_int_equal(lanes[lane].apply(batch->bytes, batch->len, batch->results,
						   3 * sizeof(struct esw_result)), 0);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(batch->results[i].error, -EINVAL);
			assert_true(batch->results[i].extack[0] != '\0');
		}
		batch_free(batch);
	}
}

/* A batch may start at any address: callers slice pooled buffers. */
static void test_unaligned(void **state)
{
	struct esw_link_op op = delete_op("t-none");
	struct batch *batch = batch_of(&op, sizeof(op), 1);
	uint8_t *odd = malloc(batch->len + 1);
	uint8_t results[sizeof(struct esw_result) + 1];

	(void)state;
	assert_non_null(odd);
	memcpy(odd + 1, batch->bytes, batch->len);
	assert_int_equal(esw_link_apply(odd + 1, batch->len, results + 1, sizeof(results) - 1), 0);
	assert_int_equal(results[1], 0);
	assert_int_equal(esw_bench_sum(odd + 1, batch->len), 0);
	free(odd);
	batch_free(batch);
}

static void test_bench(void **state)
{
	struct esw_link_op ops[3] = { { .mtu = 1 }, { .mtu = 2 }, { .mtu = 0x80000000u } };
	struct batch *batch = batch_of(ops, sizeof(ops[0]), 3);
	uint64_t ns = 0;

	(void)state;
	assert_int_equal(esw_bench_sum(batch->bytes, batch->len), 3);
	assert_int_equal(esw_bench_sum(batch->bytes, batch->len - 1), -EINVAL);
	assert_true(esw_bench_loop(batch->bytes, batch->len, 100, &ns) >= 0);
	assert_int_equal(esw_bench_loop(batch->bytes, batch->len, 100, NULL), -EINVAL);
	assert_int_equal(esw_bench_loop(batch->bytes, batch->len, 0, &ns), -EINVAL);
	batch_free(batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged_headers), cmocka_unit_test(test_short_buffers),
		cmocka_unit_test(test_empty_batch),	cmocka_unit_test(test_garbage_records),
		cmocka_unit_test(test_unaligned),	cmocka_unit_test(test_bench),
	};

	need_root();
	return cmocka_run_group_tests(tests, netns_setup, NULL);
}
