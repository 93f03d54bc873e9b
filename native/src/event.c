/* SPDX-License-Identifier: Apache-2.0 */
#include "event.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "stream.h"

#define GROUPS_ALL (ESW_EVENT_LINK | ESW_EVENT_ADDR | ESW_EVENT_ROUTE)

static bool parse_link(const struct nlmsghdr *nlh, struct esw_event *event)
{
	const struct ifinfomsg *ifi = esw_nl_fixed(nlh, sizeof(*ifi));
	const struct nlattr *attr;

	/* A bridge speaks of its ports in the same messages: leaving one is no deletion. */
	if (!ifi || ifi->ifi_family != AF_UNSPEC)
		return false;
	event->ifindex = (uint32_t)ifi->ifi_index;
	event->flags = ifi->ifi_flags;
	esw_nl_for_each_attr(attr, nlh, sizeof(*ifi)) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			esw_nl_text(attr, event->name, sizeof(event->name));
	}
	return true;
}

static bool parse_addr(const struct nlmsghdr *nlh, struct esw_event *event)
{
	const struct ifaddrmsg *ifa = esw_nl_fixed(nlh, sizeof(*ifa));

	if (!ifa)
		return false;
	event->family = ifa->ifa_family;
	event->ifindex = ifa->ifa_index;
	event->flags = ifa->ifa_flags;
	return true;
}

static bool parse_route(const struct nlmsghdr *nlh, struct esw_event *event)
{
	const struct rtmsg *rtm = esw_nl_fixed(nlh, sizeof(*rtm));
	const struct nlattr *attr;

	if (!rtm)
		return false;
	event->family = rtm->rtm_family;
	event->flags = rtm->rtm_flags;
	esw_nl_for_each_attr(attr, nlh, sizeof(*rtm)) {
		if (mnl_attr_get_type(attr) == RTA_OIF)
			esw_nl_u32(attr, &event->ifindex);
	}
	return true;
}

bool esw_event_parse(const struct nlmsghdr *nlh, struct esw_event *event)
{
	memset(event, 0, sizeof(*event));
	event->kind = nlh->nlmsg_type;
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return parse_link(nlh, event);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return parse_addr(nlh, event);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return parse_route(nlh, event);
	default:
		return false;
	}
}

static bool parse(const struct nlmsghdr *nlh, void *record)
{
	return esw_event_parse(nlh, record);
}

static int join(const struct esw_nl *nl, uint32_t groups)
{
	static const struct {
		uint32_t bit;
		uint32_t group;
	} table[] = {
		{ ESW_EVENT_LINK, RTNLGRP_LINK },
		{ ESW_EVENT_ADDR, RTNLGRP_IPV4_IFADDR }, { ESW_EVENT_ADDR, RTNLGRP_IPV6_IFADDR },
		{ ESW_EVENT_ROUTE, RTNLGRP_IPV4_ROUTE }, { ESW_EVENT_ROUTE, RTNLGRP_IPV6_ROUTE },
	};
	int err = 0;

	for (size_t i = 0; i < ESW_ARRAY_SIZE(table) && !err; i++) {
		if (groups & table[i].bit)
			err = esw_stream_join(nl, table[i].group);
	}
	return err;
}

int esw_event_open(uint32_t groups)
{
	static const struct esw_stream_kind kind = {
		.record_size = sizeof(struct esw_event), .parse = parse,
	};
	struct esw_nl nl;
	int err;

	if (!groups || (groups & ~GROUPS_ALL))
		return -EINVAL;
	err = esw_nl_open(&nl, "", NETLINK_ROUTE);
	if (err)
		return err;
	err = join(&nl, groups);
	if (err) {
		esw_nl_close(&nl);
		return err;
	}
	return esw_stream_start(&nl, &kind);
}
