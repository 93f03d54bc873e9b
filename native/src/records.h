/* SPDX-License-Identifier: Apache-2.0
 *
 * The output side of a dump: counts every record, keeps as many whole ones as the caller's buffer
 * holds. Header-only, it is three lines of arithmetic.
 */
#ifndef ESW_RECORDS_H
#define ESW_RECORDS_H

#include <stdint.h>
#include <string.h>

struct esw_records {
	uint8_t *out; /* may be NULL when cap is 0 */
	uint32_t cap; /* bytes */
	uint32_t size; /* of one record */
	uint32_t total;
};

static inline void esw_records_add(struct esw_records *records, const void *record)
{
	uint64_t at = (uint64_t)records->total * records->size;

	if (records->out && at + records->size <= records->cap)
		memcpy(records->out + at, record, records->size);
	records->total++;
}

#endif
