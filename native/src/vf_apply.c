/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "batch.h"
#include "netlink.h"
#include "vf_apply.h"

#define SET_ALL (ESW_VF_MAC | ESW_VF_VLAN | ESW_VF_RATE | ESW_VF_SPOOFCHK | ESW_VF_TRUST | \
		 ESW_VF_LINK_STATE)

const char *esw_vf_check(const struct esw_vf_op *op)
{
	if (!op->ifindex)
		return "the PF has no ifindex";
	if (!op->set || (op->set & ~SET_ALL))
		return "nothing to set, or unknown bits";
	if ((op->set & ESW_VF_VLAN) && (op->vlan > 4095 || op->qos > 7 ||
					(op->vlan_proto != ETH_P_8021Q && op->vlan_proto != ETH_P_8021AD)))
		return "bad VLAN, priority or protocol";
	if ((op->set & ESW_VF_LINK_STATE) && op->link_state > IFLA_VF_LINK_STATE_DISABLE)
		return "unknown link state";
	return NULL;
}

static void put_vlan(struct nlmsghdr *nlh, const struct esw_vf_op *op)
{
	const struct ifla_vf_vlan vlan = { .vf = op->vf, .vlan = op->vlan, .qos = op->qos };
	const struct ifla_vf_vlan_info info = {
		.vf = op->vf, .vlan = op->vlan, .qos = op->qos, .vlan_proto = htons(op->vlan_proto),
	};
	struct nlattr *list;

	/* Older drivers know the plain form only. */
	if (op->vlan_proto == ETH_P_8021Q) {
		mnl_attr_put(nlh, IFLA_VF_VLAN, sizeof(vlan), &vlan);
		return;
	}
	list = mnl_attr_nest_start(nlh, IFLA_VF_VLAN_LIST);
	mnl_attr_put(nlh, IFLA_VF_VLAN_INFO, sizeof(info), &info);
	mnl_attr_nest_end(nlh, list);
}

static void put_setting(struct nlmsghdr *nlh, uint16_t type, uint32_t vf, uint8_t value)
{
	const struct ifla_vf_spoofchk pair = { .vf = vf, .setting = value };

	mnl_attr_put(nlh, type, sizeof(pair), &pair);
}

static void put_vf(struct nlmsghdr *nlh, const struct esw_vf_op *op)
{
	struct nlattr *list = mnl_attr_nest_start(nlh, IFLA_VFINFO_LIST);
	struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_VF_INFO);
	struct ifla_vf_mac mac = { .vf = op->vf };
	const struct ifla_vf_rate rate = {
		.vf = op->vf, .min_tx_rate = op->min_tx_rate, .max_tx_rate = op->max_tx_rate,
	};

	memcpy(mac.mac, op->mac, sizeof(op->mac));
	if (op->set & ESW_VF_MAC)
		mnl_attr_put(nlh, IFLA_VF_MAC, sizeof(mac), &mac);
	if (op->set & ESW_VF_VLAN)
		put_vlan(nlh, op);
	if (op->set & ESW_VF_RATE)
		mnl_attr_put(nlh, IFLA_VF_RATE, sizeof(rate), &rate);
	if (op->set & ESW_VF_SPOOFCHK)
		put_setting(nlh, IFLA_VF_SPOOFCHK, op->vf, op->spoofchk);
	if (op->set & ESW_VF_TRUST)
		put_setting(nlh, IFLA_VF_TRUST, op->vf, op->trust);
	if (op->set & ESW_VF_LINK_STATE)
		put_setting(nlh, IFLA_VF_LINK_STATE, op->vf, op->link_state);
	mnl_attr_nest_end(nlh, info);
	mnl_attr_nest_end(nlh, list);
}

int esw_vf_apply(const void *buf, uint32_t len, void *results, uint32_t cap)
{
	struct esw_batch batch;
	struct esw_nl_txn txn;
	struct esw_nl nl;
	int err = esw_batch_open(&batch, buf, len, sizeof(struct esw_vf_op), results, cap);

	if (err || !batch.count)
		return err;
	err = esw_nl_open(&nl, "", NETLINK_ROUTE);
	if (err)
		return err;
	esw_nl_txn_init(&txn, &nl);
	for (uint32_t i = 0; i < batch.count; i++) {
		struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
		struct esw_vf_op op;
		const char *text;

		esw_batch_record(&batch, i, &op);
		text = esw_vf_check(&op);
		if (text) {
			esw_batch_result(&batch, i, -EINVAL, op.ifindex, text);
			continue;
		}
		ifi.ifi_index = (int)op.ifindex;
		put_vf(esw_nl_txn_begin(&txn, RTM_SETLINK, 0, &ifi, sizeof(ifi)), &op);
		/* Set before the run, overwritten by its outcome: ifindex and error in one place. */
		esw_batch_result(&batch, i, -ENOMEM, op.ifindex, NULL);
		(void)esw_nl_txn_push(&txn, i);
	}
	(void)esw_nl_txn_run(&txn, NULL, NULL); /* requests without an answer carry the error */
	for (uint32_t i = 0; i < txn.count; i++) {
		struct esw_vf_op op;

		esw_batch_record(&batch, txn.reqs[i].tag, &op);
		esw_batch_result(&batch, txn.reqs[i].tag, txn.reqs[i].error, op.ifindex,
				 txn.reqs[i].extack);
	}
	esw_nl_txn_free(&txn);
	esw_nl_close(&nl);
	return 0;
}
