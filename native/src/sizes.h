/* SPDX-License-Identifier: Apache-2.0
 *
 * The `sizes` argument of esw_bpf_load: "map=entries,map=entries".
 */
#ifndef ESW_SIZES_H
#define ESW_SIZES_H

#include <stddef.h>
#include <stdint.h>

#define ESW_SIZES_MAX 16u
#define ESW_MAP_NAME_LEN 64

struct esw_sizes {
	struct {
		char map[ESW_MAP_NAME_LEN];
		uint32_t entries;
	} item[ESW_SIZES_MAX];
	uint32_t count;
};

/* 0 or -EINVAL. */
int esw_sizes_parse(const char *text, struct esw_sizes *sizes);

#endif
