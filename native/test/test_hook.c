/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf_sys.h"
#include "probe.h"
#include "tc.h"

enum { ATTACH = 1, DETACH = 2, TCX = 1, CLSACT = 2 };

static const char *dir;
static uint32_t ifindex;

static void load(void)
{
	char text[1024];
	int err = esw_bpf_load(ESW_TEST_OBJECTS "/tiny.bpf.o", dir, "", text, sizeof(text));

	if (err)
		fail_msg("load: %d: %s", err, text);
}

static int setup(void **state)
{
	struct esw_link_op op = veth_op("ha", "hb");
	struct esw_result result;

	if (bpffs_setup(state))
		return -1;
	dir = pin_dir();
	load();
	result = APPLY(esw_link_apply, op);
	ifindex = result.ifindex;
	return result.error;
}

static struct esw_hook_op hook_op(uint32_t verb, uint32_t mode, uint32_t egress)
{
	struct esw_hook_op op = { .verb = verb, .mode = mode, .egress = egress };

	strcpy(op.name, "ha");
	strcpy(op.program, "tiny");
	strcpy(op.dir, dir);
	return op;
}

/* The one record of the test link, asserting that there is just one. */
static struct esw_hook_rec only_record(void)
{
	struct esw_hook_rec recs[4];

	assert_int_equal(esw_hook_dump(dir, &ifindex, 1, recs, sizeof(recs)), 1);
	assert_int_equal(recs[0].ifindex, ifindex);
	return recs[0];
}

static int records(void)
{
	return esw_hook_dump(dir, &ifindex, 1, NULL, 0);
}

static bool has_qdisc(void)
{
	return system("tc qdisc show dev ha 2>/dev/null | grep -q clsact") == 0;
}

/* Attach, attach again, replace the program in place, detach, detach again. */
static void round_trip(uint32_t mode, uint32_t egress, uint8_t expected)
{
	struct esw_hook_op attach = hook_op(ATTACH, mode, egress), detach = hook_op(DETACH, mode, egress);
	struct esw_hook_rec rec;
	struct esw_result result = APPLY(esw_hook_apply, attach);
	uint32_t program;

	assert_ok(result);
	assert_int_equal(result.ifindex, ifindex);
	rec = only_record();
	assert_int_equal(rec.mode, expected);
	assert_int_equal(rec.egress, egress);
	assert_int_equal(rec.ours, 1);
	assert_int_equal(rec.prog_id, esw_prog_id(dir, "tiny"));
	assert_ok(APPLY(esw_hook_apply, attach));
	program = only_record().prog_id;

	load();
	/* an older program of ours stays attached, and is seen as ours, until it is replaced */
	assert_int_equal(only_record().prog_id, program);
	assert_int_equal(only_record().ours, 1);
	assert_ok(APPLY(esw_hook_apply, attach));
	rec = only_record();
	assert_int_not_equal(rec.prog_id, program);
	assert_int_equal(rec.prog_id, esw_prog_id(dir, "tiny"));

	assert_ok(APPLY(esw_hook_apply, detach));
	assert_int_equal(records(), 0);
	assert_ok(APPLY(esw_hook_apply, detach));
	assert_false(has_qdisc());
}

static void test_auto(void **state)
{
	(void)state;
	round_trip(0, 0, esw_tcx_known() ? TCX : CLSACT);
}

static void test_tcx(void **state)
{
	(void)state;
	if (!esw_tcx_known())
		skip();
	round_trip(TCX, 0, TCX);
	round_trip(TCX, 1, TCX);
}

static void test_clsact(void **state)
{
	(void)state;
	round_trip(CLSACT, 0, CLSACT);
	round_trip(CLSACT, 1, CLSACT);
}

static void test_both_directions(void **state)
{
	(void)state;
	for (uint32_t mode = esw_tcx_known() ? TCX : CLSACT; mode <= CLSACT; mode++) {
		struct esw_hook_op ops[] = { hook_op(ATTACH, mode, 0), hook_op(ATTACH, mode, 1) };
		struct batch *batch = batch_of(ops, sizeof(ops[0]), 2);

		assert_int_equal(esw_hook_apply(batch->bytes, batch->len, batch->results,
						sizeof(batch->results)), 0);
		assert_ok(batch->results[0]);
		assert_ok(batch->results[1]);
		assert_int_equal(records(), 2);
		ops[0].verb = DETACH;
		assert_ok(APPLY(esw_hook_apply, ops[0]));
		assert_int_equal(only_record().egress, 1);
		ops[1].verb = DETACH;
		assert_ok(APPLY(esw_hook_apply, ops[1]));
		assert_false(has_qdisc());
		batch_free(batch);
	}
}

static void test_change_of_mode(void **state)
{
	struct esw_hook_op tcx = hook_op(ATTACH, TCX, 0), clsact = hook_op(ATTACH, CLSACT, 0);
	struct esw_hook_op detach = hook_op(DETACH, 0, 0);

	(void)state;
	if (!esw_tcx_known())
		skip();
	assert_ok(APPLY(esw_hook_apply, clsact));
	assert_ok(APPLY(esw_hook_apply, tcx));
	assert_int_equal(only_record().mode, TCX);
	assert_false(has_qdisc());
	assert_ok(APPLY(esw_hook_apply, clsact));
	assert_int_equal(only_record().mode, CLSACT);
	assert_ok(APPLY(esw_hook_apply, detach));
	assert_int_equal(records(), 0);
	assert_false(has_qdisc());
}

