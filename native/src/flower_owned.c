/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose the rules of a link are, by one terse dump. For deletes of many: looking at each would cost
 * more than deleting it.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "flower_apply.h"

#define MANY 256u /* deletes of one link that are worth its dump */
#define LINKS_MAX 64u /* dumped in one wave; more are looked at rule by rule */

struct identity {
	uint32_t chain;
	uint32_t handle;
	uint16_t prio;
	uint16_t protocol;
	uint32_t whose; /* ESW_NOT_KNOWN: a free slot */
};

struct owned_link {
	char name[ESW_NAME_LEN];
	uint32_t deletes;
	bool known;
	struct identity *rules; /* open addressing */
	uint32_t room, count;
};

struct esw_flower_owned {
	uint8_t owner[ESW_COOKIE_OWNER_LEN];
	struct owned_link links[LINKS_MAX];
	uint32_t count;
};

static uint32_t mix(uint32_t chain, uint32_t prio, uint32_t handle)
{
	uint32_t hash = handle * 2654435761u ^ prio * 2246822519u ^ chain * 3266489917u;

	return hash ^ hash >> 15;
}

static struct identity *slot_of(struct identity *rules, uint32_t room, uint32_t chain, uint16_t prio,
				uint16_t protocol, uint32_t handle)
{
	uint32_t at = mix(chain, prio, handle) & (room - 1);

	while (rules[at].whose &&
	       (rules[at].handle != handle || rules[at].prio != prio ||
		rules[at].chain != chain || rules[at].protocol != protocol))
		at = (at + 1) & (room - 1);
	return &rules[at];
}

static bool grow(struct owned_link *link)
{
	uint32_t room = link->room ? link->room * 2 : 4096;
	struct identity *rules = calloc(room, sizeof(*rules));

	if (!rules)
		return false;
	for (uint32_t i = 0; i < link->room; i++) {
		const struct identity *old = &link->rules[i];

		if (old->whose)
			*slot_of(rules, room, old->chain, old->prio, old->protocol, old->handle) = *old;
	}
	free(link->rules);
	link->rules = rules;
	link->room = room;
	return true;
}

/* ---- dumping --------------------------------------------------------------------------------- */

struct dumping {
	struct owned_link *link;
	const uint8_t *owner;
};

static int each(void *ctx, const struct nlmsghdr *nlh)
{
	struct dumping *dumping = ctx;
	struct owned_link *link = dumping->link;
	struct esw_flower_full rule;
	const struct esw_flower_rec *rec = &rule.rec;

	if (esw_flower_parse(nlh, dumping->owner, ESW_FLOWER_TERSE, &rule) < 0)
		return 0;
	if (link->count * 2 >= link->room && !grow(link))
		return -ENOMEM;
	*slot_of(link->rules, link->room, rec->chain, rec->prio, rec->protocol, rec->handle) =
		(struct identity){
			.chain = rec->chain, .handle = rec->handle, .prio = rec->prio,
			.protocol = rec->protocol,
			.whose = rec->flags & ESW_REC_OURS ? ESW_OURS : ESW_THEIRS,
		};
	link->count++;
	return 0;
}

static void reset(void *ctx)
{
	struct owned_link *link = ((struct dumping *)ctx)->link;

	memset(link->rules, 0, link->room * sizeof(*link->rules));
	link->count = 0;
}

static void attributes(struct nlmsghdr *nlh, void *ctx)
{
	const struct nla_bitfield32 terse = {
		.value = TCA_DUMP_FLAGS_TERSE, .selector = TCA_DUMP_FLAGS_TERSE,
	};

	(void)ctx;
	mnl_attr_put(nlh, TCA_DUMP_FLAGS, sizeof(terse), &terse);
}

static void dump(struct esw_nl *nl, struct owned_link *link, const uint8_t *owner)
{
	struct dumping dumping = { .link = link, .owner = owner };
	int err, ifindex = esw_nl_ifindex(nl, link->name);
	const struct tcmsg tcm = {
		.tcm_ifindex = ifindex, .tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
	};
	const struct esw_nl_dump request = {
		.type = RTM_GETTFILTER, .fixed = &tcm, .fixed_size = sizeof(tcm),
		.attributes = attributes, .each = each, .reset = reset, .ctx = &dumping,
	};

	if (ifindex < 0 || !grow(link))
		return;
	err = esw_nl_dump(nl, &request);
	link->known = err == 0;
}

/* ---- the wave -------------------------------------------------------------------------------- */

static struct owned_link *find(struct esw_flower_owned *owned, const char *name)
{
	for (uint32_t i = 0; i < owned->count; i++) {
		if (strncmp(owned->links[i].name, name, ESW_NAME_LEN) == 0)
			return &owned->links[i];
	}
	return NULL;
}

static void count_deletes(struct esw_flower_batch *batch)
{
	struct owned_link *link = NULL;

	for (uint32_t i = batch->first; i < batch->end; i++) {
		struct esw_flower_op op;

		esw_flower_record(batch, i, &op);
		if (!ESW_FIELD_OK(op.name))
			continue;
		if (!link || strcmp(link->name, op.name) != 0)
			link = find(batch->owned, op.name);
		if (!link && batch->owned->count < LINKS_MAX) {
			link = &batch->owned->links[batch->owned->count++];
			esw_text_copy(link->name, sizeof(link->name), op.name);
		}
		if (link)
			link->deletes++;
	}
}

void esw_flower_look_at_links(struct esw_flower_batch *batch)
{
	struct esw_flower_op op;
	struct esw_nl nl;

	if (batch->end - batch->first < MANY || esw_nl_open(&nl, "", NETLINK_ROUTE) < 0)
		return;
	batch->owned = calloc(1, sizeof(*batch->owned));
	if (batch->owned) {
		count_deletes(batch);
		/* The owner of the first record; rules of any other are looked at one by one. */
		esw_flower_record(batch, batch->first, &op);
		memcpy(batch->owned->owner, op.cookie, sizeof(batch->owned->owner));
		for (uint32_t i = 0; i < batch->owned->count; i++) {
			if (batch->owned->links[i].deletes >= MANY)
				dump(&nl, &batch->owned->links[i], batch->owned->owner);
		}
	}
	esw_nl_close(&nl);
}

void esw_flower_forget_links(struct esw_flower_batch *batch)
{
	if (!batch->owned)
		return;
	for (uint32_t i = 0; i < batch->owned->count; i++)
		free(batch->owned->links[i].rules);
	free(batch->owned);
	batch->owned = NULL;
}

enum esw_flower_whose esw_flower_whose(const struct esw_flower_batch *batch,
				       const struct esw_flower_op *op)
{
	struct owned_link *link = find(batch->owned, op->name);
	const struct identity *rule;

	if (!link || !link->known ||
	    memcmp(op->cookie, batch->owned->owner, ESW_COOKIE_OWNER_LEN) != 0)
		return ESW_NOT_KNOWN;
	rule = slot_of(link->rules, link->room, op->chain, op->prio, op->protocol, op->handle);
	return rule->whose == ESW_NOT_KNOWN ? ESW_NOBODYS : rule->whose;
}
