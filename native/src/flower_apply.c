/* SPDX-License-Identifier: Apache-2.0 */
#include "flower_apply.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static uint32_t hash_bytes(uint32_t hash, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ ((const uint8_t *)bytes)[i]) * 16777619u;
	return hash;
}

static uint32_t hash_name(const char *name)
{
	return hash_bytes(2166136261u, name, strnlen(name, ESW_NAME_LEN));
}

uint32_t esw_flower_share(const struct esw_flower_op *op, uint32_t sockets)
{
	uint32_t hash = hash_name(op->name);

	if (sockets == 1)
		return 0;
	hash = hash_bytes(hash, &op->chain, sizeof(op->chain));
	hash = hash_bytes(hash, &op->prio, sizeof(op->prio));
	hash = hash_bytes(hash, &op->handle, sizeof(op->handle));
	return (hash ^ hash >> 16) % sockets;
}

/* ---- links ----------------------------------------------------------------------------------- */

static struct esw_flower_link *slot_of(struct esw_flower_link *links, uint32_t room, const char *name)
{
	uint32_t at = hash_name(name) & (room - 1);

	while (links[at].name[0] && strcmp(links[at].name, name) != 0)
		at = (at + 1) & (room - 1);
	return &links[at];
}

static bool grow_links(struct esw_flower_worker *worker)
{
	uint32_t room = worker->link_room ? worker->link_room * 2 : 64;
	struct esw_flower_link *links = calloc(room, sizeof(*links));

	if (!links)
		return false;
	for (uint32_t i = 0; i < worker->link_room; i++) {
		if (worker->links[i].name[0])
			*slot_of(links, room, worker->links[i].name) = worker->links[i];
	}
	free(worker->links);
	worker->links = links;
	worker->link_room = room;
	return true;
}

struct esw_flower_link *esw_flower_link(struct esw_flower_worker *worker, const char *name)
{
	struct esw_flower_link *link;

	if (worker->link_count * 2 >= worker->link_room && !grow_links(worker))
		return NULL;
	link = slot_of(worker->links, worker->link_room, name);
	if (link->name[0])
		return link;
	esw_text_copy(link->name, sizeof(link->name), name);
	link->ifindex = esw_nl_ifindex(&worker->nl, name);
	worker->link_count++;
	return link;
}

/* ---- workers --------------------------------------------------------------------------------- */

static void fail_all(struct esw_flower_worker *worker, int err)
{
	struct esw_flower_batch *batch = worker->batch;

	for (uint32_t i = batch->first; i < batch->end; i++) {
		struct esw_flower_op op;

		esw_flower_record(batch, i, &op);
		if (esw_flower_share(&op, batch->sockets) != worker->number)
			continue;
		batch->results[i].error = err;
		batch->next[i] = ESW_STEP_DONE;
	}
}

static void *work(void *arg)
{
	struct esw_flower_worker *worker = arg;
	int err = esw_nl_open(&worker->nl, "", NETLINK_ROUTE);

	if (err) {
		fail_all(worker, err);
		return NULL;
	}
	esw_nl_txn_init(&worker->txn, &worker->nl);
	worker->txn.few_acks = true;
	esw_flower_work(worker);
	esw_nl_txn_free(&worker->txn);
	esw_nl_close(&worker->nl);
	free(worker->links);
	return NULL;
}

static void run_wave(struct esw_flower_batch *batch)
{
	struct esw_flower_worker workers[ESW_FLOWER_SOCKETS_MAX];
	pthread_t threads[ESW_FLOWER_SOCKETS_MAX];
	bool started[ESW_FLOWER_SOCKETS_MAX] = { false };

	memset(workers, 0, sizeof(workers));
	for (uint32_t i = 0; i < batch->sockets; i++) {
		workers[i].batch = batch;
		workers[i].number = i;
	}
	for (uint32_t i = 1; i < batch->sockets; i++)
		started[i] = pthread_create(&threads[i], NULL, work, &workers[i]) == 0;
	for (uint32_t i = 0; i < batch->sockets; i++) {
		/* The caller's thread takes its own share, and that of a thread that did not start. */
		if (!started[i])
			work(&workers[i]);
	}
	for (uint32_t i = 1; i < batch->sockets; i++) {
		if (started[i])
			pthread_join(threads[i], NULL);
	}
}

/* ---- the batch --------------------------------------------------------------------------------- */

void esw_flower_record(const struct esw_flower_batch *batch, uint32_t index, struct esw_flower_op *op)
{
	struct esw_flower_ref ref;

	if (!batch->owner) {
		esw_batch_record(&batch->batch, index, op);
		return;
	}
	esw_batch_record(&batch->batch, index, &ref);
	memset(op, 0, sizeof(*op));
	op->verb = ESW_FLOWER_DELETE;
	memcpy(op->name, ref.name, sizeof(op->name));
	op->chain = ref.chain;
	op->handle = ref.handle;
	op->prio = ref.prio;
	op->protocol = ref.protocol;
	memcpy(op->cookie, batch->owner, ESW_COOKIE_OWNER_LEN);
}

static uint32_t verb_of(const struct esw_flower_batch *batch, uint32_t index)
{
	uint32_t verb;

	if (batch->owner)
		return ESW_FLOWER_DELETE;
	memcpy(&verb, batch->batch.records + (size_t)index * batch->batch.record_size, sizeof(verb));
	return verb;
}

static void run_waves(struct esw_flower_batch *batch)
{
	uint32_t count = batch->batch.count;

	while (batch->first < count) {
		uint32_t verb = verb_of(batch, batch->first);

		batch->end = batch->first + 1;
		while (batch->end < count && verb_of(batch, batch->end) == verb)
			batch->end++;
		if (verb == ESW_FLOWER_DELETE)
			esw_flower_look_at_links(batch);
		run_wave(batch);
		esw_flower_forget_links(batch);
		if (verb == ESW_FLOWER_DELETE && batch->dir[0])
			esw_flower_remove_qdiscs(batch);
		batch->first = batch->end;
	}
}

static int run(struct esw_flower_batch *batch, void *results, uint32_t cap)
{
	uint32_t count = batch->batch.count;
	int err = 0;

	if (!batch->dir || !batch->sockets || batch->sockets > ESW_FLOWER_SOCKETS_MAX ||
	    cap / sizeof(struct esw_flower_result) < count || (count && !results))
		return -EINVAL;
	if (!count)
		return 0;
	batch->next = calloc(count, sizeof(*batch->next));
	batch->results = calloc(count, sizeof(*batch->results));
	if (batch->next && batch->results) {
		run_waves(batch);
		memcpy(results, batch->results, (size_t)count * sizeof(*batch->results));
	} else {
		err = -ENOMEM;
	}
	free(batch->next);
	free(batch->results);
	return err;
}

int esw_flower_apply(const void *buf, uint32_t len, void *results, uint32_t cap, uint32_t sockets,
		     const char *dir)
{
	struct esw_flower_batch batch = { .dir = dir, .sockets = sockets };
	int err = esw_batch_check(&batch.batch, buf, len, sizeof(struct esw_flower_op));

	return err ? err : run(&batch, results, cap);
}

int esw_flower_delete(const void *buf, uint32_t len, void *results, uint32_t cap, uint32_t sockets,
		      const char *dir, const uint8_t *owner)
{
	struct esw_flower_batch batch = { .dir = dir, .sockets = sockets, .owner = owner };
	int err = esw_batch_check(&batch.batch, buf, len, sizeof(struct esw_flower_ref));

	if (!err && !owner)
		err = -EINVAL;
	return err ? err : run(&batch, results, cap);
}
