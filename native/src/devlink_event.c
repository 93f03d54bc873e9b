/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/devlink.h>

#include "devlink_parse.h"
#include "genl.h"
#include "stream.h"

static bool parse(const struct nlmsghdr *nlh, void *record)
{
	return esw_devlink_parse_event(nlh, record);
}

int esw_devlink_event_open(void)
{
	static const struct esw_stream_kind kind = {
		.record_size = sizeof(struct esw_devlink_event), .parse = parse,
	};
	struct esw_genl_family family;
	struct esw_nl nl;
	int err = esw_genl_open(&nl, DEVLINK_GENL_NAME, DEVLINK_GENL_MCGRP_CONFIG_NAME, &family);

	if (err)
		return err;
	err = family.group ? esw_stream_join(&nl, family.group) : -ENOENT;
	if (err) {
		esw_nl_close(&nl);
		return err;
	}
	return esw_stream_start(&nl, &kind);
}
