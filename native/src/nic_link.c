/* SPDX-License-Identifier: Apache-2.0
 *
 * Links with what they tell of the device below them.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "link_wave.h"
#include "nic_parse.h"
#include "records.h"
#include "rt_apply.h"

static void parse_kind(const struct nlattr *info, struct esw_nic_link *link)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, info) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			esw_nl_text(attr, link->kind, sizeof(link->kind));
	}
}

static void parse_altnames(const struct nlattr *list, struct esw_nic_link *link)
{
	const struct nlattr *attr;
	size_t used = 0;

	mnl_attr_for_each_nested(attr, list) {
		char name[ESW_ALTNAMES_LEN];
		size_t len, gap = used ? 1 : 0;

		if (mnl_attr_get_type(attr) != IFLA_ALT_IFNAME ||
		    !esw_nl_text(attr, name, sizeof(name)))
			continue;
		len = strlen(name);
		if (!len || used + gap + len >= sizeof(link->altnames))
			continue;
		if (gap)
			link->altnames[used++] = ' ';
		memcpy(link->altnames + used, name, len);
		used += len;
	}
}

static void parse_device(const struct nlattr *attr, struct esw_nic_link *link)
{
	uint32_t len = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case IFLA_PERM_ADDRESS:
		if (len == sizeof(link->perm_mac))
			esw_nl_bytes(attr, link->perm_mac, sizeof(link->perm_mac));
		break;
	case IFLA_PHYS_PORT_NAME:
		esw_nl_text(attr, link->port_name, sizeof(link->port_name));
		break;
	case IFLA_PHYS_SWITCH_ID:
		if (len <= sizeof(link->switch_id) && esw_nl_bytes(attr, link->switch_id, len))
			link->switch_id_len = len;
		break;
	case IFLA_PARENT_DEV_NAME:
		esw_nl_text(attr, link->parent_dev, sizeof(link->parent_dev));
		break;
	case IFLA_PARENT_DEV_BUS_NAME:
		esw_nl_text(attr, link->parent_bus, sizeof(link->parent_bus));
		break;
	default:
		break;
	}
}

bool esw_nic_link_parse(const struct nlmsghdr *nlh, struct esw_nic_link *link)
{
	const struct ifinfomsg *ifi = esw_nl_fixed(nlh, sizeof(*ifi));
	const struct nlattr *attr;
	bool has_mac = false;

	if (nlh->nlmsg_type != RTM_NEWLINK || !ifi)
		return false;
	memset(link, 0, sizeof(*link));
	link->ifindex = (uint32_t)ifi->ifi_index;
	link->flags = ifi->ifi_flags;
	esw_nl_for_each_attr(attr, nlh, sizeof(*ifi)) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			esw_nl_text(attr, link->name, sizeof(link->name));
			break;
		case IFLA_MTU:
			esw_nl_u32(attr, &link->mtu);
			break;
		case IFLA_ADDRESS:
			if (mnl_attr_get_payload_len(attr) == sizeof(link->mac))
				has_mac = esw_nl_bytes(attr, link->mac, sizeof(link->mac));
			break;
		case IFLA_LINKINFO:
			parse_kind(attr, link);
			break;
		case IFLA_PROP_LIST:
			parse_altnames(attr, link);
			break;
		default:
			parse_device(attr, link);
			break;
		}
	}
	return has_mac;
}

static void each(const struct nlmsghdr *nlh, void *ctx)
{
	struct esw_nic_link link;

	if (esw_nic_link_parse(nlh, &link))
		esw_records_add(ctx, &link);
}

static void reset(void *ctx)
{
	((struct esw_records *)ctx)->total = 0;
}

int esw_nic_link_dump(const char *netns, void *out, uint32_t cap)
{
	struct esw_records records = { .out = out, .cap = cap, .size = sizeof(struct esw_nic_link) };
	const struct esw_rt_dump dump = {
		.request = RTM_GETLINK, .reply = RTM_NEWLINK, .fixed = &esw_link_dump_request,
		.fixed_size = sizeof(esw_link_dump_request), .each = each, .reset = reset,
		.ctx = &records,
	};
	int err = cap && !out ? -EINVAL : esw_rt_dump(netns, &dump);

	return err ? err : (int)records.total;
}
