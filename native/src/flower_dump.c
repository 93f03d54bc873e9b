/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "batch.h"
#include "flower.h"
#include "netlink.h"
#include "records.h"

struct dumping {
	struct esw_records records;
	const uint8_t *owner;
	enum esw_flower_depth depth;
	bool terse;
	uint32_t before; /* records of the links before this one */
	const struct esw_nl *nl;
	const char *name; /* of this link */
	struct esw_flower_full rule;
	/* Names of the links that actions send to: usually the same few. */
	char last_name[ESW_NAME_LEN];
	uint32_t last_ifindex;
};

static void name_of(struct dumping *dumping, uint32_t ifindex, char *name)
{
	struct ifreq ifr;

	if (ifindex != dumping->last_ifindex) {
		memset(&ifr, 0, sizeof(ifr));
		ifr.ifr_ifindex = (int)ifindex;
		dumping->last_ifindex = ifindex;
		/* "" for a link that is gone, or is in another namespace. */
		if (!ifindex || ioctl(dumping->nl->fd, SIOCGIFNAME, &ifr) < 0)
			ifr.ifr_name[0] = '\0';
		esw_text_copy(dumping->last_name, sizeof(dumping->last_name), ifr.ifr_name);
	}
	memcpy(name, dumping->last_name, ESW_NAME_LEN);
}

static void name_links(struct dumping *dumping)
{
	struct esw_flower_full *rule = &dumping->rule;

	esw_text_copy(rule->name, sizeof(rule->name), dumping->name);
	for (uint32_t i = 0; i < rule->action_count; i++) {
		struct esw_flower_act *act = &rule->actions[i];

		if (act->kind == ESW_ACT_REDIRECT || act->kind == ESW_ACT_MIRROR)
			name_of(dumping, act->number, act->link);
	}
}

static int each(void *ctx, const struct nlmsghdr *nlh)
{
	struct dumping *dumping = ctx;

	if (esw_flower_parse(nlh, dumping->owner, dumping->depth, &dumping->rule) < 0)
		return 0;
	if (dumping->depth == ESW_FLOWER_ALL)
		name_links(dumping);
	esw_records_add(&dumping->records, &dumping->rule);
	return 0;
}

static void reset(void *ctx)
{
	struct dumping *dumping = ctx;

	dumping->records.total = dumping->before;
}

static void attributes(struct nlmsghdr *nlh, void *ctx)
{
	const struct dumping *dumping = ctx;
	const struct nla_bitfield32 terse = {
		.value = TCA_DUMP_FLAGS_TERSE, .selector = TCA_DUMP_FLAGS_TERSE,
	};

	if (dumping->terse)
		mnl_attr_put(nlh, TCA_DUMP_FLAGS, sizeof(terse), &terse);
}

static int dump_link(struct esw_nl *nl, struct dumping *dumping)
{
	int err, ifindex = esw_nl_ifindex(nl, dumping->name);
	const struct tcmsg tcm = {
		.tcm_ifindex = ifindex, .tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
	};
	const struct esw_nl_dump dump = {
		.type = RTM_GETTFILTER, .fixed = &tcm, .fixed_size = sizeof(tcm),
		.attributes = attributes, .each = each, .reset = reset, .ctx = dumping,
	};

	if (ifindex < 0)
		return 0;
	dumping->before = dumping->records.total;
	err = esw_nl_dump(nl, &dump);
	if (err == -EMSGSIZE && dumping->terse) {
		/* A filter of a kind that knows no terse dumps ends them, and cls_bpf is one: that is what our
		 * own hook is on clsact. Whole messages have the same and more. */
		dumping->terse = false;
		reset(dumping);
		err = esw_nl_dump(nl, &dump);
		dumping->terse = true;
	}
	/* No clsact on the link, or the link went: nothing to see. */
	return err == -EINVAL || err == -EOPNOTSUPP || err == -ENOENT || err == -ENODEV ? 0 : err;
}

static int dump_links(struct dumping *dumping, const char *names, uint32_t count)
{
	struct esw_nl nl;
	int err;

	for (uint32_t i = 0; i < count; i++) {
		if (!esw_text_ok(names + (size_t)i * ESW_NAME_LEN, ESW_NAME_LEN))
			return -EINVAL;
	}
	err = esw_nl_open(&nl, "", NETLINK_ROUTE);
	if (err)
		return err;
	dumping->nl = &nl;
	for (uint32_t i = 0; !err && i < count; i++) {
		dumping->name = names + (size_t)i * ESW_NAME_LEN;
		err = dump_link(&nl, dumping);
	}
	esw_nl_close(&nl);
	return err ? err : (int)dumping->records.total;
}

int esw_flower_dump(const char *names, uint32_t count, const uint8_t *owner, uint32_t terse, void *out,
		    uint32_t cap)
{
	struct dumping dumping = {
		.records = { .out = out, .cap = cap, .size = sizeof(struct esw_flower_rec) },
		.owner = owner, .depth = terse ? ESW_FLOWER_TERSE : ESW_FLOWER_COUNTERS,
		.terse = terse != 0,
	};

	if ((count && !names) || !owner || (cap && !out))
		return -EINVAL;
	return dump_links(&dumping, names, count);
}

int esw_flower_read(const char *names, uint32_t count, const uint8_t *owner, void *out, uint32_t cap)
{
	struct dumping dumping = {
		.records = { .out = out, .cap = cap, .size = sizeof(struct esw_flower_full) },
		.owner = owner, .depth = ESW_FLOWER_ALL,
	};

	if ((count && !names) || !owner || (cap && !out))
		return -EINVAL;
	return dump_links(&dumping, names, count);
}
