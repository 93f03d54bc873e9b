/* SPDX-License-Identifier: Apache-2.0
 *
 * Parsers on messages that the kernel sent once (the fuzzer's seeds) and on damaged ones.
 */
#include "support.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link_parse.h"
#include "netlink.h"
#include "rt_parse.h"
#include "tc.h"

static uint32_t buf[2048];

static const struct nlmsghdr *seed(const char *name, size_t *size)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), ESW_TEST_SEEDS "/%s", name);
	file = fopen(path, "rb");
	assert_non_null(file);
	*size = fread(buf, 1, sizeof(buf), file);
	fclose(file);
	return (const struct nlmsghdr *)buf;
}

static void test_acks(void **state)
{
	static const char *const refused[] = { "ack/refused0", "ack/refused1" };
	struct esw_nl_ack ack;
	size_t size;

	(void)state;
	assert_int_equal(esw_nl_parse_ack(seed("ack/ok", &size), &ack), 0);
	assert_int_equal(ack.error, 0);
	assert_string_equal(ack.extack, "");
	/* with the request echoed before the attributes, and without (NETLINK_CAP_ACK) */
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(esw_nl_parse_ack(seed(refused[i], &size), &ack), 0);
		assert_int_equal(ack.error, -EINVAL);
		assert_string_equal(ack.extack, "mtu greater than device maximum");
	}
}

static void test_lengths(void **state)
{
	const struct nlmsghdr *nlh;
	size_t size, left;

	(void)state;
	nlh = seed("ack/huge-length", &size);
	assert_false(esw_nl_msg_ok(nlh, size));
	nlh = seed("link/dump", &size);
	assert_false(esw_nl_msg_ok(nlh, nlh->nlmsg_len - 1));
	assert_false(esw_nl_msg_ok(nlh, 15));
	assert_true(esw_nl_msg_ok(nlh, nlh->nlmsg_len));
	left = nlh->nlmsg_len;
	esw_nl_msg_next(nlh, &left);
	assert_int_equal(left, 0);
	assert_null(esw_nl_fixed(nlh, nlh->nlmsg_len));
}

static void test_links(void **state)
{
	size_t left;
	const struct nlmsghdr *nlh = seed("link/dump", &left);
	struct esw_link_view view;
	int links = 0, marked = 0;

	(void)state;
	for (; esw_nl_msg_ok(nlh, left); nlh = esw_nl_msg_next(nlh, &left)) {
		assert_int_equal(esw_link_parse(nlh, "eswitchd.", ESW_ALTNAME_PREFIX, &view), 0);
		links++;
		if (!view.rec.altname[0])
			continue;
		marked++;
		assert_string_equal(view.rec.name, "ewr0");
		assert_string_equal(view.rec.altname, "eswitchd.ewr0");
		assert_string_equal(view.rec.kind, "veth");
		assert_int_equal(esw_link_parse(nlh, "eswitchd.ewr", ESW_ALTNAME_EXACT, &view), 0);
		assert_string_equal(view.rec.altname, "");
		assert_true(view.has_altnames);
	}
	assert_int_equal(links, 3);
	assert_int_equal(marked, 1);
	nlh = seed("rt/addr", &left);
	assert_int_equal(esw_link_parse(nlh, "", ESW_ALTNAME_EXACT, &view), -EBADMSG);
}

static void test_multipath(void **state)
{
	const uint8_t gateway[4] = { 192, 0, 2, 8 };
	size_t left;
	const struct nlmsghdr *nlh = seed("rt/route", &left);
	struct esw_route_rec rec;
	int found = 0;

	(void)state;
	for (; esw_nl_msg_ok(nlh, left); nlh = esw_nl_msg_next(nlh, &left)) {
		if (!esw_route_parse(nlh, &rec) || rec.dst[0] != 203)
			continue;
		found++;
		assert_true(rec.oif != 0);
		assert_int_equal(rec.has_gateway, 1);
		assert_memory_equal(rec.gateway, gateway, 4);
	}
	assert_int_equal(found, 1);
}

/* Every prefix of a real message, its header saying so: no parser reads beyond it. */
static void test_truncation(void **state)
{
	static const char *const files[] = { "link/dump", "rt/addr", "rt/route", "rt/neigh",
					     "rt/filter", "rt/qdisc", "ack/refused0", "ack/refused1" };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t size;
		uint32_t full = seed(files[i], &size)->nlmsg_len;

		for (uint32_t len = NLMSG_HDRLEN; len < full; len++) {
			/* exactly as long: the sanitizer and valgrind see a read beyond it */
			struct nlmsghdr *nlh = malloc(len);
			struct esw_link_view view;
			struct esw_nl_ack ack;
			struct esw_addr_rec addr;
			struct esw_route_rec route;
			struct esw_neigh_rec neigh;
			struct esw_tc_filter filter;

			assert_non_null(nlh);
			memcpy(nlh, buf, len);
			nlh->nlmsg_len = len;
			(void)esw_link_parse(nlh, "e", ESW_ALTNAME_PREFIX, &view);
			(void)esw_nl_parse_ack(nlh, &ack);
			(void)esw_addr_parse(nlh, &addr);
			(void)esw_route_parse(nlh, &route);
			(void)esw_neigh_parse(nlh, &neigh);
			(void)esw_tc_parse_filter(nlh, &filter);
			free(nlh);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acks), cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_links), cmocka_unit_test(test_multipath),
		cmocka_unit_test(test_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
