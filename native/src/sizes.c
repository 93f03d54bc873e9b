/* SPDX-License-Identifier: Apache-2.0 */
#include "sizes.h"

#include <errno.h>
#include <string.h>

static int parse_item(const char *text, size_t len, struct esw_sizes *sizes)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals ? (size_t)(equals - text) : 0;
	uint64_t entries = 0;

	if (!name_len || name_len >= ESW_MAP_NAME_LEN || sizes->count == ESW_SIZES_MAX ||
	    name_len + 1 == len)
		return -EINVAL;
	for (size_t i = name_len + 1; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		entries = entries * 10 + (uint64_t)(text[i] - '0');
		if (entries > UINT32_MAX)
			return -EINVAL;
	}
	if (!entries)
		return -EINVAL;
	memcpy(sizes->item[sizes->count].map, text, name_len);
	sizes->item[sizes->count].map[name_len] = '\0';
	sizes->item[sizes->count].entries = (uint32_t)entries;
	sizes->count++;
	return 0;
}

int esw_sizes_parse(const char *text, struct esw_sizes *sizes)
{
	memset(sizes, 0, sizeof(*sizes));
	while (*text) {
		size_t len = strcspn(text, ",");
		int err = parse_item(text, len, sizes);

		if (err)
			return err;
		text += len;
		if (*text == ',' && *++text == '\0')
			return -EINVAL;
	}
	return 0;
}
