/* SPDX-License-Identifier: Apache-2.0
 *
 * NICs: parsers on messages that Debian's 6.12 sent once with test/simnic (the fuzzer's seeds), and on
 * damaged ones.
 */
#include "support.h"

#include <linux/devlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devlink_parse.h"
#include "genl.h"
#include "nic_parse.h"

static uint32_t buf[2048];

static const struct nlmsghdr *seed(const char *name, size_t *size)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), ESW_TEST_SEEDS "/nic/%s", name);
	file = fopen(path, "rb");
	assert_non_null(file);
	*size = fread(buf, 1, sizeof(buf), file);
	fclose(file);
	return (const struct nlmsghdr *)buf;
}

struct tally {
	uint32_t infos, params, resources, vfs;
	struct esw_devlink_info info;
	struct esw_devlink_param param;
	struct esw_devlink_resource resource;
	struct esw_vf_rec vf;
};

static void tally_info(void *ctx, const void *record)
{
	struct tally *tally = ctx;

	tally->infos++;
	tally->info = *(const struct esw_devlink_info *)record;
}

static void tally_param(void *ctx, const void *record)
{
	struct tally *tally = ctx;

	tally->params++;
	tally->param = *(const struct esw_devlink_param *)record;
}

static void tally_resource(void *ctx, const void *record)
{
	struct tally *tally = ctx;

	tally->resources++;
	tally->resource = *(const struct esw_devlink_resource *)record;
}

static void tally_vf(void *ctx, const struct esw_vf_rec *rec)
{
	struct tally *tally = ctx;

	tally->vfs++;
	tally->vf = *rec;
}

static void test_real_ports(void **state)
{
	struct esw_devlink_port ports[8];
	struct esw_devlink_rate rate;
	uint32_t count = 0, nodes = 0;
	size_t left;
	const struct nlmsghdr *nlh = seed("port", &left);

	(void)state;
	for (; esw_nl_msg_ok(nlh, left); nlh = esw_nl_msg_next(nlh, &left)) {
		if (count < 8 && esw_devlink_parse_port(nlh, &ports[count]))
			count++;
	}
	assert_int_equal(count, 3);
	assert_int_equal(ports[0].flavour, DEVLINK_PORT_FLAVOUR_PHYSICAL);
	assert_string_equal(ports[0].bus, "simnic");
	assert_int_equal(ports[2].flavour, DEVLINK_PORT_FLAVOUR_PCI_VF);
	assert_int_equal(ports[2].vf, 1);
	assert_true(ports[2].has & ESW_PORT_HAS_HW_ADDR);
	assert_true(ports[2].ifindex != 0);
	nlh = seed("rate", &left);
	for (; esw_nl_msg_ok(nlh, left); nlh = esw_nl_msg_next(nlh, &left)) {
		if (esw_devlink_parse_rate(nlh, &rate) && rate.type == DEVLINK_RATE_TYPE_NODE) {
			nodes++;
			assert_string_equal(rate.node, "gold");
		}
	}
	assert_int_equal(nodes, 1);
}

