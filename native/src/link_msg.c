/* SPDX-License-Identifier: Apache-2.0 */
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "link_apply.h"

#define ADDR_GEN_MODE_NONE 1 /* IN6_ADDR_GEN_MODE_NONE */

static struct nlmsghdr *begin(struct esw_nl_txn *txn, uint16_t type, uint16_t flags, uint32_t ifindex)
{
	struct ifinfomsg ifi = { .ifi_index = (int)ifindex };

	return esw_nl_txn_begin(txn, type, flags, &ifi, sizeof(ifi));
}

int esw_link_get(struct esw_nl_txn *txn, const char *name, uint32_t ifindex, uint32_t tag)
{
	struct nlmsghdr *nlh = begin(txn, RTM_GETLINK, 0, ifindex);

	if (!ifindex)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return esw_nl_txn_push(txn, tag);
}

int esw_link_rename(struct esw_nl_txn *txn, uint32_t ifindex, const char *name, uint32_t tag)
{
	struct nlmsghdr *nlh = begin(txn, RTM_SETLINK, 0, ifindex);

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return esw_nl_txn_push(txn, tag);
}

int esw_link_flags(struct esw_nl_txn *txn, uint32_t ifindex, bool up, uint32_t tag)
{
	struct ifinfomsg ifi = {
		.ifi_index = (int)ifindex, .ifi_change = IFF_UP, .ifi_flags = up ? IFF_UP : 0,
	};

	esw_nl_txn_begin(txn, RTM_SETLINK, 0, &ifi, sizeof(ifi));
	return esw_nl_txn_push(txn, tag);
}

int esw_link_move(struct esw_nl_txn *txn, uint32_t ifindex, int netns_fd, const char *name,
		  uint32_t tag)
{
	struct nlmsghdr *nlh = begin(txn, RTM_SETLINK, 0, ifindex);

	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	if (name[0])
		mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return esw_nl_txn_push(txn, tag);
}

int esw_link_remove(struct esw_nl_txn *txn, uint32_t ifindex, uint32_t tag)
{
	begin(txn, RTM_DELLINK, 0, ifindex);
	return esw_nl_txn_push(txn, tag);
}

int esw_link_set_group(struct esw_nl_txn *txn, uint32_t ifindex, uint32_t group, uint32_t tag)
{
	struct nlmsghdr *nlh = begin(txn, RTM_SETLINK, 0, ifindex);

	mnl_attr_put_u32(nlh, IFLA_GROUP, group);
	return esw_nl_txn_push(txn, tag);
}

int esw_link_remove_group(struct esw_nl_txn *txn, uint32_t group, uint32_t tag)
{
	struct nlmsghdr *nlh = begin(txn, RTM_DELLINK, 0, 0);

	mnl_attr_put_u32(nlh, IFLA_GROUP, group);
	return esw_nl_txn_push(txn, tag);
}

static bool mac_given(const uint8_t *mac)
{
	static const uint8_t none[6];

	return memcmp(mac, none, sizeof(none)) != 0;
}

static void put_end(struct nlmsghdr *nlh, const char *name, const uint8_t *mac,
		    const struct esw_link_op *op)
{
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	if (mac_given(mac))
		mnl_attr_put(nlh, IFLA_ADDRESS, 6, mac);
	if (op->mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, op->mtu);
	if (op->txqueues) {
		mnl_attr_put_u32(nlh, IFLA_NUM_TX_QUEUES, op->txqueues);
		mnl_attr_put_u32(nlh, IFLA_NUM_RX_QUEUES, op->txqueues);
	}
}

int esw_link_create_veth(struct esw_nl_txn *txn, const struct esw_link_op *op, uint32_t tag)
{
	struct nlmsghdr *nlh = begin(txn, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	struct nlattr *info, *data, *peer;

	put_end(nlh, op->name, op->mac, op);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	memset(mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg)), 0, sizeof(struct ifinfomsg));
	put_end(nlh, op->peer_name, op->peer_mac, op);
	mnl_attr_nest_end(nlh, peer);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return esw_nl_txn_push(txn, tag);
}

