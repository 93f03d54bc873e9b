/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading into a pin directory, and the maps and the forwarding table that are there then.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OBJECT ESW_TEST_OBJECTS "/tiny.bpf.o"

static char log_text[4096];

static int load(const char *object, const char *dir, const char *sizes)
{
	return esw_bpf_load(object, dir, sizes, log_text, sizeof(log_text));
}

static const char *map_path(const char *dir, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/maps/%s", dir, name);
	return path;
}

static void loaded(const char *dir, const char *sizes)
{
	int err = load(OBJECT, dir, sizes);

	if (err)
		fail_msg("load: %d: %s", err, log_text);
}

static void test_load_pins(void **state)
{
	const char *dir = pin_dir();
	uint32_t info[6];

	(void)state;
	loaded(dir, "numbers=100,fib=200");
	assert_true(esw_prog_id(dir, "tiny") > 0);
	assert_int_equal(esw_prog_id(dir, "absent"), -ENOENT);
	assert_int_equal(esw_map_info(map_path(dir, "numbers"), info, sizeof(info)), 0);
	assert_int_equal(info[0], 4);
	assert_int_equal(info[1], 8);
	assert_int_equal(info[2], 100);
	assert_true(info[5] >= 1);
	assert_int_equal(esw_map_info(map_path(dir, "fib"), info, sizeof(info)), 0);
	assert_int_equal(info[2], 1);
	assert_int_equal(esw_map_info(map_path(dir, "fib"), info, sizeof(info) - 1), -EINVAL);
	assert_int_equal(esw_map_info(map_path(dir, "none"), info, sizeof(info)), -ENOENT);
	/* the object's own constants are not shared with later versions */
	assert_int_equal(access(map_path(dir, "tiny.rodata"), F_OK), -1);
	assert_int_equal(access(map_path(dir, ".rodata"), F_OK), -1);
	assert_true(esw_fib_generation(dir) > 0);
}

static void test_reload_keeps_maps(void **state)
{
	const char *dir = pin_dir();
	uint32_t key = 3, before[6], after[6];
	uint64_t value = 42;
	int32_t error;
	int prog, generation;

	(void)state;
	loaded(dir, "");
	assert_int_equal(esw_map_update(map_path(dir, "numbers"), &key, 4, &value, 8, 1, &error, 4), 0);
	assert_int_equal(error, 0);
	assert_int_equal(esw_map_info(map_path(dir, "numbers"), before, sizeof(before)), 0);
	prog = esw_prog_id(dir, "tiny");
	generation = esw_fib_generation(dir);
	loaded(dir, "numbers=77"); /* sizes are for maps that are not there yet */
	assert_int_equal(esw_map_info(map_path(dir, "numbers"), after, sizeof(after)), 0);
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(esw_fib_generation(dir), generation);
	assert_true(esw_prog_id(dir, "tiny") > 0);
	assert_int_not_equal(esw_prog_id(dir, "tiny"), prog);
	value = 0;
	assert_int_equal(esw_map_dump(map_path(dir, "numbers"), &key, 4, &value, 8), 1);
	assert_int_equal(value, 42);
}

static void test_other_shape_is_refused(void **state)
{
	const char *dir = pin_dir();
	int prog;

	(void)state;
	loaded(dir, "");
	prog = esw_prog_id(dir, "tiny");
	assert_int_equal(load(ESW_TEST_OBJECTS "/tiny_other.bpf.o", dir, ""), -EEXIST);
	assert_non_null(strstr(log_text, "map numbers"));
	assert_non_null(strstr(log_text, "value size"));
	assert_int_equal(esw_prog_id(dir, "tiny"), prog);
}

static void test_verifier_speaks(void **state)
{
	const char *dir = pin_dir();
	char tiny_log[64];

	(void)state;
	assert_true(load(ESW_TEST_OBJECTS "/refused.bpf.o", dir, "") < 0);
	assert_non_null(strstr(log_text, "map_value_or_null"));
	assert_int_equal(access(map_path(dir, "wild"), F_OK), -1);
	memset(tiny_log, 'x', sizeof(tiny_log));
	assert_true(esw_bpf_load(ESW_TEST_OBJECTS "/refused.bpf.o", dir, "", tiny_log,
				 sizeof(tiny_log)) < 0);
	assert_non_null(memchr(tiny_log, '\0', sizeof(tiny_log)));
	assert_true(esw_bpf_load(ESW_TEST_OBJECTS "/refused.bpf.o", dir, "", NULL, 0) < 0);
}

