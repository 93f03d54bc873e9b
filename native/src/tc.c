/* SPDX-License-Identifier: Apache-2.0 */
#include "tc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define OUR_HANDLE 1u

static uint32_t parent_of(bool egress)
{
	return TC_H_MAKE(TC_H_CLSACT, egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS);
}

static void parse_bpf(const struct nlattr *options, struct esw_tc_filter *filter)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, options) {
		switch (mnl_attr_get_type(attr)) {
		case TCA_BPF_ID:
			esw_nl_u32(attr, &filter->prog_id);
			break;
		case TCA_BPF_NAME:
			esw_nl_text(attr, filter->name, sizeof(filter->name));
			break;
		default:
			break;
		}
	}
}

int esw_tc_parse_filter(const struct nlmsghdr *nlh, struct esw_tc_filter *filter)
{
	const struct tcmsg *tcm = esw_nl_fixed(nlh, sizeof(*tcm));
	const struct nlattr *attr, *options = NULL;
	char kind[16] = "";

	if (nlh->nlmsg_type != RTM_NEWTFILTER || !tcm)
		return -EBADMSG;
	memset(filter, 0, sizeof(*filter));
	filter->ifindex = (uint32_t)tcm->tcm_ifindex;
	filter->parent = tcm->tcm_parent;
	filter->handle = tcm->tcm_handle;
	filter->prio = TC_H_MAJ(tcm->tcm_info) >> 16;
	esw_nl_for_each_attr(attr, nlh, sizeof(*tcm)) {
		if (mnl_attr_get_type(attr) == TCA_KIND)
			esw_nl_text(attr, kind, sizeof(kind));
		else if (mnl_attr_get_type(attr) == TCA_OPTIONS)
			options = attr;
	}
	filter->is_bpf = strcmp(kind, "bpf") == 0;
	/* Options mean something else in every kind. */
	if (filter->is_bpf && options)
		parse_bpf(options, filter);
	return 0;
}

int esw_tc_parse_qdisc(const struct nlmsghdr *nlh, struct esw_tc_qdisc *qdisc)
{
	const struct tcmsg *tcm = esw_nl_fixed(nlh, sizeof(*tcm));
	const struct nlattr *attr;
	char kind[16] = "";

	if (nlh->nlmsg_type != RTM_NEWQDISC || !tcm)
		return -EBADMSG;
	qdisc->ifindex = (uint32_t)tcm->tcm_ifindex;
	esw_nl_for_each_attr(attr, nlh, sizeof(*tcm)) {
		if (mnl_attr_get_type(attr) == TCA_KIND)
			esw_nl_text(attr, kind, sizeof(kind));
	}
	qdisc->is_clsact = strcmp(kind, "clsact") == 0 || strcmp(kind, "ingress") == 0;
	return 0;
}

/* ---- looking --------------------------------------------------------------------------------- */

struct look {
	const char *dir;
	struct esw_tc_state *state;
	uint32_t last_prio;
};

static bool named_ours(const char *name, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(name, dir, len) == 0 && name[len] == '/';
}

static int each(void *ctx, const struct nlmsghdr *nlh)
{
	struct look *look = ctx;
	struct esw_tc_state *state = look->state;
	struct esw_tc_filter filter;

	/* Handle 0 is the priority itself, shown beside the filters in it. */
	if (nlh->nlmsg_type != RTM_NEWTFILTER || esw_tc_parse_filter(nlh, &filter) < 0 ||
	    !filter.handle)
		return 0;
	state->filters++;
	/* One classifier may show several entries (u32 shows its tables, too). */
	if (filter.prio < ESW_TC_PRIO && filter.prio != look->last_prio)
		state->before++;
	look->last_prio = filter.prio;
	if (filter.prio != ESW_TC_PRIO || filter.handle != OUR_HANDLE)
		return 0;
	state->taken = true;
	if (filter.is_bpf && named_ours(filter.name, look->dir)) {
		state->ours = true;
		state->prog_id = filter.prog_id;
	}
	return 0;
}

static void reset(void *ctx)
{
	struct look *look = ctx;

	look->last_prio = 0;
	memset(look->state, 0, sizeof(*look->state));
}

int esw_tc_look(struct esw_nl *nl, uint32_t ifindex, bool egress, const char *dir,
		struct esw_tc_state *state)
{
	const struct tcmsg tcm = {
		.tcm_ifindex = (int)ifindex, .tcm_parent = parent_of(egress),
	};
	struct look look = { .dir = dir, .state = state };
	const struct esw_nl_dump dump = {
		.type = RTM_GETTFILTER, .fixed = &tcm, .fixed_size = sizeof(tcm), .each = each,
		.reset = reset, .ctx = &look,
	};
	int err = esw_nl_dump(nl, &dump);

	/* No clsact on the link: nothing to see. */
	return err == -EINVAL || err == -EOPNOTSUPP || err == -ENOENT ? 0 : err;
}

/* ---- changing -------------------------------------------------------------------------------- */

static int qdisc_request(struct esw_nl_txn *txn, uint16_t type, uint16_t flags, uint32_t ifindex,
			 char *extack)
{
	const struct tcmsg tcm = {
		.tcm_ifindex = (int)ifindex, .tcm_parent = TC_H_CLSACT,
		.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
	};
	struct nlmsghdr *nlh = esw_nl_txn_begin(txn, type, flags, &tcm, sizeof(tcm));

	mnl_attr_put_strz(nlh, TCA_KIND, "clsact");
	return esw_nl_request(txn, extack);
}

int esw_tc_make_qdisc(struct esw_nl_txn *txn, uint32_t ifindex, char *extack)
{
	int err = qdisc_request(txn, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex, extack);

	if (err == -EEXIST && extack)
		extack[0] = '\0';
	return err == -EEXIST ? 0 : err ? err : 1;
}

int esw_tc_remove_qdisc(struct esw_nl_txn *txn, uint32_t ifindex, char *extack)
{
	return qdisc_request(txn, RTM_DELQDISC, 0, ifindex, extack);
}

static struct nlmsghdr *filter_begin(struct esw_nl_txn *txn, uint16_t type, uint16_t flags,
				     uint32_t ifindex, bool egress)
{
	const struct tcmsg tcm = {
		.tcm_ifindex = (int)ifindex, .tcm_parent = parent_of(egress),
		.tcm_handle = OUR_HANDLE,
		.tcm_info = TC_H_MAKE((uint32_t)ESW_TC_PRIO << 16, htons(ETH_P_ALL)),
	};
	struct nlmsghdr *nlh = esw_nl_txn_begin(txn, type, flags, &tcm, sizeof(tcm));

	mnl_attr_put_strz(nlh, TCA_KIND, "bpf");
	return nlh;
}

int esw_tc_put_filter(struct esw_nl_txn *txn, uint32_t ifindex, bool egress, int prog_fd,
		      const char *name, char *extack)
{
	struct nlmsghdr *nlh = filter_begin(txn, RTM_NEWTFILTER, NLM_F_CREATE, ifindex, egress);
	struct nlattr *options = mnl_attr_nest_start(nlh, TCA_OPTIONS);

	mnl_attr_put_u32(nlh, TCA_BPF_FD, (uint32_t)prog_fd);
	mnl_attr_put_strz(nlh, TCA_BPF_NAME, name);
	mnl_attr_put_u32(nlh, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(nlh, options);
	return esw_nl_request(txn, extack);
}

int esw_tc_remove_filter(struct esw_nl_txn *txn, uint32_t ifindex, bool egress, char *extack)
{
	filter_begin(txn, RTM_DELTFILTER, 0, ifindex, egress);
	return esw_nl_request(txn, extack);
}
