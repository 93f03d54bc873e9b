/* SPDX-License-Identifier: Apache-2.0
 *
 * NICs: parsers on messages built here, and what a kernel without any NIC of that kind answers. Real
 * devlink and SR-IOV are in the guests of the vm lane.
 */
#include "support.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/devlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "devlink_parse.h"
#include "genl.h"
#include "nic_parse.h"

static uint32_t buf[2048];

static struct nlmsghdr *devlink_message(uint8_t command)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));

	nlh->nlmsg_type = 0x20;
	genl->cmd = command;
	mnl_attr_put_strz(nlh, DEVLINK_ATTR_BUS_NAME, "pci");
	mnl_attr_put_strz(nlh, DEVLINK_ATTR_DEV_NAME, "0000:3b:00.0");
	return nlh;
}

static void test_handle(void **state)
{
	char bus[ESW_BUS_LEN], dev[ESW_DEV_LEN], longer[ESW_DEV_LEN + 1];
	struct nlmsghdr *nlh = devlink_message(DEVLINK_CMD_NEW);

	(void)state;
	assert_true(esw_devlink_parse_handle(nlh, bus, dev));
	assert_string_equal(bus, "pci");
	assert_string_equal(dev, "0000:3b:00.0");
	/* a name that is cut would be another device's */
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	mnl_attr_put_strz(nlh, DEVLINK_ATTR_DEV_NAME, longer);
	assert_false(esw_devlink_parse_handle(nlh, bus, dev));
}

static void test_port(void **state)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 };
	struct nlmsghdr *nlh = devlink_message(DEVLINK_CMD_PORT_NEW);
	struct esw_devlink_port port;
	struct nlattr *nest;

	(void)state;
	assert_false(esw_devlink_parse_port(nlh, &port));
	mnl_attr_put_u32(nlh, DEVLINK_ATTR_PORT_INDEX, 65537);
	mnl_attr_put_u16(nlh, DEVLINK_ATTR_PORT_FLAVOUR, DEVLINK_PORT_FLAVOUR_PCI_VF);
	mnl_attr_put_u32(nlh, DEVLINK_ATTR_PORT_CONTROLLER_NUMBER, 1);
	mnl_attr_put_u16(nlh, DEVLINK_ATTR_PORT_PCI_PF_NUMBER, 1);
	/* VF 0 is a number like any other: `has` says that it was there */
	mnl_attr_put_u16(nlh, DEVLINK_ATTR_PORT_PCI_VF_NUMBER, 0);
	mnl_attr_put_u32(nlh, DEVLINK_ATTR_PORT_NETDEV_IFINDEX, 12);
	mnl_attr_put_strz(nlh, DEVLINK_ATTR_PORT_NETDEV_NAME, "pf1vf0");
	nest = mnl_attr_nest_start(nlh, DEVLINK_ATTR_PORT_FUNCTION);
	mnl_attr_put(nlh, DEVLINK_PORT_FUNCTION_ATTR_HW_ADDR, sizeof(mac), mac);
	mnl_attr_put_u8(nlh, DEVLINK_PORT_FN_ATTR_STATE, 1);
	mnl_attr_nest_end(nlh, nest);
	assert_true(esw_devlink_parse_port(nlh, &port));
	assert_int_equal(port.index, 65537);
	assert_int_equal(port.flavour, DEVLINK_PORT_FLAVOUR_PCI_VF);
	assert_int_equal(port.controller, 1);
	assert_int_equal(port.pf, 1);
	assert_int_equal(port.vf, 0);
	assert_int_equal(port.has, ESW_PORT_HAS_CONTROLLER | ESW_PORT_HAS_PF | ESW_PORT_HAS_VF |
					   ESW_PORT_HAS_HW_ADDR | ESW_PORT_HAS_STATE);
	assert_memory_equal(port.hw_addr, mac, 6);
	assert_int_equal(port.state, 1);
	assert_string_equal(port.ifname, "pf1vf0");
}

struct seen {
	uint32_t count;
	struct esw_devlink_param params[4];
};

static void keep(void *ctx, const void *record)
{
	struct seen *seen = ctx;

	assert_in_range(seen->count, 0, 3);
	memcpy(&seen->params[seen->count++], record, sizeof(struct esw_devlink_param));
}

