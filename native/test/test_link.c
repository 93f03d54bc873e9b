/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void remove_pair(const char *name)
{
	struct esw_link_op op = delete_op(name);

	assert_ok(APPLY(esw_link_apply, op));
}

static void test_veth_as_asked(void **state)
{
	struct esw_link_op op = veth_op("ta0", "tb0");
	struct esw_link_rec self, peer;
	struct esw_result result;

	(void)state;
	op.txqueues = 1;
	result = APPLY(esw_link_apply, op);
	assert_ok(result);
	assert_true(find_link("", "ta0", &self) && find_link("", "tb0", &peer));
	assert_int_equal(result.ifindex, self.ifindex);
	assert_memory_equal(self.mac, op.mac, 6);
	assert_memory_equal(peer.mac, op.peer_mac, 6);
	assert_int_equal(self.mtu, 1450);
	assert_int_equal(peer.mtu, 1450);
	assert_true(self.flags & IFF_UP);
	assert_false(peer.flags & IFF_UP);
	assert_string_equal(self.altname, "t.ta0");
	assert_string_equal(peer.altname, "t.tb0");
	assert_string_equal(self.kind, "veth");
	assert_int_equal(self.peer_ifindex, peer.ifindex);
	assert_int_equal(self.peer_netnsid, -1);
	remove_pair("ta0");
	assert_false(find_link("", "tb0", &peer));
}

static void test_veth_idempotent(void **state)
{
	struct esw_link_op op = veth_op("ta1", "tb1");
	struct esw_result first, second;
	struct esw_link_rec rec;

	(void)state;
	first = APPLY(esw_link_apply, op);
	op.mtu = 1300;
	op.peer_up = 1;
	second = APPLY(esw_link_apply, op);
	assert_ok(first);
	assert_ok(second);
	assert_int_equal(first.ifindex, second.ifindex);
	assert_true(find_link("", "tb1", &rec));
	assert_int_equal(rec.mtu, 1300);
	assert_true(rec.flags & IFF_UP);
	remove_pair("ta1");
	remove_pair("ta1"); /* absent: success */
}

static void test_foreign_names(void **state)
{
	struct esw_link_op foreign = veth_op("ta2", "tb2"), op = veth_op("ta2", "tb2");
	struct esw_link_op same_peer = veth_op("ta2x", "tb2"), del = delete_op("ta2");
	struct esw_link_rec rec;

	(void)state;
	strcpy(foreign.altname, "somebody.else");
	assert_ok(APPLY(esw_link_apply, foreign));
	assert_refused(APPLY(esw_link_apply, op), EEXIST, "foreign link ta2");
	assert_refused(APPLY(esw_link_apply, same_peer), EEXIST, "tb2 exists");
	assert_refused(APPLY(esw_link_apply, del), EEXIST, "does not carry altname t.ta2");
	assert_true(find_link("", "ta2", &rec));
	assert_string_equal(rec.altname, "");
	strcpy(del.altname, "somebody.else");
	assert_ok(APPLY(esw_link_apply, del));
}

/* A pair that was made but not yet marked when the daemon was killed is taken over; one that
 * differs in a MAC is somebody else's. */
static void test_half_made_pair(void **state)
{
	struct esw_link_op bare = veth_op("ta3", "tb3"), op = bare;
	struct esw_link_rec rec;

	(void)state;
	bare.altname[0] = bare.peer_altname[0] = '\0';
	assert_ok(APPLY(esw_link_apply, bare));
	op.peer_mac[5] ^= 0x40;
	assert_refused(APPLY(esw_link_apply, op), EEXIST, "foreign");
	op.peer_mac[5] ^= 0x40;
	assert_ok(APPLY(esw_link_apply, op));
	assert_true(find_link("", "tb3", &rec));
	assert_string_equal(rec.altname, "t.tb3");
	remove_pair("ta3");
}

