/* SPDX-License-Identifier: Apache-2.0
 *
 * Map operations on an fd; the ABI's functions open a pin (or the live generation) around them.
 */
#ifndef ESW_BPF_MAP_H
#define ESW_BPF_MAP_H

#include <stdint.h>

#include "api.h"

struct esw_map {
	int fd; /* borrowed */
	uint32_t type;
	uint32_t id;
	uint32_t flags;
	uint32_t max_entries;
	uint32_t key_size;
	uint32_t value_size; /* of one element in user space: all CPUs of a per-CPU map */
};

int esw_map_adopt(struct esw_map *map, int fd);
int esw_map_id(int fd);

/* All or nothing in the answer: 0, or the errno of the first element that was refused. */
int esw_map_put_all(const struct esw_map *map, const void *keys, const void *values, uint32_t count);

int esw_map_update_fd(int fd, const void *keys, uint32_t key_size, const void *values,
		      uint32_t value_size, uint32_t count, int32_t *errors, uint32_t errors_len);
int esw_map_delete_fd(int fd, const void *keys, uint32_t key_size, uint32_t count, int32_t *errors,
		      uint32_t errors_len);
int esw_map_dump_fd(int fd, void *keys, uint32_t keys_cap, void *values, uint32_t values_cap);

#endif