static void put_value(struct nlmsghdr *nlh, uint8_t cmode, bool flag)
{
	struct nlattr *value = mnl_attr_nest_start(nlh, DEVLINK_ATTR_PARAM_VALUE);

	mnl_attr_put_u8(nlh, DEVLINK_ATTR_PARAM_VALUE_CMODE, cmode);
	if (flag)
		mnl_attr_put(nlh, DEVLINK_ATTR_PARAM_VALUE_DATA, 0, NULL);
	mnl_attr_nest_end(nlh, value);
}

/* A flag that is false is an attribute that is not there: it must not be read as "no value". */
static void test_flag_param(void **state)
{
	struct nlmsghdr *nlh = devlink_message(DEVLINK_CMD_PARAM_NEW);
	struct nlattr *param = mnl_attr_nest_start(nlh, DEVLINK_ATTR_PARAM), *values;
	struct seen seen = { .count = 0 };

	(void)state;
	mnl_attr_put_strz(nlh, DEVLINK_ATTR_PARAM_NAME, "enable_sriov");
	mnl_attr_put_u8(nlh, DEVLINK_ATTR_PARAM_TYPE, ESW_PARAM_BOOL);
	values = mnl_attr_nest_start(nlh, DEVLINK_ATTR_PARAM_VALUES_LIST);
	put_value(nlh, DEVLINK_PARAM_CMODE_RUNTIME, true);
	put_value(nlh, DEVLINK_PARAM_CMODE_PERMANENT, false);
	mnl_attr_nest_end(nlh, values);
	mnl_attr_nest_end(nlh, param);
	esw_devlink_parse_param(nlh, keep, &seen);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.params[0].number, 1);
	assert_int_equal(seen.params[0].cmode, DEVLINK_PARAM_CMODE_RUNTIME);
	assert_int_equal(seen.params[1].number, 0);
	assert_int_equal(seen.params[1].cmode, DEVLINK_PARAM_CMODE_PERMANENT);
	assert_string_equal(seen.params[1].name, "enable_sriov");
}

static void count_vf(void *ctx, const struct esw_vf_rec *rec)
{
	*(struct esw_vf_rec *)ctx = *rec;
}