/* The altname of the second pair is taken: the create fails as a whole. */
static void test_failed_create_leaves_nothing(void **state)
{
	struct esw_link_op first = veth_op("ta4", "tb4"), op = veth_op("ta5", "tb5");
	struct esw_link_rec rec;

	(void)state;
	assert_ok(APPLY(esw_link_apply, first));
	strcpy(op.peer_altname, "t.ta4");
	assert_int_equal(APPLY(esw_link_apply, op).error, -EEXIST);
	assert_false(find_link("", "ta5", &rec));
	assert_false(find_link("", "tb5", &rec));
	remove_pair("ta4");
}

static void test_extack_arrives(void **state)
{
	struct esw_link_op op = veth_op("ta6", "tb6"), set = set_op("ta6", ESW_SET_MTU);

	(void)state;
	assert_ok(APPLY(esw_link_apply, op));
	set.mtu = 70000;
	assert_refused(APPLY(esw_link_apply, set), EINVAL, "mtu greater than device maximum");
	remove_pair("ta6");
}

static void test_set_fields(void **state)
{
	const uint8_t mac[6] = { 2, 1, 2, 3, 4, 5 };
	struct esw_link_op op = veth_op("ta7", "tb7");
	struct esw_link_op set = set_op("ta7", ESW_SET_MTU | ESW_SET_MAC | ESW_SET_UP);
	struct esw_link_rec rec;

	(void)state;
	assert_ok(APPLY(esw_link_apply, op));
	set.mtu = 1280;
	memcpy(set.mac, mac, 6);
	assert_ok(APPLY(esw_link_apply, set));
	assert_true(find_link("", "ta7", &rec));
	assert_int_equal(rec.mtu, 1280);
	assert_memory_equal(rec.mac, mac, 6);
	assert_false(rec.flags & IFF_UP);
	set = set_op("t-absent", ESW_SET_UP);
	assert_refused(APPLY(esw_link_apply, set), ENODEV, "t-absent does not exist");
	remove_pair("ta7");
}

static void test_rename_of_up_link(void **state)
{
	struct esw_link_op op = veth_op("ta8", "tb8");
	struct esw_link_op set = set_op("ta8", ESW_SET_NAME | ESW_SET_ALTNAME);
	struct esw_link_rec rec;

	(void)state;
	assert_ok(APPLY(esw_link_apply, op));
	strcpy(set.new_name, "ta8new");
	strcpy(set.altname, "t.ta8");
	assert_ok(APPLY(esw_link_apply, set));
	assert_true(find_link("", "ta8new", &rec));
	assert_true(rec.flags & IFF_UP);
	assert_ok(APPLY(esw_link_apply, set)); /* done already */
	op = delete_op("ta8new");
	strcpy(op.altname, "t.ta8");
	assert_ok(APPLY(esw_link_apply, op));
}

static void test_move(void **state)
{
	struct esw_link_op op = veth_op("ta9", "tb9");
	struct esw_link_op move = set_op("tb9", ESW_SET_NETNS | ESW_SET_NAME | ESW_SET_UP |
						ESW_SET_NOADDRGEN | ESW_SET_MTU);
	const char *netns = netns_open();
	struct esw_link_rec rec;

	(void)state;
	assert_ok(APPLY(esw_link_apply, op));
	strcpy(move.to_netns, netns);
	strcpy(move.new_name, "eth0");
	strcpy(move.altname, "t.tb9");
	move.mtu = 1400;
	move.up = 1;
	assert_ok(APPLY(esw_link_apply, move));
	assert_false(find_link("", "tb9", &rec));
	assert_true(find_link(netns, "eth0", &rec));
	assert_true(rec.flags & IFF_UP);
	assert_int_equal(rec.mtu, 1400);
	assert_string_equal(rec.altname, "t.tb9");
	assert_true(rec.peer_netnsid >= 0);
	assert_ok(APPLY(esw_link_apply, move)); /* there already */
	op.mtu = 0; /* the peer is out of reach: only this end is looked at */
	assert_ok(APPLY(esw_link_apply, op));
	assert_true(find_link("", "ta9", &rec));
	assert_true(rec.peer_netnsid >= 0);

	/* and back to the namespace of the caller */
	strcpy(move.netns, netns);
	strcpy(move.name, "eth0");
	strcpy(move.new_name, "tb9");
	move.to_netns[0] = '\0';
	assert_ok(APPLY(esw_link_apply, move));
	assert_true(find_link("", "tb9", &rec));
	netns_close(netns);
	remove_pair("ta9");
}

