/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

#include <errno.h>
#include <string.h>

bool esw_text_ok(const char *field, size_t size)
{
	return memchr(field, '\0', size) != NULL;
}

void esw_text_copy(char *field, size_t size, const char *text)
{
	size_t len = text ? strnlen(text, size - 1) : 0;

	if (len)
		memcpy(field, text, len);
	memset(field + len, 0, size - len);
}

int esw_batch_check(struct esw_batch *batch, const void *buf, uint32_t len, uint32_t record_size)
{
	struct esw_batch_hdr hdr;

	if (!buf || len < sizeof(hdr))
		return -EINVAL;
	memcpy(&hdr, buf, sizeof(hdr));
	if (hdr.magic != ESW_BATCH_MAGIC || hdr.version != ESW_ABI_VERSION)
		return -EINVAL;
	if (hdr.record_size != record_size || hdr.count > ESW_BATCH_MAX)
		return -EINVAL;
	if (hdr.length != sizeof(hdr) + (uint64_t)hdr.count * record_size || hdr.length > len)
		return -EINVAL;
	*batch = (struct esw_batch){
		.records = (const uint8_t *)buf + sizeof(hdr),
		.record_size = record_size,
		.count = hdr.count,
	};
	return 0;
}

int esw_batch_open(struct esw_batch *batch, const void *buf, uint32_t len, uint32_t record_size,
		   void *results, uint32_t cap)
{
	int err = esw_batch_check(batch, buf, len, record_size);

	if (err)
		return err;
	if (batch->count && (!results || cap / sizeof(struct esw_result) < batch->count))
		return -EINVAL;
	batch->results = results;
	return 0;
}

void esw_batch_record(const struct esw_batch *batch, uint32_t index, void *record)
{
	memcpy(record, batch->records + (size_t)index * batch->record_size, batch->record_size);
}

void esw_batch_result(const struct esw_batch *batch, uint32_t index, int error, uint32_t ifindex,
		      const char *text)
{
	struct esw_result result = { .error = error, .ifindex = ifindex };

	esw_text_copy(result.extack, sizeof(result.extack), text);
	memcpy(batch->results + (size_t)index * sizeof(result), &result, sizeof(result));
}
