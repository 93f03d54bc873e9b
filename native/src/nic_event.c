/* SPDX-License-Identifier: Apache-2.0
 *
 * The two event streams about NICs: devlink's, and that of links with a device below them.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/devlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "devlink_parse.h"
#include "genl.h"
#include "nic_parse.h"
#include "stream.h"

static bool parse_devlink(const struct nlmsghdr *nlh, void *record)
{
	return esw_devlink_parse_event(nlh, record);
}

int esw_devlink_event_open(void)
{
	static const struct esw_stream_kind kind = {
		.record_size = sizeof(struct esw_devlink_event), .parse = parse_devlink,
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

bool esw_nic_event_parse(const struct nlmsghdr *nlh, struct esw_nic_event *event)
{
	const struct ifinfomsg *ifi = esw_nl_fixed(nlh, sizeof(*ifi));
	const struct nlattr *attr;
	bool has_dev = false;

	memset(event, 0, sizeof(*event));
	if (nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK)
		return false;
	/* A bridge speaks of its ports in the same messages. */
	if (!ifi || ifi->ifi_family != AF_UNSPEC)
		return false;
	event->kind = nlh->nlmsg_type;
	event->ifindex = (uint32_t)ifi->ifi_index;
	esw_nl_for_each_attr(attr, nlh, sizeof(*ifi)) {
		if (mnl_attr_get_type(attr) == IFLA_PARENT_DEV_NAME)
			has_dev = esw_nl_text(attr, event->parent_dev, sizeof(event->parent_dev));
		else if (mnl_attr_get_type(attr) == IFLA_PARENT_DEV_BUS_NAME)
			esw_nl_text(attr, event->parent_bus, sizeof(event->parent_bus));
	}
	return has_dev;
}

static bool parse_link(const struct nlmsghdr *nlh, void *record)
{
	return esw_nic_event_parse(nlh, record);
}

int esw_nic_event_open(void)
{
	static const struct esw_stream_kind kind = {
		.record_size = sizeof(struct esw_nic_event), .parse = parse_link,
	};
	struct esw_nl nl;
	int err = esw_nl_open(&nl, "", NETLINK_ROUTE);

	if (err)
		return err;
	err = esw_stream_join(&nl, RTNLGRP_LINK);
	if (err) {
		esw_nl_close(&nl);
		return err;
	}
	return esw_stream_start(&nl, &kind);
}