/* The qdisc and the filters of others stay; a filter at our place is theirs to keep. */
static void test_foreign_clsact(void **state)
{
	struct esw_hook_op attach = hook_op(ATTACH, CLSACT, 0), detach = hook_op(DETACH, CLSACT, 0);
	char extack[ESW_EXTACK_LEN], log[256];
	int prog = esw_probe_program(0, log, sizeof(log));
	struct esw_nl_txn txn;
	struct esw_nl nl;

	(void)state;
	assert_true(prog >= 0);
	assert_int_equal(system("tc qdisc add dev ha clsact && tc filter add dev ha ingress prio 5 "
				"protocol all u32 match u32 0 0 flowid 1:1"), 0);
	assert_ok(APPLY(esw_hook_apply, attach));
	assert_int_equal(only_record().foreign_before, 1);
	assert_ok(APPLY(esw_hook_apply, detach));
	assert_true(has_qdisc());
	assert_int_equal(system("tc filter show dev ha ingress | grep -q 'pref 5'"), 0);

	assert_int_equal(esw_nl_open(&nl, "", NETLINK_ROUTE), 0);
	esw_nl_txn_init(&txn, &nl);
	assert_int_equal(esw_tc_put_filter(&txn, ifindex, false, prog, "somebody else's", extack), 0);
	assert_refused(APPLY(esw_hook_apply, attach), EEXIST, "foreign filter");
	assert_ok(APPLY(esw_hook_apply, detach));
	assert_int_equal(system("tc filter show dev ha ingress | grep -q somebody"), 0);
	assert_int_equal(records(), 0);
	esw_nl_txn_free(&txn);
	esw_nl_close(&nl);
	close(prog);
	assert_int_equal(system("tc qdisc del dev ha clsact"), 0);
}

static void test_foreign_tcx(void **state)
{
	struct esw_hook_op attach = hook_op(ATTACH, TCX, 0), detach = hook_op(DETACH, TCX, 0);
	char log[256];
	int prog = esw_probe_program(0, log, sizeof(log)), link;

	(void)state;
	if (!esw_tcx_known())
		skip();
	link = esw_tcx_attach(prog, ifindex, false);
	assert_true(link >= 0);
	assert_int_equal(records(), 0);
	assert_ok(APPLY(esw_hook_apply, attach));
	assert_int_equal(only_record().foreign_before, 1);
	assert_ok(APPLY(esw_hook_apply, detach));
	assert_int_equal(records(), 0);
	close(link);
	close(prog);
}

/* A link of the same name made anew: the pinned bpf link of the old one is replaced. */
static void test_link_made_anew(void **state)
{
	struct esw_hook_op attach = hook_op(ATTACH, 0, 0), detach = hook_op(DETACH, 0, 0);
	struct esw_link_op del = delete_op("hc"), op = veth_op("hc", "hd");
	struct esw_result first, second;

	(void)state;
	strcpy(attach.name, "hc");
	strcpy(detach.name, "hc");
	assert_ok(APPLY(esw_link_apply, op));
	first = APPLY(esw_hook_apply, attach);
	assert_ok(first);
	assert_ok(APPLY(esw_link_apply, del));
	assert_ok(APPLY(esw_link_apply, op));
	second = APPLY(esw_hook_apply, attach);
	assert_ok(second);
	assert_int_not_equal(first.ifindex, second.ifindex);
	assert_int_equal(esw_hook_dump(dir, &second.ifindex, 1, NULL, 0), 1);
	assert_ok(APPLY(esw_link_apply, del));
	/* the link is gone: detaching clears the pin */
	assert_ok(APPLY(esw_hook_apply, detach));
	assert_ok(APPLY(esw_hook_apply, detach));
	assert_int_equal(esw_hook_dump(dir, &second.ifindex, 1, NULL, 0), 0);
}

static void test_hook_arguments(void **state)
{
	struct esw_hook_op op = hook_op(ATTACH, 0, 0);
	struct esw_hook_rec rec;

	(void)state;
	strcpy(op.program, "absent");
	assert_refused(APPLY(esw_hook_apply, op), ENOENT, "no such pinned program");
	strcpy(op.program, "../maps/numbers");
	assert_refused(APPLY(esw_hook_apply, op), EINVAL, "program name");
	op = hook_op(ATTACH, 3, 0);
	assert_refused(APPLY(esw_hook_apply, op), EINVAL, "mode");
	op = hook_op(7, 0, 0);
	assert_refused(APPLY(esw_hook_apply, op), EINVAL, "verb");
	op = hook_op(ATTACH, 0, 0);
	strcpy(op.name, "h-none");
	assert_refused(APPLY(esw_hook_apply, op), ENODEV, "does not exist");
	strcpy(op.name, "../x");
	assert_refused(APPLY(esw_hook_apply, op), EINVAL, "link name");
	assert_int_equal(esw_hook_dump(NULL, &ifindex, 1, &rec, sizeof(rec)), -EINVAL);
	assert_int_equal(esw_hook_dump(dir, NULL, 1, &rec, sizeof(rec)), -EINVAL);
	assert_int_equal(esw_hook_dump(dir, NULL, 0, NULL, 0), 0);
	assert_int_equal(esw_prog_id(dir, "../maps/numbers"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_auto), cmocka_unit_test(test_tcx),
		cmocka_unit_test(test_clsact), cmocka_unit_test(test_both_directions),
		cmocka_unit_test(test_change_of_mode), cmocka_unit_test(test_foreign_clsact),
		cmocka_unit_test(test_foreign_tcx), cmocka_unit_test(test_link_made_anew),
		cmocka_unit_test(test_hook_arguments),
	};

	need_root();
	return cmocka_run_group_tests(tests, setup, bpffs_teardown);
}
