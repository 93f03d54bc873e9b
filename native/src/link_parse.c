/* SPDX-License-Identifier: Apache-2.0 */
#include "link_parse.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink.h"


static void parse_info(const struct nlattr *info, struct esw_link_view *view)
{
	const struct nlattr *attr, *data = NULL;

	mnl_attr_for_each_nested(attr, info) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			esw_nl_text(attr, view->rec.kind, sizeof(view->rec.kind));
		else if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	if (!data || strcmp(view->rec.kind, "vlan") != 0)
		return;
	mnl_attr_for_each_nested(attr, data) {
		if (mnl_attr_get_type(attr) == IFLA_VLAN_ID)
			esw_nl_bytes(attr, &view->rec.vlan_id, sizeof(view->rec.vlan_id));
	}
}

static void parse_altnames(const struct nlattr *list, const char *mark, enum esw_altname_match match,
			   struct esw_link_view *view)
{
	const struct nlattr *attr;
	size_t mark_len = strlen(mark);

	mnl_attr_for_each_nested(attr, list) {
		/* Altnames may be longer than ours ever are: such a one is not ours. */
		char name[ESW_ALTNAME_LEN];

		if (mnl_attr_get_type(attr) != IFLA_ALT_IFNAME)
			continue;
		view->has_altnames = true;
		if (!mark_len || view->rec.altname[0] || !esw_nl_text(attr, name, sizeof(name)))
			continue;
		if (strncmp(name, mark, mark_len) != 0)
			continue;
		if (match == ESW_ALTNAME_PREFIX || name[mark_len] == '\0')
			memcpy(view->rec.altname, name, sizeof(name));
	}
}

static void parse_af_spec(const struct nlattr *spec, struct esw_link_view *view)
{
	const struct nlattr *family, *attr;
	uint8_t mode;

	mnl_attr_for_each_nested(family, spec) {
		if (mnl_attr_get_type(family) != AF_INET6)
			continue;
		mnl_attr_for_each_nested(attr, family) {
			if (mnl_attr_get_type(attr) == IFLA_INET6_ADDR_GEN_MODE &&
			    esw_nl_u8(attr, &mode))
				view->addr_gen_mode = mode;
		}
	}
}

int esw_link_parse(const struct nlmsghdr *nlh, const char *mark, enum esw_altname_match match,
		   struct esw_link_view *view)
{
	const struct ifinfomsg *ifi = esw_nl_fixed(nlh, sizeof(*ifi));
	struct esw_link_rec *rec = &view->rec;
	const struct nlattr *attr;
	uint32_t netnsid;

	if (nlh->nlmsg_type != RTM_NEWLINK || !ifi)
		return -EBADMSG;
	memset(view, 0, sizeof(*view));
	view->addr_gen_mode = -1;
	rec->ifindex = ifi->ifi_index;
	rec->flags = ifi->ifi_flags;
	rec->peer_netnsid = -1;
	esw_nl_for_each_attr(attr, nlh, sizeof(*ifi)) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			esw_nl_text(attr, rec->name, sizeof(rec->name));
			break;
		case IFLA_MTU:
			esw_nl_u32(attr, &rec->mtu);
			break;
		case IFLA_GROUP:
			esw_nl_u32(attr, &view->group);
			break;
		case IFLA_LINK:
			esw_nl_u32(attr, &rec->peer_ifindex);
			break;
		case IFLA_LINK_NETNSID:
			if (esw_nl_u32(attr, &netnsid))
				rec->peer_netnsid = (int32_t)netnsid;
			break;
		case IFLA_ADDRESS:
			/* Tunnels have 4- or 16-byte addresses here; only Ethernet ones are MACs. */
			if (mnl_attr_get_payload_len(attr) == sizeof(rec->mac))
				view->has_mac = esw_nl_bytes(attr, rec->mac, sizeof(rec->mac));
			break;
		case IFLA_OPERSTATE:
			esw_nl_u8(attr, &rec->operstate);
			break;
		case IFLA_LINKINFO:
			parse_info(attr, view);
			break;
		case IFLA_PROP_LIST:
			parse_altnames(attr, mark, match, view);
			break;
		case IFLA_AF_SPEC:
			parse_af_spec(attr, view);
			break;
		default:
			break;
		}
	}
	return 0;
}