/* A sandbox gives the function side back under the name it had there. */
static void test_peer_comes_back_renamed(void **state)
{
	struct esw_link_op op = veth_op("tc0", "td0"), rename = set_op("td0", ESW_SET_NAME);
	struct esw_link_rec rec;

	(void)state;
	assert_ok(APPLY(esw_link_apply, op));
	strcpy(rename.new_name, "eth7");
	assert_ok(APPLY(esw_link_apply, rename));
	assert_ok(APPLY(esw_link_apply, op));
	assert_true(find_link("", "td0", &rec));
	remove_pair("tc0");
}

/* What is not ours to delete is given back: marks off, name as it was. */
static void test_unmark(void **state)
{
	struct esw_link_op op = veth_op("ta7u", "tb7u"), mark = {.verb = ESW_LINK_SET, .set = ESW_SET_ALTNAME};
	struct esw_link_op unmark = {.verb = ESW_LINK_UNMARK};
	struct esw_link_rec rec;

	(void)state;
	assert_ok(APPLY(esw_link_apply, op));
	strcpy(mark.name, "ta7u");
	strcpy(mark.altname, "t~enp1s0r0");
	assert_ok(APPLY(esw_link_apply, mark));
	strcpy(unmark.name, "ta7u");
	strcpy(unmark.altname, "t~enp1s0r0");
	assert_ok(APPLY(esw_link_apply, unmark));
	assert_int_equal(if_nametoindex("t~enp1s0r0"), 0);
	assert_true(find_link("", "ta7u", &rec));
	assert_string_equal(rec.altname, "t.ta7u");
	assert_ok(APPLY(esw_link_apply, unmark)); /* gone already */
	strcpy(unmark.name, "absent");
	assert_ok(APPLY(esw_link_apply, unmark));
	strcpy(unmark.netns, "/nowhere");
	assert_ok(APPLY(esw_link_apply, unmark));
	unmark.altname[0] = '\0';
	assert_refused(APPLY(esw_link_apply, unmark), EINVAL, "altname is empty");
	remove_pair("ta7u");
}

static void test_no_such_netns(void **state)
{
	struct esw_link_op op = veth_op("tc1", "td1"), del = delete_op("tc1");
	char out[64];

	(void)state;
	strcpy(op.netns, "/run/netns/t-there-is-none");
	assert_int_equal(APPLY(esw_link_apply, op).error, -ENOENT);
	strcpy(del.netns, op.netns);
	assert_ok(APPLY(esw_link_apply, del));
	strcpy(del.netns, "/dev/null");
	assert_int_equal(APPLY(esw_link_apply, del).error, -EINVAL);
	assert_int_equal(esw_link_dump(op.netns, "", 0, out, sizeof(out)), -ENOENT);
}

/* Records that depend on each other keep their order although messages are pipelined. */
static void test_order_in_a_batch(void **state)
{
	struct esw_link_op ops[] = {
		veth_op("tc2", "td2"), delete_op("tc2"), veth_op("tc2", "td2"),
		set_op("tc2", ESW_SET_NAME), set_op("tc2new", ESW_SET_MTU), set_op("tc2", 0),
		set_op("tc2new", ESW_SET_NAME), delete_op("tc2"),
	};
	struct batch *batch;

	(void)state;
	strcpy(ops[3].new_name, "tc2new");
	ops[4].mtu = 1290;
	strcpy(ops[6].new_name, "tc2");
	batch = batch_of(ops, sizeof(ops[0]), 8);
	assert_int_equal(esw_link_apply(batch->bytes, batch->len, batch->results,
					sizeof(batch->results)), 0);
	for (int i = 0; i < 8; i++)
		assert_int_equal(batch->results[i].error, i == 5 ? -ENODEV : 0);
	batch_free(batch);
}

