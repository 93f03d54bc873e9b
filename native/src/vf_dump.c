/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "nic_parse.h"
#include "records.h"
#include "rt_apply.h"

static void parse_vlan(const struct nlattr *attr, struct esw_vf_rec *rec)
{
	struct ifla_vf_vlan vlan;

	if (!esw_nl_bytes(attr, &vlan, sizeof(vlan)))
		return;
	rec->vlan = (uint16_t)vlan.vlan;
	rec->qos = (uint8_t)vlan.qos;
	if (!rec->vlan_proto)
		rec->vlan_proto = ETH_P_8021Q;
	rec->has |= ESW_VF_VLAN;
}

/* The list has the protocol; the kernel gives one entry. */
static void parse_vlan_list(const struct nlattr *list, struct esw_vf_rec *rec)
{
	struct ifla_vf_vlan_info info;
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, list) {
		if (mnl_attr_get_type(attr) == IFLA_VF_VLAN_INFO &&
		    esw_nl_bytes(attr, &info, sizeof(info)) && info.vlan_proto)
			rec->vlan_proto = ntohs(info.vlan_proto);
	}
}

static bool parse_setting(const struct nlattr *attr, uint8_t *out)
{
	struct ifla_vf_spoofchk pair; /* trust and link state have the same two words */

	if (!esw_nl_bytes(attr, &pair, sizeof(pair)) || pair.setting == UINT32_MAX)
		return false;
	*out = (uint8_t)pair.setting;
	return true;
}

static void parse_attr(const struct nlattr *attr, struct esw_vf_rec *rec)
{
	struct ifla_vf_mac mac;
	struct ifla_vf_rate rate;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_VF_MAC:
		if (esw_nl_bytes(attr, &mac, sizeof(mac))) {
			rec->vf = mac.vf;
			memcpy(rec->mac, mac.mac, sizeof(rec->mac));
			rec->has |= ESW_VF_MAC;
		}
		break;
	case IFLA_VF_VLAN:
		parse_vlan(attr, rec);
		break;
	case IFLA_VF_VLAN_LIST:
		parse_vlan_list(attr, rec);
		break;
	case IFLA_VF_RATE:
		if (esw_nl_bytes(attr, &rate, sizeof(rate))) {
			rec->min_tx_rate = rate.min_tx_rate;
			rec->max_tx_rate = rate.max_tx_rate;
			rec->has |= ESW_VF_RATE;
		}
		break;
	case IFLA_VF_SPOOFCHK:
		rec->has |= parse_setting(attr, &rec->spoofchk) ? ESW_VF_SPOOFCHK : 0;
		break;
	case IFLA_VF_TRUST:
		rec->has |= parse_setting(attr, &rec->trust) ? ESW_VF_TRUST : 0;
		break;
	case IFLA_VF_LINK_STATE:
		rec->has |= parse_setting(attr, &rec->link_state) ? ESW_VF_LINK_STATE : 0;
		break;
	default:
		break;
	}
}

void esw_vf_parse(const struct nlmsghdr *nlh, esw_vf_add_fn add, void *ctx)
{
	const struct ifinfomsg *ifi = esw_nl_fixed(nlh, sizeof(*ifi));
	const struct nlattr *list, *vf, *attr;

	if (nlh->nlmsg_type != RTM_NEWLINK || !ifi)
		return;
	esw_nl_for_each_attr(list, nlh, sizeof(*ifi)) {
		if (mnl_attr_get_type(list) != IFLA_VFINFO_LIST)
			continue;
		mnl_attr_for_each_nested(vf, list) {
			struct esw_vf_rec rec = { .ifindex = (uint32_t)ifi->ifi_index };

			if (mnl_attr_get_type(vf) != IFLA_VF_INFO)
				continue;
			mnl_attr_for_each_nested(attr, vf)
				parse_attr(attr, &rec);
			/* The MAC comes with the number, and every driver gives it. */
			if (rec.has & ESW_VF_MAC)
				add(ctx, &rec);
		}
	}
}

static void add_record(void *ctx, const struct esw_vf_rec *rec)
{
	esw_records_add(ctx, rec);
}

static void each(const struct nlmsghdr *nlh, void *ctx)
{
	esw_vf_parse(nlh, add_record, ctx);
}

static void reset(void *ctx)
{
	((struct esw_records *)ctx)->total = 0;
}

int esw_vf_dump(void *out, uint32_t cap)
{
	const struct {
		struct ifinfomsg ifi;
		struct nlattr attr;
		uint32_t mask;
	} request = {
		.attr = { .nla_len = sizeof(struct nlattr) + sizeof(uint32_t),
			  .nla_type = IFLA_EXT_MASK },
		.mask = RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS,
	};
	struct esw_records records = { .out = out, .cap = cap, .size = sizeof(struct esw_vf_rec) };
	const struct esw_rt_dump dump = {
		.request = RTM_GETLINK, .reply = RTM_NEWLINK, .fixed = &request,
		.fixed_size = sizeof(request), .each = each, .reset = reset, .ctx = &records,
	};
	int err = cap && !out ? -EINVAL : esw_rt_dump("", &dump);

	return err ? err : (int)records.total;
}