static void test_vf(void **state)
{
	const struct ifla_vf_mac mac = { .vf = 3, .mac = { 2, 0, 0, 0, 0, 9 } };
	const struct ifla_vf_vlan vlan = { .vf = 3, .vlan = 7, .qos = 2 };
	const struct ifla_vf_spoofchk unset = { .vf = 3, .setting = UINT32_MAX };
	const struct ifla_vf_trust trust = { .vf = 3, .setting = 1 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	struct nlattr *list, *info;
	struct esw_vf_rec rec = { .vf = 99 };

	(void)state;
	nlh->nlmsg_type = RTM_NEWLINK;
	ifi->ifi_index = 5;
	list = mnl_attr_nest_start(nlh, IFLA_VFINFO_LIST);
	info = mnl_attr_nest_start(nlh, IFLA_VF_INFO);
	mnl_attr_put(nlh, IFLA_VF_MAC, sizeof(mac), &mac);
	mnl_attr_put(nlh, IFLA_VF_VLAN, sizeof(vlan), &vlan);
	mnl_attr_put(nlh, IFLA_VF_SPOOFCHK, sizeof(unset), &unset);
	mnl_attr_put(nlh, IFLA_VF_TRUST, sizeof(trust), &trust);
	mnl_attr_nest_end(nlh, info);
	mnl_attr_nest_end(nlh, list);
	esw_vf_parse(nlh, count_vf, &rec);
	assert_int_equal(rec.ifindex, 5);
	assert_int_equal(rec.vf, 3);
	assert_int_equal(rec.vlan, 7);
	assert_int_equal(rec.vlan_proto, 0x8100);
	assert_int_equal(rec.qos, 2);
	/* all ones: the driver does not say */
	assert_int_equal(rec.has, ESW_VF_MAC | ESW_VF_VLAN | ESW_VF_TRUST);
	assert_int_equal(rec.trust, 1);
}

/* ---- on a kernel that has none of it ---------------------------------------------------------- */

static void test_links(void **state)
{
	struct esw_link_op op = veth_op("nica", "nicb"), more = set_op("nica", ESW_SET_ALTNAME);
	struct esw_nic_link links[8];
	bool found = false;
	int count;

	(void)state;
	assert_ok(APPLY(esw_link_apply, op));
	strcpy(more.altname, "another.name");
	assert_ok(APPLY(esw_link_apply, more));
	count = esw_nic_link_dump("", links, sizeof(links));
	assert_in_range(count, 2, 8);
	for (int i = 0; i < count; i++) {
		if (strcmp(links[i].name, "nica") != 0)
			continue;
		found = true;
		assert_string_equal(links[i].kind, "veth");
		assert_non_null(strstr(links[i].altnames, "another.name"));
		assert_non_null(strstr(links[i].altnames, "t.nica"));
		assert_int_equal(links[i].switch_id_len, 0);
		assert_string_equal(links[i].parent_dev, "");
	}
	assert_true(found);
	assert_int_equal(esw_nic_link_dump("", NULL, 0), count);
	assert_int_equal(esw_nic_link_dump("/nowhere", NULL, 0), -ENOENT);
}

static void test_vf_refused(void **state)
{
	struct esw_link_rec link;
	struct esw_vf_op op = { .vf = 0, .set = ESW_VF_TRUST, .trust = 1 };

	(void)state;
	assert_refused(APPLY(esw_vf_apply, op), EINVAL, "ifindex");
	assert_true(find_link("", "nica", &link));
	op.ifindex = link.ifindex;
	assert_int_equal(APPLY(esw_vf_apply, op).error, -EOPNOTSUPP);
	op.set = ESW_VF_VLAN;
	op.vlan = 4096;
	assert_refused(APPLY(esw_vf_apply, op), EINVAL, "VLAN");
	assert_int_equal(esw_vf_dump(NULL, 0), 0);
}

static void test_offload(void **state)
{
	struct esw_link_rec link;
	struct esw_offload_op op = { .active = 1 };
	struct esw_offload_rec recs[2];
	uint32_t asked[2] = { 0, 0x7fffffff };

	(void)state;
	assert_true(find_link("", "nica", &link));
	asked[0] = op.ifindex = link.ifindex;
	assert_int_equal(esw_offload_dump(asked, 2, recs, sizeof(recs)), 2);
	assert_int_equal(recs[0].error, 0);
	assert_int_equal(recs[0].active, 0);
	assert_int_equal(recs[1].error, -ENODEV);
	assert_int_equal(esw_offload_dump(asked, 2, recs, 1), 2);
	assert_int_equal(esw_offload_dump(NULL, 1, recs, sizeof(recs)), -EINVAL);
	/* a veth pair has no such feature, whatever the kernel acknowledges */
	assert_true(APPLY(esw_offload_apply, op).error < 0);
	op.active = 0;
	assert_ok(APPLY(esw_offload_apply, op));
}

static void test_devlink_records(void **state)
{
	struct esw_devlink_op op = { .verb = ESW_DEVLINK_MODE, .value = 1 };
	int count = esw_devlink_dump(NULL, 0);

	(void)state;
	if (count == -ENOENT) {
		assert_int_equal(esw_devlink_port_dump(NULL, 0), -ENOENT);
		assert_int_equal(esw_devlink_event_open(), -ENOENT);
		return;
	}
	/* a namespace of its own has no instance */
	assert_int_equal(count, 0);
	assert_int_equal(esw_devlink_port_dump(NULL, 0), 0);
	assert_int_equal(esw_devlink_info_dump(NULL, 0), 0);
	assert_refused(APPLY(esw_devlink_apply, op), EINVAL, "name");
	strcpy(op.bus, "pci");
	strcpy(op.dev, "ffff:ff:1f.7");
	assert_int_equal(APPLY(esw_devlink_apply, op).error, -ENODEV);
	op.value = 2;
	assert_refused(APPLY(esw_devlink_apply, op), EINVAL, "neither");
	op.verb = 77;
	assert_refused(APPLY(esw_devlink_apply, op), EINVAL, "verb");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handle), cmocka_unit_test(test_port),
		cmocka_unit_test(test_flag_param), cmocka_unit_test(test_vf),
		cmocka_unit_test(test_links), cmocka_unit_test(test_vf_refused),
		cmocka_unit_test(test_offload), cmocka_unit_test(test_devlink_records),
	};

	need_root();
	return cmocka_run_group_tests(tests, netns_setup, NULL);
}