static void test_real_lists(void **state)
{
	struct tally tally = { .infos = 0 };
	struct esw_devlink_rec rec = { .has = 0 };
	struct esw_genl_family family;
	struct esw_offload_rec offload;
	size_t left;
	const struct nlmsghdr *nlh;

	(void)state;
	esw_devlink_parse_info(seed("info", &left), tally_info, &tally);
	assert_int_equal(tally.infos, 5);
	/* The kernel adds the driver after what the driver tells. */
	assert_int_equal(tally.info.kind, ESW_INFO_DRIVER);
	assert_string_equal(tally.info.value, "simnic");
	nlh = seed("param", &left);
	for (; esw_nl_msg_ok(nlh, left); nlh = esw_nl_msg_next(nlh, &left))
		esw_devlink_parse_param(nlh, tally_param, &tally);
	assert_int_equal(tally.params, 3);
	esw_devlink_parse_resource(seed("resource", &left), tally_resource, &tally);
	assert_int_equal(tally.resources, 1);
	assert_string_equal(tally.resource.name, "flows");
	assert_int_equal(tally.resource.has_occupancy, 1);
	nlh = seed("vfs", &left);
	for (; esw_nl_msg_ok(nlh, left); nlh = esw_nl_msg_next(nlh, &left))
		esw_vf_parse(nlh, tally_vf, &tally);
	assert_int_equal(tally.vfs, 2);
	assert_int_equal(tally.vf.vf, 1);
	assert_int_equal(tally.vf.has, ESW_VF_MAC | ESW_VF_VLAN | ESW_VF_RATE | ESW_VF_SPOOFCHK |
					       ESW_VF_TRUST | ESW_VF_LINK_STATE);
	esw_devlink_parse_eswitch(seed("eswitch", &left), &rec);
	assert_int_equal(rec.mode, 1);
	assert_int_equal(rec.has, ESW_DEVLINK_HAS_MODE | ESW_DEVLINK_HAS_INLINE | ESW_DEVLINK_HAS_ENCAP);
	assert_true(esw_genl_parse_family(seed("family", &left), "config", &family));
	assert_true(family.group != 0);
	assert_true(esw_offload_parse(seed("features", &left), &offload));
	assert_int_equal(offload.active, 1);
}

static void test_real_links(void **state)
{
	struct esw_nic_link link;
	uint32_t children = 0;
	size_t left;
	const struct nlmsghdr *nlh = seed("links", &left);

	(void)state;
	for (; esw_nl_msg_ok(nlh, left); nlh = esw_nl_msg_next(nlh, &left)) {
		if (!esw_nic_link_parse(nlh, &link) || strcmp(link.parent_bus, "simnic") != 0)
			continue;
		children++;
		if (strcmp(link.port_name, "p0") != 0)
			continue;
		assert_string_equal(link.parent_dev, "simnic0");
		assert_string_equal(link.altnames, "another.name");
		assert_int_equal(link.switch_id_len, 6);
	}
	assert_true(children >= 2);
}

/* Every prefix of a real message, its header saying so: no parser reads beyond it. */
static void test_truncation(void **state)
{
	static const char *const files[] = { "devlink", "port", "rate", "health", "info", "param",
					     "resource", "eswitch", "family", "features", "vfs" };
	struct tally tally;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t size;
		uint32_t full = seed(files[i], &size)->nlmsg_len;

		for (uint32_t len = NLMSG_HDRLEN; len < full; len++) {
			struct nlmsghdr *nlh = malloc(len);
			struct esw_devlink_port port;
			struct esw_devlink_rate rate;
			struct esw_devlink_health health;
			struct esw_devlink_event event;
			struct esw_devlink_rec rec = { .has = 0 };
			struct esw_genl_family family;
			struct esw_offload_rec offload;
			struct esw_nic_link link;
			struct esw_nic_event change;

			assert_non_null(nlh);
			memcpy(nlh, buf, len);
			nlh->nlmsg_len = len;
			(void)esw_devlink_parse_port(nlh, &port);
			(void)esw_devlink_parse_rate(nlh, &rate);
			(void)esw_devlink_parse_health(nlh, &health);
			(void)esw_devlink_parse_event(nlh, &event);
			esw_devlink_parse_eswitch(nlh, &rec);
			esw_devlink_parse_info(nlh, tally_info, &tally);
			esw_devlink_parse_param(nlh, tally_param, &tally);
			esw_devlink_parse_resource(nlh, tally_resource, &tally);
			esw_vf_parse(nlh, tally_vf, &tally);
			(void)esw_genl_parse_family(nlh, "config", &family);
			(void)esw_offload_parse(nlh, &offload);
			(void)esw_nic_link_parse(nlh, &link);
			(void)esw_nic_event_parse(nlh, &change);
			free(nlh);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_ports), cmocka_unit_test(test_real_lists),
		cmocka_unit_test(test_real_links), cmocka_unit_test(test_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
