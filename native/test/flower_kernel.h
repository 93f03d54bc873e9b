/* SPDX-License-Identifier: Apache-2.0
 *
 * Flow rules on a kernel: put, deleted and dumped through the public calls.
 */
#ifndef ESW_TEST_FLOWER_KERNEL_H
#define ESW_TEST_FLOWER_KERNEL_H

#include "flower_rules.h"

static struct esw_flower_full full[8192];
static struct esw_flower_rec recs[8192];

static int setup(void **state)
{
	struct esw_link_op op = veth_op("fa", "fb");

	op.peer_up = 1;
	return netns_setup(state) || APPLY(esw_link_apply, op).error;
}

/* Each test starts on links without rules. */
static int fresh(void **state)
{
	struct esw_link_op del = delete_op("fa"), op = veth_op("fa", "fb");

	(void)state;
	op.peer_up = 1;
	return APPLY(esw_link_apply, del).error || APPLY(esw_link_apply, op).error;
}

static void apply_many(const struct esw_flower_op *ops, uint32_t count, uint32_t sockets,
		       const char *dir, struct esw_flower_result *results)
{
	uint32_t len = (uint32_t)(sizeof(struct esw_batch_hdr) + count * sizeof(*ops));
	struct esw_batch_hdr hdr = {
		.magic = ESW_BATCH_MAGIC, .version = ESW_ABI_VERSION, .record_size = sizeof(*ops),
		.length = len, .count = count,
	};
	uint8_t *bytes = malloc(len);

	assert_non_null(bytes);
	memcpy(bytes, &hdr, sizeof(hdr));
	memcpy(bytes + sizeof(hdr), ops, count * sizeof(*ops));
	assert_int_equal(esw_flower_apply(bytes, len, results,
					  (uint32_t)(count * sizeof(*results)), sockets, dir), 0);
	free(bytes);
}

static struct esw_flower_result apply_rule(const struct esw_flower_op *op)
{
	struct esw_flower_result result;

	apply_many(op, 1, 1, "", &result);
	return result;
}

#define assert_put(op)                                                                            \
	do {                                                                                      \
		struct esw_flower_result assert_put_r = apply_rule(op);                           \
		if (assert_put_r.error)                                                           \
			fail_msg("error %d: %s", assert_put_r.error, assert_put_r.extack);        \
	} while (0)

static uint32_t dump(const char *name, uint32_t terse)
{
	char names[ESW_NAME_LEN] = "";
	int count;

	snprintf(names, sizeof(names), "%s", name);
	count = esw_flower_dump(names, 1, test_owner, terse, recs, sizeof(recs));
	assert_in_range(count, 0, 8192);
	return (uint32_t)count;
}

static uint32_t read_rules(const char *name)
{
	char names[ESW_NAME_LEN] = "";
	int count;

	snprintf(names, sizeof(names), "%s", name);
	count = esw_flower_read(names, 1, test_owner, full, sizeof(full));
	assert_in_range(count, 0, 8192);
	return (uint32_t)count;
}

static void delete_rule(const struct esw_flower_op *op)
{
	struct esw_flower_op gone = *op;

	gone.verb = ESW_FLOWER_DELETE;
	assert_put(&gone);
	assert_put(&gone);
}

#endif
