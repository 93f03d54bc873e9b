/* SPDX-License-Identifier: Apache-2.0
 *
 * A batch as the caller hands it over: header, then records of one size. Nothing in it is trusted
 * and nothing is assumed about its alignment; records are copied out before they are read.
 */
#ifndef ESW_BATCH_H
#define ESW_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api.h"

struct esw_batch {
	const uint8_t *records;
	uint8_t *results;
	uint32_t record_size;
	uint32_t count;
};

/* Checks the header against `len` and `record_size`, for a batch without results. 0 or -EINVAL. */
int esw_batch_check(struct esw_batch *batch, const void *buf, uint32_t len, uint32_t record_size);

/* The same, and that `results` has room for one esw_result per record. On failure nothing was
 * written. */
int esw_batch_open(struct esw_batch *batch, const void *buf, uint32_t len, uint32_t record_size,
		   void *results, uint32_t cap);

/* Copies record `index` (< count) to `record`. */
void esw_batch_record(const struct esw_batch *batch, uint32_t index, void *record);

/* Writes the result of record `index`. `text` may be NULL and is cut to the field. */
void esw_batch_result(const struct esw_batch *batch, uint32_t index, int error, uint32_t ifindex,
		      const char *text);

/* True if the fixed field holds a terminator. */
bool esw_text_ok(const char *field, size_t size);

/* Copies `text` (may be NULL) into a field of `size` bytes, cut and always terminated. */
void esw_text_copy(char *field, size_t size, const char *text);

#define ESW_FIELD_OK(field) esw_text_ok((field), sizeof(field))

#endif
