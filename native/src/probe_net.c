/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "probe.h"
#include "rt_parse.h"
#include "tc.h"

static enum esw_answer finish(struct esw_probe_env *env)
{
	char extack[ESW_EXTACK_LEN] = "";
	int err = esw_nl_request(&env->txn, extack);

	return esw_probe_answer(env, err, extack);
}

/* Creates a link of a kind. `vni` goes to IFLA_VXLAN_ID when it is not 0. */
static enum esw_answer link_kind(struct esw_probe_env *env, const char *kind, uint32_t vni)
{
	const struct ifinfomsg ifi = { 0 };
	struct nlmsghdr *nlh = esw_nl_txn_begin(&env->txn, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
						&ifi, sizeof(ifi));
	struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO), *data;

	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind);
	if (vni) {
		data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
		mnl_attr_put_u32(nlh, IFLA_VXLAN_ID, vni);
		mnl_attr_put_u16(nlh, IFLA_VXLAN_PORT, htons(4789));
		mnl_attr_nest_end(nlh, data);
	}
	mnl_attr_nest_end(nlh, info);
	return finish(env);
}

static enum esw_answer probe_veth(struct esw_probe_env *env)
{
	return link_kind(env, "veth", 0);
}

static enum esw_answer probe_vxlan(struct esw_probe_env *env)
{
	return link_kind(env, "vxlan", 42);
}

static enum esw_answer probe_netkit(struct esw_probe_env *env)
{
	return link_kind(env, "netkit", 0);
}

static enum esw_answer probe_altname(struct esw_probe_env *env)
{
	const struct ifinfomsg ifi = { .ifi_index = (int)ESW_PROBE_LO };
	struct nlmsghdr *nlh = esw_nl_txn_begin(&env->txn, RTM_NEWLINKPROP,
						NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	struct nlattr *list = mnl_attr_nest_start(nlh, IFLA_PROP_LIST);

	mnl_attr_put_strz(nlh, IFLA_ALT_IFNAME, "esw.probe-of-altnames");
	mnl_attr_nest_end(nlh, list);
	return finish(env);
}

struct proto_seen {
	bool seen;
};

static int addr_each(void *ctx, const struct nlmsghdr *nlh)
{
	struct proto_seen *state = ctx;
	struct esw_addr_rec rec;

	if (nlh->nlmsg_type == RTM_NEWADDR && esw_addr_parse(nlh, &rec))
		state->seen = state->seen || rec.proto == ESW_PROTO_MARK;
	return 0;
}

static void addr_reset(void *ctx)
{
	((struct proto_seen *)ctx)->seen = false;
}

/* A kernel that does not know the attribute takes the address and forgets the mark. */
static enum esw_answer probe_ifa_proto(struct esw_probe_env *env)
{
	const struct ifaddrmsg ifa = {
		.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = ESW_PROBE_LO,
	};
	const struct ifaddrmsg any = { .ifa_family = AF_INET };
	struct proto_seen state = { false };
	const struct esw_nl_dump dump = {
		.type = RTM_GETADDR, .fixed = &any, .fixed_size = sizeof(any), .each = addr_each,
		.reset = addr_reset, .ctx = &state,
	};
	struct nlmsghdr *nlh = esw_nl_txn_begin(&env->txn, RTM_NEWADDR, NLM_F_CREATE, &ifa,
						sizeof(ifa));
	int err;

	mnl_attr_put_u32(nlh, IFA_LOCAL, htonl(0xc0000201)); /* 192.0.2.1, RFC 5737 */
	mnl_attr_put_u8(nlh, IFA_PROTO, ESW_PROTO_MARK);
	err = esw_nl_request(&env->txn, NULL);
	if (!err)
		err = esw_nl_dump(&env->nl, &dump);
	if (err) {
		esw_probe_answer(env, err, NULL);
		return ESW_UNKNOWN;
	}
	return state.seen ? ESW_YES : esw_probe_answer(env, -EOPNOTSUPP,
						       "the kernel keeps no IFA_PROTO");
}

static enum esw_answer nft(struct esw_probe_env *env, const char *commands)
{
	char out[512] = "";
	int err = esw_nft_run(commands, 0, out, sizeof(out));

