/* SPDX-License-Identifier: Apache-2.0 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include "bpf_map.h"
#include "bpf_sys.h"
#include "fib.h"

int esw_fib_live(int outer_fd)
{
	uint32_t slot = 0, id = 0;
	int fd;

	/* Userspace reads the id of the inner map where a program reads the map itself. */
	if (bpf_map_lookup_elem(outer_fd, &slot, &id) < 0)
		return -errno;
	fd = bpf_map_get_fd_by_id(id);
	return fd < 0 ? -errno : fd;
}

int esw_fib_create(const struct esw_fib_shape *shape)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = shape->flags);
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "esw_fib", shape->key_size, shape->value_size,
				shape->max_entries, &opts);

	return fd < 0 ? -errno : fd;
}

int esw_fib_install(int outer_fd, int inner_fd)
{
	uint32_t slot = 0;

	return bpf_map_update_elem(outer_fd, &slot, &inner_fd, BPF_ANY) < 0 ? -errno : 0;
}

static int open_outer(const char *dir)
{
	char path[ESW_PIN_LEN];
	int fd, err;

	if (!dir)
		return -EINVAL;
	err = esw_pin_path(path, dir, "maps", ESW_FIB_MAP, "");
	if (err)
		return err;
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

static int open_live(const char *dir)
{
	int outer = open_outer(dir);
	int fd;

	if (outer < 0)
		return outer;
	fd = esw_fib_live(outer);
	close(outer);
	return fd;
}

/* Fills a new generation; any element that is refused fails the whole swap. */
static int fill(int fd, const void *keys, const void *values, uint32_t count)
{
	struct esw_map map;
	int err = esw_map_adopt(&map, fd);

	if (!err && count)
		err = esw_map_put_all(&map, keys, values, count);
	return err;
}

static int swap(int outer, const struct esw_fib_shape *wish, const void *keys, const void *values,
		uint32_t count)
{
	struct esw_fib_shape shape = *wish;
	int live = esw_fib_live(outer);
	struct esw_map map;
	int fd, id, err;

	shape.flags = BPF_F_NO_PREALLOC;
	if (live >= 0) {
		err = esw_map_adopt(&map, live);
		close(live);
		if (err)
			return err;
		if (map.key_size != shape.key_size || map.value_size != shape.value_size)
			return -EINVAL;
		shape.flags = map.flags;
	} else if (live != -ENOENT) {
		return live;
	}
	fd = esw_fib_create(&shape);
	if (fd < 0)
		return fd;
	err = fill(fd, keys, values, count);
	if (!err)
		err = esw_fib_install(outer, fd);
	id = err ? err : esw_map_id(fd);
	close(fd);
	return id;
}

int esw_fib_swap(const char *dir, const void *keys, uint32_t key_size, const void *values,
		 uint32_t value_size, uint32_t count, uint32_t max_entries)
{
	const struct esw_fib_shape shape = {
		.key_size = key_size, .value_size = value_size, .max_entries = max_entries,
	};
	int outer, ret;

	if (!key_size || !value_size || !max_entries || (count && (!keys || !values)))
		return -EINVAL;
	if (count > max_entries)
		return -E2BIG;
	outer = open_outer(dir);
	if (outer < 0)
		return outer;
	ret = swap(outer, &shape, keys, values, count);
	close(outer);
	return ret;
}

int esw_fib_update(const char *dir, const void *keys, uint32_t key_size, const void *values,
		   uint32_t value_size, uint32_t count, int32_t *errors, uint32_t errors_len)
{
	int fd = open_live(dir);
	int ret;

	if (fd < 0)
		return fd;
	ret = esw_map_update_fd(fd, keys, key_size, values, value_size, count, errors, errors_len);
	close(fd);
	return ret;
}

int esw_fib_delete(const char *dir, const void *keys, uint32_t key_size, uint32_t count,
		   int32_t *errors, uint32_t errors_len)
{
	int fd = open_live(dir);
	int ret;

	if (fd < 0)
		return fd;
	ret = esw_map_delete_fd(fd, keys, key_size, count, errors, errors_len);
	close(fd);
	return ret;
}

int esw_fib_dump(const char *dir, void *keys, uint32_t keys_cap, void *values, uint32_t values_cap)
{
	int fd = open_live(dir);
	int ret;

	if (fd < 0)
		return fd;
	ret = esw_map_dump_fd(fd, keys, keys_cap, values, values_cap);
	close(fd);
	return ret;
}

int esw_fib_generation(const char *dir)
{
	int fd = open_live(dir);
	int id;

	if (fd < 0)
		return fd;
	id = esw_map_id(fd);
	close(fd);
	return id;
}
