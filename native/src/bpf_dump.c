/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole-map dumps. BPF_MAP_LOOKUP_BATCH walks a hash bucket by bucket and so is not thrown back to
 * the start by a concurrent delete, as get_next_key is.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bpf_map.h"
#include "bpf_sys.h"

#define CHUNK 1024u
#define CHUNK_MAX (1u << 20)

struct dump {
	struct esw_map map;
	uint8_t *keys, *values; /* the caller's */
	uint64_t room;          /* elements that fit both */
	uint32_t total;
	uint32_t chunk;
	uint8_t *chunk_keys, *chunk_values;
	uint8_t *cursor; /* two of them: in and out */
};

static void keep(struct dump *dump, const uint8_t *keys, const uint8_t *values, uint32_t count)
{
	uint64_t fit = dump->total < dump->room ? dump->room - dump->total : 0;
	size_t take = fit < count ? (size_t)fit : count;

	if (take) {
		memcpy(dump->keys + (size_t)dump->total * dump->map.key_size, keys,
		       take * dump->map.key_size);
		memcpy(dump->values + (size_t)dump->total * dump->map.value_size, values,
		       take * dump->map.value_size);
	}
	dump->total += count;
}

static int resize(struct dump *dump, uint32_t chunk)
{
	free(dump->chunk_keys);
	free(dump->chunk_values);
	dump->chunk = chunk;
	dump->chunk_keys = malloc((size_t)chunk * dump->map.key_size);
	dump->chunk_values = malloc((size_t)chunk * dump->map.value_size);
	return dump->chunk_keys && dump->chunk_values ? 0 : -ENOMEM;
}

/* 0, -errno, or 1: the kernel has no batch lookup for this map. */
static int dump_batches(struct dump *dump, size_t cursor_size)
{
	uint8_t *in = NULL, *out = dump->cursor, *spare = dump->cursor + cursor_size;

	for (;;) {
		LIBBPF_OPTS(bpf_map_batch_opts, opts);
		uint32_t count = dump->chunk;
		int err = bpf_map_lookup_batch(dump->map.fd, in, out, dump->chunk_keys,
					       dump->chunk_values, &count, &opts) < 0 ? -errno : 0;

		if (err == -ENOSPC && dump->chunk < CHUNK_MAX) {
			/* One bucket of the hash is longer than the chunk. */
			err = resize(dump, dump->chunk * 2);
			if (err)
				return err;
			continue;
		}
		if (err && err != -ENOENT)
			return in == NULL ? 1 : err;
		keep(dump, dump->chunk_keys, dump->chunk_values, count);
		if (err == -ENOENT)
			return 0;
		in = out;
		out = spare;
		spare = in;
	}
}

static int dump_one_by_one(struct dump *dump)
{
	uint8_t *key = dump->chunk_keys;
	const void *previous = NULL;

	/* A delete during the walk restarts it; the bound keeps that finite. */
	for (uint64_t steps = 0; steps < 2ull * dump->map.max_entries + 16; steps++) {
		if (bpf_map_get_next_key(dump->map.fd, previous, key) < 0)
			return errno == ENOENT ? 0 : -errno;
		if (bpf_map_lookup_elem(dump->map.fd, key, dump->chunk_values) == 0)
			keep(dump, key, dump->chunk_values, 1);
		else if (errno != ENOENT)
			return -errno;
		previous = key;
	}
	return -EAGAIN;
}

int esw_map_dump_fd(int fd, void *keys, uint32_t keys_cap, void *values, uint32_t values_cap)
{
	struct dump dump = { .keys = keys, .values = values };
	size_t cursor_size;
	int err = esw_map_adopt(&dump.map, fd);

	if (err)
		return err;
	if ((keys_cap && !keys) || (values_cap && !values) || !dump.map.key_size ||
	    !dump.map.value_size)
		return -EINVAL;
	dump.room = keys_cap / dump.map.key_size;
	if (values_cap / dump.map.value_size < dump.room)
		dump.room = values_cap / dump.map.value_size;
	/* The cursor is a bucket number (u32) for hashes and a key for the other types. */
	cursor_size = dump.map.key_size > sizeof(uint32_t) ? dump.map.key_size : sizeof(uint32_t);
	dump.cursor = calloc(2, cursor_size);
	err = dump.cursor ? resize(&dump, CHUNK) : -ENOMEM;
	if (!err) {
		err = dump_batches(&dump, cursor_size);
		if (err == 1) {
			dump.total = 0;
			err = dump_one_by_one(&dump);
		}
	}
	free(dump.cursor);
	free(dump.chunk_keys);
	free(dump.chunk_values);
	return err ? err : (int)dump.total;
}