int esw_link_create_child(struct esw_nl_txn *txn, const struct esw_link_op *op, uint32_t lower,
			  uint32_t tag)
{
	struct nlmsghdr *nlh = begin(txn, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	struct nlattr *info, *data;

	put_end(nlh, op->name, op->mac, op);
	mnl_attr_put_u32(nlh, IFLA_LINK, lower);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, op->verb == ESW_LINK_VLAN ? "vlan" : "macvlan");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	if (op->verb == ESW_LINK_VLAN)
		mnl_attr_put_u16(nlh, IFLA_VLAN_ID, op->vlan_id);
	else
		mnl_attr_put_u32(nlh, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return esw_nl_txn_push(txn, tag);
}

static int put_altname(struct esw_nl_txn *txn, uint32_t ifindex, const char *altname, uint32_t tag)
{
	struct nlmsghdr *nlh = begin(txn, RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL, ifindex);
	struct nlattr *list = mnl_attr_nest_start(nlh, IFLA_PROP_LIST);

	mnl_attr_put_strz(nlh, IFLA_ALT_IFNAME, altname);
	mnl_attr_nest_end(nlh, list);
	return esw_nl_txn_push(txn, tag);
}

int esw_link_del_altname(struct esw_nl_txn *txn, uint32_t ifindex, const char *altname, uint32_t tag)
{
	struct nlmsghdr *nlh = begin(txn, RTM_DELLINKPROP, 0, ifindex);
	struct nlattr *list = mnl_attr_nest_start(nlh, IFLA_PROP_LIST);

	mnl_attr_put_strz(nlh, IFLA_ALT_IFNAME, altname);
	mnl_attr_nest_end(nlh, list);
	return esw_nl_txn_push(txn, tag);
}

/* Apart from put_fields and before the link goes up: the kernel handles IFLA_AF_SPEC after flags,
 * so in one message the link-local address would be there already. */
static int put_noaddrgen(struct esw_nl_txn *txn, uint32_t ifindex, uint32_t tag)
{
	struct nlmsghdr *nlh = begin(txn, RTM_SETLINK, 0, ifindex);
	struct nlattr *spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(nlh, AF_INET6);

	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(nlh, inet6);
	mnl_attr_nest_end(nlh, spec);
	return esw_nl_txn_push(txn, tag);
}

static int put_fields(struct esw_nl_txn *txn, uint32_t ifindex, uint32_t mtu, const uint8_t *mac,
		      uint32_t tag)
{
	struct nlmsghdr *nlh = begin(txn, RTM_SETLINK, 0, ifindex);

	if (mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	if (mac)
		mnl_attr_put(nlh, IFLA_ADDRESS, 6, mac);
	return esw_nl_txn_push(txn, tag);
}

int esw_link_converge(struct esw_nl_txn *txn, const struct esw_link_view *view,
		      const struct esw_link_want *want, uint32_t job, bool peer)
{
	const struct esw_link_rec *rec = &view->rec;
	uint32_t mtu = want->mtu != rec->mtu ? want->mtu : 0;
	const uint8_t *mac = want->mac && mac_given(want->mac) &&
			     memcmp(want->mac, rec->mac, 6) != 0 ? want->mac : NULL;
	int err = 0;

	if (want->altname && want->altname[0] && strcmp(want->altname, rec->altname) != 0)
		err = put_altname(txn, rec->ifindex, want->altname,
				  ESW_LINK_TAG(job, peer, ESW_STEP_ALTNAME));
	if (!err && want->name && want->name[0] && strcmp(want->name, rec->name) != 0)
		err = esw_link_rename(txn, rec->ifindex, want->name,
				      ESW_LINK_TAG(job, peer, ESW_STEP_RENAME));
	if (!err && (mtu || mac))
		err = put_fields(txn, rec->ifindex, mtu, mac,
				 ESW_LINK_TAG(job, peer, ESW_STEP_FIELDS));
	if (!err && want->noaddrgen && view->addr_gen_mode != ADDR_GEN_MODE_NONE)
		err = put_noaddrgen(txn, rec->ifindex, ESW_LINK_TAG(job, peer, ESW_STEP_FIELDS));
	if (!err && want->up >= 0 && want->up != ((rec->flags & IFF_UP) != 0))
		err = esw_link_flags(txn, rec->ifindex, want->up,
				     ESW_LINK_TAG(job, peer, ESW_STEP_FLAGS));
	return err;
}

void esw_link_got(void *ctx, const struct esw_nl_req *req, const struct nlmsghdr *nlh)
{
	struct esw_link_wave *wave = ctx;
	struct esw_link_job *job = &wave->jobs[ESW_TAG_JOB(req->tag)];
	bool peer = ESW_TAG_PEER(req->tag);
	const char *mark = peer ? job->op.peer_altname : job->op.altname;

	if (ESW_TAG_STEP(req->tag) != ESW_STEP_GET)
		return;
	if (esw_link_parse(nlh, mark, ESW_ALTNAME_EXACT, peer ? &job->peer : &job->self) < 0)
		return;
	if (peer)
		job->has_peer = true;
	else
		job->has_self = true;
}
