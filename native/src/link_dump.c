/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "batch.h"
#include "link_wave.h"
#include "netlink.h"
#include "records.h"

const struct esw_link_dump_request esw_link_dump_request = {
	.attr = { .nla_len = sizeof(struct nlattr) + sizeof(uint32_t), .nla_type = IFLA_EXT_MASK },
	/* Statistics are most of a link's bytes and nobody here reads them. */
	.mask = RTEXT_FILTER_SKIP_STATS,
};

struct link_dump {
	struct esw_records records;
	const char *mark;
	bool only_marked;
};

static void reset(void *ctx)
{
	((struct link_dump *)ctx)->records.total = 0;
}

static int each(void *ctx, const struct nlmsghdr *nlh)
{
	struct link_dump *dump = ctx;
	struct esw_link_view view;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return 0;
	if (esw_link_parse(nlh, dump->mark, ESW_ALTNAME_PREFIX, &view) < 0)
		return -EBADMSG;
	if (!dump->only_marked || view.rec.altname[0])
		esw_records_add(&dump->records, &view.rec);
	return 0;
}

int esw_link_dump(const char *netns, const char *mark, uint32_t only_marked, void *out, uint32_t cap)
{
	struct link_dump state = {
		.records = { .out = out, .cap = cap, .size = sizeof(struct esw_link_rec) },
		.mark = mark,
		.only_marked = only_marked != 0,
	};
	const struct esw_nl_dump dump = {
		.type = RTM_GETLINK, .fixed = &esw_link_dump_request,
		.fixed_size = sizeof(esw_link_dump_request),
		.each = each, .reset = reset, .ctx = &state,
	};
	struct esw_nl nl;
	int err;

	if (!netns || !mark || strlen(mark) >= ESW_ALTNAME_LEN || (cap && !out))
		return -EINVAL;
	err = esw_nl_open(&nl, netns, NETLINK_ROUTE);
	if (err)
		return err;
	err = esw_nl_dump(&nl, &dump);
	esw_nl_close(&nl);
	return err ? err : (int)state.records.total;
}
