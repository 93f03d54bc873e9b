/* SPDX-License-Identifier: Apache-2.0
 *
 * Map batches: BPF_MAP_*_BATCH where the kernel has it for the map's type, else one call each.
 */
#include "bpf_map.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf_sys.h"

static bool per_cpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

int esw_map_adopt(struct esw_map *map, int fd)
{
	struct bpf_map_info info;
	uint32_t len = sizeof(info);
	int cpus = libbpf_num_possible_cpus();

	memset(&info, 0, sizeof(info));
	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	if (cpus < 1)
		return cpus < 0 ? cpus : -EIO;
	*map = (struct esw_map){
		.fd = fd, .type = info.type, .id = info.id, .flags = info.map_flags,
		.max_entries = info.max_entries, .key_size = info.key_size,
		.value_size = info.value_size,
	};
	if (per_cpu(info.type))
		map->value_size = (info.value_size + 7) / 8 * 8 * (uint32_t)cpus;
	return 0;
}

int esw_map_id(int fd)
{
	struct esw_map map;
	int err = esw_map_adopt(&map, fd);

	return err ? err : (int)map.id;
}

/* ---- update and delete ----------------------------------------------------------------------- */

/* One run over a batch: keys (and values of an update) packed one after the other. */
struct run {
	struct esw_map map;
	const uint8_t *keys;
	const uint8_t *values; /* NULL: delete */
	int32_t *errors;
	uint32_t count;
	bool no_batch; /* this kernel has no batch operation for this map */
};

static int one(const struct run *run, uint32_t at)
{
	const void *key = run->keys + (size_t)at * run->map.key_size;
	int ret;

	if (run->values)
		ret = bpf_map_update_elem(run->map.fd, key,
					  run->values + (size_t)at * run->map.value_size, BPF_ANY);
	else
		ret = bpf_map_delete_elem(run->map.fd, key);
	if (ret == 0)
		return 0;
	return !run->values && errno == ENOENT ? 0 : -errno;
}

/* Does as many elements from `at` as the kernel takes in one go. Returns how many were done. */
static uint32_t many(struct run *run, uint32_t at)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	const void *keys = run->keys + (size_t)at * run->map.key_size;
	uint32_t wanted = run->count - at, done = wanted;
	int ret;

	if (run->values)
		ret = bpf_map_update_batch(run->map.fd, keys,
					   run->values + (size_t)at * run->map.value_size, &done,
					   &opts);
	else
		ret = bpf_map_delete_batch(run->map.fd, keys, &done, &opts);
	if (ret == 0)
		return wanted;
	/* The count comes back untouched when the command itself was refused. */
	if (done >= wanted) {
		run->no_batch = true;
		return 0;
	}
	return done;
}

static void run_all(struct run *run)
{
	uint32_t at = 0;

	while (at < run->count) {
		if (!run->no_batch && run->count - at > 1) {
			uint32_t done = many(run, at);

			memset(run->errors + at, 0, done * sizeof(*run->errors));
			at += done;
			if (at >= run->count || run->no_batch)
				continue;
		}
		/* The element that stopped the batch: its own call tells why. */
		run->errors[at] = one(run, at);
		at++;
	}
}

static bool errors_fit(uint32_t count, const int32_t *errors, uint32_t errors_len)
{
	return !count || (errors && errors_len / sizeof(*errors) >= count);
}

int esw_map_update_fd(int fd, const void *keys, uint32_t key_size, const void *values,
		      uint32_t value_size, uint32_t count, int32_t *errors, uint32_t errors_len)
{
	struct run run = { .keys = keys, .values = values, .errors = errors, .count = count };
	int err = esw_map_adopt(&run.map, fd);

	if (err)
		return err;
	if (run.map.key_size != key_size || run.map.value_size != value_size ||
	    !errors_fit(count, errors, errors_len) || (count && (!keys || !values)))
		return -EINVAL;
	run_all(&run);
	return 0;
}

int esw_map_delete_fd(int fd, const void *keys, uint32_t key_size, uint32_t count, int32_t *errors,
		      uint32_t errors_len)
{
	struct run run = { .keys = keys, .errors = errors, .count = count };
	int err = esw_map_adopt(&run.map, fd);

	if (err)
		return err;
	if (run.map.key_size != key_size || !errors_fit(count, errors, errors_len) ||
	    (count && !keys))
		return -EINVAL;
	run_all(&run);
	return 0;
}

int esw_map_put_all(const struct esw_map *map, const void *keys, const void *values, uint32_t count)
{
	struct run run = { .map = *map, .keys = keys, .values = values, .count = count };
	int err = 0;

	run.errors = calloc(count, sizeof(*run.errors));
	if (!run.errors)
		return -ENOMEM;
	run_all(&run);
	for (uint32_t i = 0; i < count && !err; i++)
		err = run.errors[i];
	free(run.errors);
	return err;
}

/* ---- pins ------------------------------------------------------------------------------------ */

static int open_pin(const char *path)
{
	int fd;

	if (!path || !path[0])
		return -EINVAL;
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int esw_map_update(const char *path, const void *keys, uint32_t key_size, const void *values,
		   uint32_t value_size, uint32_t count, int32_t *errors, uint32_t errors_len)
{
	int fd = open_pin(path);
	int ret;

	if (fd < 0)
		return fd;
	ret = esw_map_update_fd(fd, keys, key_size, values, value_size, count, errors, errors_len);
	close(fd);
	return ret;
}

int esw_map_delete(const char *path, const void *keys, uint32_t key_size, uint32_t count,
		   int32_t *errors, uint32_t errors_len)
{
	int fd = open_pin(path);
	int ret;

	if (fd < 0)
		return fd;
	ret = esw_map_delete_fd(fd, keys, key_size, count, errors, errors_len);
	close(fd);
	return ret;
}

int esw_map_dump(const char *path, void *keys, uint32_t keys_cap, void *values, uint32_t values_cap)
{
	int fd = open_pin(path);
	int ret;

	if (fd < 0)
		return fd;
	ret = esw_map_dump_fd(fd, keys, keys_cap, values, values_cap);
	close(fd);
	return ret;
}

int esw_map_info(const char *path, uint32_t *out, uint32_t cap)
{
	struct bpf_map_info info;
	uint32_t len = sizeof(info);
	int fd, err = 0;

	if (!out || cap < 6 * sizeof(*out))
		return -EINVAL;
	fd = open_pin(path);
	if (fd < 0)
		return fd;
	memset(&info, 0, sizeof(info));
	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		err = -errno;
	close(fd);
	if (err)
		return err;
	out[0] = info.key_size;
	out[1] = info.value_size;
	out[2] = info.max_entries;
	out[3] = info.type;
	out[4] = info.id;
	out[5] = (uint32_t)libbpf_num_possible_cpus();
	return 0;
}
