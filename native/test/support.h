/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests share: namespaces of their own, batches, and a bpffs.
 */
#ifndef ESW_TEST_SUPPORT_H
#define ESW_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above before it */
#include <cmocka.h>

#include "eswitch.h"

#define MAX_RECORDS 512

/* Ends the program with ctest's skip code unless it runs as root. */
void need_root(void);

/* Group fixture: a fresh network namespace for this process, lo up. */
int netns_setup(void **state);
/* Makes another network namespace and returns a path to it ("/proc/self/fd/N"); close it with
 * netns_close. */
const char *netns_open(void);
void netns_close(const char *path);

/* Group fixture: netns_setup, and a bpffs on a temporary directory in a private mount namespace. */
int bpffs_setup(void **state);
int bpffs_teardown(void **state);
/* A pin directory of its own on that bpffs. */
const char *pin_dir(void);

/* A batch of `count` records and room for its results. */
struct batch {
	uint8_t *bytes;
	uint32_t len;
	struct esw_result results[MAX_RECORDS];
};
struct batch *batch_of(const void *records, uint32_t record_size, uint32_t count);
void batch_free(struct batch *batch);

typedef int (*apply_fn)(const void *batch, uint32_t len, void *results, uint32_t cap);
/* Applies one record and returns its result. */
struct esw_result apply_one(apply_fn apply, const void *record, uint32_t record_size);

#define APPLY(fn, record) apply_one((fn), &(record), sizeof(record))

/* Asserts success; says the kernel's sentence when it is none. */
#define assert_ok(result)                                                                         \
	do {                                                                                      \
		struct esw_result assert_ok_r = (result);                                         \
		if (assert_ok_r.error)                                                            \
			fail_msg("error %d: %s", assert_ok_r.error, assert_ok_r.extack);          \
	} while (0)
#define assert_refused(result, errno_, word)                                                      \
	do {                                                                                      \
		struct esw_result assert_refused_r = (result);                                    \
		assert_int_equal(assert_refused_r.error, -(errno_));                              \
		if (!strstr(assert_refused_r.extack, (word)))                                     \
			fail_msg("extack without '%s': %s", (word), assert_refused_r.extack);     \
	} while (0)

/* A veth record: names, marks "t.NAME", MACs 02:…:01 and 02:…:02. */
struct esw_link_op veth_op(const char *name, const char *peer);
struct esw_link_op delete_op(const char *name);
struct esw_link_op set_op(const char *name, uint32_t set);
/* The link of that name in `netns`, false if there is none. */
bool find_link(const char *netns, const char *name, struct esw_link_rec *rec);

#endif