static void test_bad_records(void **state)
{
	struct esw_link_op op = veth_op("tc3", "tc3");

	(void)state;
	assert_refused(APPLY(esw_link_apply, op), EINVAL, "two different names");
	op = delete_op("tc3");
	op.altname[0] = '\0';
	assert_refused(APPLY(esw_link_apply, op), EINVAL, "ownership");
	op = set_op("tc3", 1u << 30);
	assert_refused(APPLY(esw_link_apply, op), EINVAL, "unknown bits");
	op = set_op("tc3", 0);
	memset(op.to_netns, 'x', sizeof(op.to_netns));
	assert_refused(APPLY(esw_link_apply, op), EINVAL, "not terminated");
	op = set_op("", 0);
	assert_refused(APPLY(esw_link_apply, op), EINVAL, "no name");
	op = set_op("tc3", ESW_SET_NAME);
	assert_refused(APPLY(esw_link_apply, op), EINVAL, "new_name");
	op = set_op("tc3", ESW_SET_ALTNAME);
	assert_refused(APPLY(esw_link_apply, op), EINVAL, "altname");
	op.verb = 9;
	assert_refused(APPLY(esw_link_apply, op), EINVAL, "verb");
}

#define MANY 300

static void numbered(struct esw_link_op *ops, bool create)
{
	char name[ESW_NAME_LEN], peer[ESW_NAME_LEN];

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "tm%d", i);
		snprintf(peer, sizeof(peer), "tn%d", i);
		ops[i] = create ? veth_op(name, peer) : delete_op(name);
	}
}

static void apply_many(struct esw_link_op *ops)
{
	struct batch *batch = batch_of(ops, sizeof(ops[0]), MANY);

	assert_int_equal(esw_link_apply(batch->bytes, batch->len, batch->results,
					sizeof(batch->results)), 0);
	for (int i = 0; i < MANY; i++)
		assert_ok(batch->results[i]);
	batch_free(batch);
}

static void test_many(void **state)
{
	struct esw_link_op *ops = calloc(MANY, sizeof(*ops));
	struct esw_link_op other = veth_op("to0", "to1");
	struct esw_link_rec rec;

	(void)state;
	assert_non_null(ops);
	assert_ok(APPLY(esw_link_apply, other));
	numbered(ops, true);
	apply_many(ops);
	assert_int_equal(esw_link_dump("", "t.", 1, NULL, 0), 2 * MANY + 2);
	numbered(ops, false);
	apply_many(ops);
	/* a group delete takes only its own */
	assert_int_equal(esw_link_dump("", "t.", 1, NULL, 0), 2);
	assert_true(find_link("", "to0", &rec));
	remove_pair("to0");
	free(ops);
}

static void test_dump_arguments(void **state)
{
	struct esw_link_rec one[2];
	char mark[ESW_ALTNAME_LEN + 1];

	(void)state;
	memset(mark, 'm', sizeof(mark) - 1);
	mark[sizeof(mark) - 1] = '\0';
	assert_int_equal(esw_link_dump("", mark, 0, one, sizeof(one)), -EINVAL);
	assert_int_equal(esw_link_dump(NULL, "", 0, one, sizeof(one)), -EINVAL);
	assert_int_equal(esw_link_dump("", "", 0, NULL, 10), -EINVAL);
	/* a partial record is never written */
	memset(one, 0xee, sizeof(one));
	assert_true(esw_link_dump("", "", 0, one, sizeof(one[0]) - 1) >= 1);
	assert_int_equal(((uint8_t *)one)[0], 0xee);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_veth_as_asked), cmocka_unit_test(test_veth_idempotent),
		cmocka_unit_test(test_foreign_names), cmocka_unit_test(test_half_made_pair),
		cmocka_unit_test(test_failed_create_leaves_nothing),
		cmocka_unit_test(test_extack_arrives), cmocka_unit_test(test_set_fields),
		cmocka_unit_test(test_rename_of_up_link), cmocka_unit_test(test_move),
		cmocka_unit_test(test_peer_comes_back_renamed),
		cmocka_unit_test(test_no_such_netns), cmocka_unit_test(test_order_in_a_batch),
		cmocka_unit_test(test_bad_records), cmocka_unit_test(test_many),
		cmocka_unit_test(test_dump_arguments), cmocka_unit_test(test_unmark),
	};

	need_root();
	return cmocka_run_group_tests(tests, netns_setup, NULL);
}