	return esw_probe_answer(env, strstr(out, "not permitted") ? -EPERM : err, out);
}

static enum esw_answer probe_nf_tables(struct esw_probe_env *env)
{
	return nft(env, "add table inet esw_probe");
}

static enum esw_answer probe_nft_nat_inet(struct esw_probe_env *env)
{
	return nft(env, "table inet esw_probe_nat { chain c { type nat hook postrouting priority 100;"
			" masquerade; }; }");
}

static enum esw_answer probe_flower(struct esw_probe_env *env)
{
	const struct tcmsg tcm = {
		.tcm_ifindex = (int)ESW_PROBE_LO,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
		.tcm_info = TC_H_MAKE(1u << 16, htons(ETH_P_IP)),
	};
	char extack[ESW_EXTACK_LEN] = "";
	struct nlmsghdr *nlh;
	struct nlattr *options;
	int err = esw_tc_make_qdisc(&env->txn, ESW_PROBE_LO, extack);

	if (err < 0) {
		esw_probe_answer(env, err, extack);
		return ESW_UNKNOWN;
	}
	nlh = esw_nl_txn_begin(&env->txn, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, &tcm,
			       sizeof(tcm));
	mnl_attr_put_strz(nlh, TCA_KIND, "flower");
	options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
	mnl_attr_put_u32(nlh, TCA_FLOWER_FLAGS, TCA_CLS_FLAGS_SKIP_HW);
	mnl_attr_put_u16(nlh, TCA_FLOWER_KEY_ETH_TYPE, htons(ETH_P_IP));
	mnl_attr_nest_end(nlh, options);
	return finish(env);
}

static long read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	long value = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%ld", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

static enum esw_answer probe_sriov(struct esw_probe_env *env)
{
	static const char *const root = "/sys/bus/pci/devices";
	const struct dirent *entry;
	bool found = false;
	char path[512];
	DIR *dir = opendir(root);

	while (dir && !found && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s/sriov_totalvfs", root, entry->d_name);
		found = read_number(path) > 0;
	}
	if (dir)
		closedir(dir);
	return esw_probe_answer(env, found ? 0 : -ENODEV, "no PCI function has SR-IOV");
}

static enum esw_answer probe_devlink(struct esw_probe_env *env)
{
	const struct genlmsghdr genl = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 };
	char extack[ESW_EXTACK_LEN] = "";
	struct esw_nl_txn txn;
	struct nlmsghdr *nlh;
	struct esw_nl nl;
	int err = esw_nl_open(&nl, "", NETLINK_GENERIC);

	if (err)
		return esw_probe_answer(env, err, NULL);
	esw_nl_txn_init(&txn, &nl);
	nlh = esw_nl_txn_begin(&txn, GENL_ID_CTRL, 0, &genl, sizeof(genl));
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, "devlink");
	err = esw_nl_request(&txn, extack);
	esw_nl_txn_free(&txn);
	esw_nl_close(&nl);
	return esw_probe_answer(env, err, err == -ENOENT ? "no devlink in this kernel" : extack);
}

const struct esw_probe_entry esw_probes_net[] = {
	{ "veth", probe_veth, true },
	{ "altname", probe_altname, true },
	{ "ifa_proto", probe_ifa_proto, true },
	{ "nf_tables", probe_nf_tables, true },
	{ "nft_nat_inet", probe_nft_nat_inet, true },
	{ "flower", probe_flower, true },
	{ "vxlan", probe_vxlan, true },
	{ "netkit", probe_netkit, true },
	{ "sriov", probe_sriov, false },
	{ "devlink", probe_devlink, false },
};
const unsigned int esw_probes_net_count = ESW_ARRAY_SIZE(esw_probes_net);
