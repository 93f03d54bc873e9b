/* SPDX-License-Identifier: Apache-2.0 */
#include "genl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>

#include "batch.h"

int esw_genl_command(const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = esw_nl_fixed(nlh, sizeof(*genl));

	return genl ? genl->cmd : -1;
}

static void parse_groups(const struct nlattr *list, const char *name,
			 struct esw_genl_family *family)
{
	const struct nlattr *group, *attr;

	mnl_attr_for_each_nested(group, list) {
		char text[GENL_NAMSIZ] = "";
		uint32_t id = 0;

		mnl_attr_for_each_nested(attr, group) {
			if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_NAME)
				esw_nl_text(attr, text, sizeof(text));
			else if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID)
				esw_nl_u32(attr, &id);
		}
		if (id && strcmp(text, name) == 0)
			family->group = id;
	}
}

bool esw_genl_parse_family(const struct nlmsghdr *nlh, const char *group_name,
			   struct esw_genl_family *family)
{
	const struct nlattr *attr;

	memset(family, 0, sizeof(*family));
	if (esw_genl_command(nlh) != CTRL_CMD_NEWFAMILY)
		return false;
	esw_genl_for_each_attr(attr, nlh) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			esw_nl_u16(attr, &family->id);
		else if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GROUPS && group_name)
			parse_groups(attr, group_name, family);
	}
	return family->id >= NLMSG_MIN_TYPE;
}

struct lookup {
	const char *group_name;
	struct esw_genl_family *family;
	bool found;
};

static void got_family(void *ctx, const struct esw_nl_req *req, const struct nlmsghdr *nlh)
{
	struct lookup *lookup = ctx;
	struct esw_genl_family family;

	(void)req;
	if (!esw_genl_parse_family(nlh, lookup->group_name, &family))
		return;
	*lookup->family = family;
	lookup->found = true;
}

static int look_up(struct esw_nl *nl, const char *name, struct lookup *lookup)
{
	const struct esw_genl_family ctrl = { .id = GENL_ID_CTRL };
	struct esw_nl_txn txn;
	struct nlmsghdr *nlh;
	int err;

	esw_nl_txn_init(&txn, nl);
	nlh = esw_genl_begin(&txn, &ctrl, CTRL_CMD_GETFAMILY);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, name);
	err = esw_nl_txn_push(&txn, 0);
	if (!err)
		err = esw_nl_txn_run(&txn, got_family, lookup);
	if (!err)
		err = txn.reqs[0].error;
	esw_nl_txn_free(&txn);
	if (!err && !lookup->found)
		err = -ENOENT;
	return err;
}

int esw_genl_open(struct esw_nl *nl, const char *name, const char *group_name,
		  struct esw_genl_family *family)
{
	struct lookup lookup = { .group_name = group_name, .family = family };
	int err = esw_nl_open(nl, "", NETLINK_GENERIC);

	if (err)
		return err;
	err = look_up(nl, name, &lookup);
	if (err)
		esw_nl_close(nl);
	return err;
}

struct nlmsghdr *esw_genl_begin(struct esw_nl_txn *txn, const struct esw_genl_family *family,
				uint8_t command)
{
	const struct genlmsghdr genl = { .cmd = command, .version = 1 };

	return esw_nl_txn_begin(txn, family->id, 0, &genl, sizeof(genl));
}

int esw_genl_dump(struct esw_nl *nl, const struct esw_genl_family *family,
		  const struct esw_genl_dump *dump)
{
	const struct genlmsghdr genl = { .cmd = dump->command, .version = 1 };
	const struct esw_nl_dump request = {
		.type = family->id, .fixed = &genl, .fixed_size = sizeof(genl),
		.each = dump->each, .reset = dump->reset, .ctx = dump->ctx,
	};

	return esw_nl_dump(nl, &request);
}
