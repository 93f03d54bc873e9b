/* SPDX-License-Identifier: Apache-2.0
 *
 * Links on links: macvlan children and 802.1Q sub-interfaces.
 */
#include "support.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

static struct esw_link_op child_op(uint32_t verb, const char *name, const char *lower)
{
	struct esw_link_op op = {
		.verb = verb, .mac = { 2, 0, 0, 0, 1, 1 }, .mtu = 1400, .noaddrgen = 1,
	};

	snprintf(op.name, sizeof(op.name), "%s", name);
	snprintf(op.peer_name, sizeof(op.peer_name), "%s", lower);
	snprintf(op.altname, sizeof(op.altname), "t.%s", name);
	return op;
}

static void make_lower(const char *name, const char *peer)
{
	struct esw_link_op op = veth_op(name, peer);

	op.peer_up = 1;
	assert_ok(APPLY(esw_link_apply, op));
}

static void test_macvlan(void **state)
{
	struct esw_link_op op = child_op(ESW_LINK_MACVLAN, "ca0", "la0");
	struct esw_link_rec rec, lower;
	struct esw_result first, second;

	(void)state;
	make_lower("la0", "lb0");
	first = APPLY(esw_link_apply, op);
	assert_ok(first);
	assert_true(find_link("", "ca0", &rec) && find_link("", "la0", &lower));
	assert_string_equal(rec.kind, "macvlan");
	assert_string_equal(rec.altname, "t.ca0");
	assert_memory_equal(rec.mac, op.mac, 6);
	assert_int_equal(rec.mtu, 1400);
	assert_int_equal(rec.peer_ifindex, lower.ifindex);
	assert_int_equal(rec.vlan_id, 0);
	assert_false(rec.flags & IFF_UP);
	op.mtu = 1300;
	second = APPLY(esw_link_apply, op);
	assert_ok(second);
	assert_int_equal(first.ifindex, second.ifindex);
	assert_true(find_link("", "ca0", &rec));
	assert_int_equal(rec.mtu, 1300);
}

static void test_refusals(void **state)
{
	struct esw_link_op op = child_op(ESW_LINK_MACVLAN, "ca1", "nosuchlink");
	struct esw_link_op other = child_op(ESW_LINK_MACVLAN, "ca1", "lc1");
	struct esw_link_op foreign = veth_op("ca2", "cb2");
	struct esw_link_op taken = child_op(ESW_LINK_MACVLAN, "ca2", "la1");
	struct esw_link_rec rec;

	(void)state;
	make_lower("la1", "lb1");
	make_lower("lc1", "ld1");
	assert_refused(APPLY(esw_link_apply, op), ENODEV, "nosuchlink");
	strcpy(op.peer_name, "la1");
	op.mtu = 9000;
	assert_int_not_equal(APPLY(esw_link_apply, op).error, 0); /* more than la1 carries */
	assert_false(find_link("", "ca1", &rec));
	op.mtu = 1400;
	assert_ok(APPLY(esw_link_apply, op));
	assert_refused(APPLY(esw_link_apply, other), EEXIST, "no macvlan as asked");
	assert_ok(APPLY(esw_link_apply, foreign));
	assert_refused(APPLY(esw_link_apply, taken), EEXIST, "ca2");
	op.peer_name[0] = '\0';
	assert_refused(APPLY(esw_link_apply, op), EINVAL, "no link below");
	op = child_op(ESW_LINK_VLAN, "ca3", "la1");
	assert_refused(APPLY(esw_link_apply, op), EINVAL, "1 to 4094");
}

static void test_half_made(void **state)
{
	struct esw_link_op bare = child_op(ESW_LINK_MACVLAN, "ca4", "la4"), op = bare;
	struct esw_link_rec rec;

	(void)state;
	make_lower("la4", "lb4");
	bare.altname[0] = '\0';
	assert_ok(APPLY(esw_link_apply, bare));
	op.mac[5] = 9;
	assert_refused(APPLY(esw_link_apply, op), EEXIST, "foreign link ca4");
	op.mac[5] = 1;
	assert_ok(APPLY(esw_link_apply, op));
	assert_true(find_link("", "ca4", &rec));
	assert_string_equal(rec.altname, "t.ca4");
}

static void test_vlan(void **state)
{
	struct esw_link_op op = child_op(ESW_LINK_VLAN, "ca5", "la5");
	struct esw_link_rec rec, lower;
	struct esw_result result;

	(void)state;
	make_lower("la5", "lb5");
	memset(op.mac, 0, sizeof(op.mac));
	op.vlan_id = 4094;
	op.up = 1;
	result = APPLY(esw_link_apply, op);
	if (result.error == -EOPNOTSUPP) {
		print_message("skipped: the kernel has no 8021q\n");
		skip();
	}
	assert_ok(result);
	assert_true(find_link("", "ca5", &rec) && find_link("", "la5", &lower));
	assert_string_equal(rec.kind, "vlan");
	assert_int_equal(rec.vlan_id, 4094);
	assert_int_equal(rec.peer_ifindex, lower.ifindex);
	assert_true(rec.flags & IFF_UP);
	assert_ok(APPLY(esw_link_apply, op));
	op.vlan_id = 7;
	assert_refused(APPLY(esw_link_apply, op), EEXIST, "no vlan as asked");
}

/* Many children of one link go in one wave: the link below is no name that they would fight for. */
static void test_many(void **state)
{
	struct esw_link_op ops[40];
	struct batch *batch;

	(void)state;
	make_lower("la6", "lb6");
	for (uint32_t i = 0; i < 40; i++) {
		char name[ESW_NAME_LEN];

		snprintf(name, sizeof(name), "cm%u", i);
		ops[i] = child_op(ESW_LINK_MACVLAN, name, "la6");
		ops[i].mac[4] = (uint8_t)(i + 2);
	}
	batch = batch_of(ops, sizeof(ops[0]), 40);
	assert_int_equal(esw_link_apply(batch->bytes, batch->len, batch->results,
					sizeof(batch->results)), 0);
	for (uint32_t i = 0; i < 40; i++)
		assert_ok(batch->results[i]);
	batch_free(batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_macvlan), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_half_made), cmocka_unit_test(test_vlan),
		cmocka_unit_test(test_many),
	};

	need_root();
	return cmocka_run_group_tests(tests, netns_setup, NULL);
}