static void test_load_arguments(void **state)
{
	static const char *const bad[] = { "x", "=4", "numbers=", "numbers=0", "numbers=4x",
					   "numbers=4294967296", "numbers=4,", ",numbers=4",
					   "numbers=-1" };
	const char *dir = pin_dir();
	char longest[ESW_PATH_LEN + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(load(OBJECT, dir, bad[i]), -EINVAL);
	assert_int_equal(load(OBJECT, dir, "absent=4"), -EINVAL);
	assert_non_null(strstr(log_text, "no map absent"));
	assert_int_equal(load("/nonexistent.o", dir, ""), -ENOENT);
	memset(longest, 'd', sizeof(longest) - 1);
	longest[ESW_PATH_LEN] = '\0';
	assert_int_equal(load(OBJECT, longest, ""), -EINVAL);
	assert_int_equal(load(OBJECT, "", ""), -EINVAL);
	assert_int_equal(esw_bpf_load(NULL, dir, "", NULL, 0), -EINVAL);
	/* not a bpffs: pins are refused */
	assert_true(load(OBJECT, "/dev/shm/esw-test-no-bpffs", "") < 0);
	assert_int_equal(rmdir("/dev/shm/esw-test-no-bpffs/maps"), 0);
	assert_int_equal(rmdir("/dev/shm/esw-test-no-bpffs/progs"), 0);
	assert_int_equal(rmdir("/dev/shm/esw-test-no-bpffs/links"), 0);
	assert_int_equal(rmdir("/dev/shm/esw-test-no-bpffs"), 0);
}

#define SOME 10

static void test_map_batches(void **state)
{
	const char *dir = pin_dir();
	uint32_t keys[2 * SOME], out_keys[SOME];
	uint64_t values[2 * SOME], out_values[SOME];
	int32_t errors[2 * SOME];
	char path[256];

	(void)state;
	loaded(dir, "numbers=10");
	snprintf(path, sizeof(path), "%s", map_path(dir, "numbers"));
	for (uint32_t i = 0; i < 2 * SOME; i++) {
		keys[i] = i;
		values[i] = 100 + i;
		errors[i] = 1;
	}
	/* the map holds ten: the rest fails one by one, the first ten are in */
	assert_int_equal(esw_map_update(path, keys, 4, values, 8, 2 * SOME, errors, sizeof(errors)), 0);
	for (int i = 0; i < 2 * SOME; i++)
		assert_int_equal(errors[i], i < SOME ? 0 : -E2BIG);
	assert_int_equal(esw_map_dump(path, NULL, 0, NULL, 0), SOME);
	assert_int_equal(esw_map_dump(path, out_keys, sizeof(out_keys), out_values,
				      sizeof(out_values)), SOME);
	for (int i = 0; i < SOME; i++)
		assert_int_equal(out_values[i], 100 + out_keys[i]);
	/* a smaller buffer gets what fits, and the count of all */
	memset(out_keys, 0xee, sizeof(out_keys));
	assert_int_equal(esw_map_dump(path, out_keys, 3 * 4 + 3, out_values, 8 * 8), SOME);
	assert_int_equal(out_keys[3], 0xeeeeeeee);
	/* deletes: absent keys in between are success */
	memset(errors, 1, sizeof(errors));
	assert_int_equal(esw_map_delete(path, keys, 4, 2 * SOME, errors, sizeof(errors)), 0);
	for (int i = 0; i < 2 * SOME; i++)
		assert_int_equal(errors[i], 0);
	assert_int_equal(esw_map_dump(path, NULL, 0, NULL, 0), 0);
}

static void test_per_cpu(void **state)
{
	const char *dir = pin_dir();
	uint32_t key = 2, keys[4], info[6];
	uint64_t values[256] = { 0 };
	int32_t error;

	(void)state;
	loaded(dir, "");
	assert_int_equal(esw_map_info(map_path(dir, "counts"), info, sizeof(info)), 0);
	assert_in_range(info[5], 1, 64);
	for (uint32_t cpu = 0; cpu < info[5]; cpu++)
		values[cpu] = cpu + 1;
	assert_int_equal(esw_map_update(map_path(dir, "counts"), &key, 4, values, 8 * info[5], 1,
					&error, 4), 0);
	assert_int_equal(error, 0);
	memset(values, 0, sizeof(values));
	assert_int_equal(esw_map_dump(map_path(dir, "counts"), keys, sizeof(keys), values,
				      4 * 8 * info[5]), 4);
	for (uint32_t cpu = 0; cpu < info[5]; cpu++)
		assert_int_equal(values[2 * info[5] + cpu], cpu + 1);
	assert_int_equal(esw_map_update(map_path(dir, "counts"), &key, 4, values, 7, 1, &error, 4),
			 -EINVAL);
}

static void test_map_arguments(void **state)
{
	const char *dir = pin_dir();
	uint32_t key = 1;
	uint64_t value = 1;
	int32_t error = 7;
	char path[256];

	(void)state;
	loaded(dir, "");
	snprintf(path, sizeof(path), "%s", map_path(dir, "numbers"));
	assert_int_equal(esw_map_update(path, &key, 5, &value, 8, 1, &error, 4), -EINVAL);
	assert_int_equal(esw_map_update(path, &key, 4, &value, 9, 1, &error, 4), -EINVAL);
	assert_int_equal(esw_map_update(path, &key, 4, &value, 8, 1, &error, 3), -EINVAL);
	assert_int_equal(esw_map_update(path, NULL, 4, &value, 8, 1, &error, 4), -EINVAL);
	assert_int_equal(esw_map_update(path, &key, 4, NULL, 8, 1, &error, 4), -EINVAL);
	assert_int_equal(esw_map_update(NULL, &key, 4, &value, 8, 1, &error, 4), -EINVAL);
	assert_int_equal(esw_map_delete(path, &key, 4, 0x40000000, &error, 4), -EINVAL);
	assert_int_equal(esw_map_delete("/none", &key, 4, 1, &error, 4), -ENOENT);
	assert_int_equal(esw_map_dump(path, NULL, 4, &value, 8), -EINVAL);
	assert_int_equal(error, 7);
	assert_int_equal(esw_map_update(path, NULL, 4, NULL, 8, 0, NULL, 0), 0);
}

static void test_fib(void **state)
{
	const char *dir = pin_dir();
	uint32_t keys[64], out_keys[64];
	uint64_t values[64], out_values[64];
	int32_t errors[64];
	int first, second;

	(void)state;
	loaded(dir, "");
	for (uint32_t i = 0; i < 64; i++) {
		keys[i] = i;
		values[i] = i * 3;
	}
	assert_int_equal(esw_fib_dump(dir, NULL, 0, NULL, 0), 0);
	first = esw_fib_swap(dir, keys, 4, values, 8, 64, 100);
	assert_true(first > 0);
	assert_int_equal(esw_fib_generation(dir), first);
	assert_int_equal(esw_fib_dump(dir, out_keys, sizeof(out_keys), out_values,
				      sizeof(out_values)), 64);
	for (int i = 0; i < 64; i++)
		assert_int_equal(out_values[i], out_keys[i] * 3);
	assert_int_equal(esw_fib_delete(dir, keys, 4, 60, errors, sizeof(errors)), 0);
	assert_int_equal(esw_fib_update(dir, keys, 4, values, 8, 2, errors, sizeof(errors)), 0);
	assert_int_equal(esw_fib_dump(dir, NULL, 0, NULL, 0), 6);
	second = esw_fib_swap(dir, NULL, 4, NULL, 8, 0, 10);
	assert_true(second > 0 && second != first);
	assert_int_equal(esw_fib_dump(dir, NULL, 0, NULL, 0), 0);
	/* refused swaps leave the live generation */
	assert_int_equal(esw_fib_swap(dir, keys, 4, values, 8, 64, 63), -E2BIG);
	assert_int_equal(esw_fib_swap(dir, keys, 8, values, 8, 1, 10), -EINVAL);
	assert_int_equal(esw_fib_swap(dir, NULL, 4, values, 8, 1, 10), -EINVAL);
	assert_int_equal(esw_fib_swap(dir, keys, 4, values, 8, 1, 0), -EINVAL);
	assert_int_equal(esw_fib_generation(dir), second);
	assert_int_equal(esw_fib_generation("/none"), -ENOENT);
	assert_int_equal(esw_fib_generation(NULL), -EINVAL);
}

static void test_bpffs(void **state)
{
	char path[96];
	const char *slash;

	(void)state;
	snprintf(path, sizeof(path), "%s", pin_dir());
	slash = strchr(path + 1, '/');
	assert_non_null(slash);
	/* inside a bpffs already: nothing to mount */
	*strrchr(path, '/') = '\0';
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(esw_bpffs_mount(path), 0);
	assert_int_equal(rmdir(path), 0);
	snprintf(path, sizeof(path), "/dev/shm/esw-test-%d/bpf", (int)getpid());
	assert_int_equal(esw_bpffs_mount(path), 1);
	assert_int_equal(esw_bpffs_mount(path), 0);
	assert_int_equal(esw_bpffs_unmount(path), 0);
	assert_int_equal(esw_bpffs_unmount(path), 0);
	assert_int_equal(rmdir(path), 0);
	*strrchr(path, '/') = '\0';
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(esw_bpffs_unmount(path), 0);
	assert_int_equal(esw_bpffs_mount(""), -EINVAL);
	assert_int_equal(esw_bpffs_mount("/proc/cannot-mkdir-here"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load_pins), cmocka_unit_test(test_reload_keeps_maps),
		cmocka_unit_test(test_other_shape_is_refused),
		cmocka_unit_test(test_verifier_speaks), cmocka_unit_test(test_load_arguments),
		cmocka_unit_test(test_map_batches), cmocka_unit_test(test_per_cpu),
		cmocka_unit_test(test_map_arguments), cmocka_unit_test(test_fib),
		cmocka_unit_test(test_bpffs),
	};

	need_root();
	return cmocka_run_group_tests(tests, bpffs_setup, bpffs_teardown);
}
