/* SPDX-License-Identifier: Apache-2.0
 *
 * Flow rules to messages and back, without a kernel: what is sent has the shape of what a dump shows.
 */
#include "flower_rules.h"

#include <errno.h>
#include <linux/rtnetlink.h>

#include "batch.h"
#include "netlink.h"

static struct esw_nl nowhere;
static struct esw_nl_txn txn;

static int setup(void **state)
{
	(void)state;
	esw_nl_txn_init(&txn, &nowhere);
	return 0;
}

/* As flower_work.c does for links that exist: the index in place of the name. */
static void resolve(struct esw_flower_op *op)
{
	for (uint32_t i = 0; i < op->action_count; i++) {
		if (op->actions[i].kind == ESW_ACT_REDIRECT || op->actions[i].kind == ESW_ACT_MIRROR)
			op->actions[i].number = 40 + i;
	}
}

static const struct nlmsghdr *encode(struct esw_flower_op *op)
{
	const char *text = esw_flower_check(op);

	if (text)
		fail_msg("%s", text);
	resolve(op);
	esw_flower_begin(&txn, RTM_NEWTFILTER, 0, 9, op);
	return (const struct nlmsghdr *)txn.scratch;
}

static void round_trip(struct esw_flower_op *op)
{
	const struct nlmsghdr *nlh = encode(op);
	struct esw_flower_full rule;
	const char *what;

	assert_true(nlh->nlmsg_len < ESW_NL_MSG_MAX);
	assert_int_equal(esw_flower_parse(nlh, test_owner, ESW_FLOWER_ALL, &rule), 0);
	what = esw_flower_differs(op, &rule);
	if (what)
		fail_msg("differs in %s", what);
	assert_int_equal(rule.rec.flags & (ESW_REC_OURS | ESW_REC_UNKNOWN), ESW_REC_OURS);
	assert_int_equal(rule.rec.handle, op->handle);
	assert_int_equal(rule.rec.prio, op->prio);
	assert_int_equal(rule.rec.protocol, op->protocol);
	assert_int_equal(rule.rec.chain, op->chain);
	assert_int_equal(rule.rec.ifindex, 9);
}

static void test_fields(void **state)
{
	(void)state;
	for (uint32_t id = 0; id < ESW_FIELD_COUNT; id++) {
		struct esw_flower_op op = field_op("a", id);

		round_trip(&op);
		/* All zeros is a value like others. */
		if (id == ESW_FIELD_vlan_ethtype || id == ESW_FIELD_ip_proto)
			continue;
		memset((uint8_t *)&op.key + esw_flower_places[id].offset, 0, esw_flower_places[id].len);
		round_trip(&op);
		assert_true(op.fields & 1u << id);
	}
}

static void test_every_field_has_one_place(void **state)
{
	uint32_t end = 0;

	(void)state;
	for (uint32_t id = 0; id < ESW_FIELD_COUNT; id++) {
		assert_int_equal(esw_flower_places[id].offset, end);
		end += esw_flower_places[id].len;
	}
	assert_int_equal(end + 1, sizeof(struct esw_flower_key));
	assert_true(ESW_FIELD_COUNT <= 32);
}

static void test_actions(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < PLAIN_ACTS + FINAL_ACTS; i++) {
		struct esw_flower_op op = rule_op("a", 1);

		op.actions[0] = i < PLAIN_ACTS ? plain_act(i, "b") : final_act(i - PLAIN_ACTS, "b");
		round_trip(&op);
	}
	for (uint32_t field = 0; field < ESW_PEDIT_FIELDS; field++) {
		struct esw_flower_op op = rule_op("a", 1);

		op.actions[0] = pedit_act(field);
		round_trip(&op);
		op.actions[0].mask[esw_flower_pedit_len(field) - 1] = 0x0f;
		round_trip(&op);
	}
}

/* Any fields and actions together, from a fixed seed. */
static void test_random(void **state)
{
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct esw_flower_op op = rule_op("a", 1 + (uint32_t)rand_r(&seed));
		uint32_t fields = (uint32_t)rand_r(&seed) ^ (uint32_t)rand_r(&seed) << 16;

		op.chain = (uint32_t)rand_r(&seed) & 0xfff;
		op.prio = (uint16_t)(1 + rand_r(&seed) % 65535);
		for (uint32_t id = 0; id < ESW_FIELD_COUNT; id++) {
			if (!(fields & 1u << id) || id == ESW_FIELD_ip_proto)
				continue;
			set_field(&op, id, (uint8_t)rand_r(&seed));
			if (!esw_flower_is_exact(id))
				((uint8_t *)&op.mask)[esw_flower_places[id].offset] =
					(uint8_t)rand_r(&seed);
		}
		op.protocol = ETH_P_8021Q;
		set_field(&op, ESW_FIELD_ip_proto, rand_r(&seed) % 2 ? IPPROTO_UDP : IPPROTO_SCTP);
		op.fields &= ~(ESW_FIELD_BIT(icmp_type) | ESW_FIELD_BIT(icmp_code));
		op.action_count = 1 + (uint32_t)rand_r(&seed) % ESW_FLOWER_ACTIONS_MAX;
		for (uint32_t i = 0; i < op.action_count; i++)
			op.actions[i] = rand_r(&seed) % 2 ?
						pedit_act((uint32_t)rand_r(&seed) % ESW_PEDIT_FIELDS) :
						plain_act((uint32_t)rand_r(&seed) % PLAIN_ACTS, "b");
		round_trip(&op);
	}
}

/* The longest message there can be. */
static void test_longest(void **state)
{
	struct esw_flower_op op = rule_op("a", 1);

	(void)state;
	for (uint32_t id = 0; id < ESW_FIELD_COUNT; id++)
		set_field(&op, id, 1);
	op.protocol = ETH_P_8021Q;
	op.key.ip_proto[0] = IPPROTO_TCP;
	op.fields &= ~(ESW_FIELD_BIT(icmp_type) | ESW_FIELD_BIT(icmp_code));
	op.action_count = ESW_FLOWER_ACTIONS_MAX;
	for (uint32_t i = 0; i < ESW_FLOWER_ACTIONS_MAX; i++)
		op.actions[i] = pedit_act(ESW_PEDIT_IPV6_SRC);
	round_trip(&op);
	/* A policer brings a table of a kilobyte. */
	for (uint32_t i = 0; i < ESW_FLOWER_ACTIONS_MAX; i++)
		op.actions[i] = plain_act(8, "b");
	op.action_count = 5;
	round_trip(&op);
}

static void test_golden(void **state)
{
	/* tcmsg of link 9, handle 0x2a, parent ffff:fff2, prio 1 all; kind; chain; then options */
	static const uint8_t golden[] = {
		0x00, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x2a, 0x00, 0x00, 0x00, 0xf2, 0xff,
		0xff, 0xff, 0x00, 0x03, 0x01, 0x00, 0x0b, 0x00, 0x01, 0x00, 'f', 'l', 'o', 'w', 'e',
		'r', 0x00, 0x00, 0x08, 0x00, 0x0b, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x74, 0x00, 0x02, 0x80, /* TCA_OPTIONS, nested */
		0x0a, 0x00, 0x04, 0x00, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x00, 0x00, /* eth_dst */
		0x0a, 0x00, 0x05, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, /* its mask */
		0x08, 0x00, 0x16, 0x00, 0x01, 0x00, 0x00, 0x00, /* flags: skip_hw */
		0x50, 0x00, 0x03, 0x80, /* actions */
		0x4c, 0x00, 0x01, 0x80, /* first */
		0x09, 0x00, 0x01, 0x00, 'g', 'a', 'c', 't', 0x00, 0x00, 0x00, 0x00,
		0x1c, 0x00, 0x02, 0x80, 0x18, 0x00, 0x02, 0x00, /* options, parameters */
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, /* drop */
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x14, 0x00, 0x06, 0x00, 0xe5, 0x57, 0x01, 0x01, 't', 'e', 's', 't', /* cookie */
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x2a,
		0x0c, 0x00, 0x07, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, /* no per-CPU */
	};
	struct esw_flower_op op = rule_op("a", 0x2a);
	const struct nlmsghdr *nlh;

	(void)state;
	set_field(&op, ESW_FIELD_eth_dst, 2);
	memset(txn.scratch, 0, sizeof(txn.scratch)); /* libmnl leaves padding as it was */
	nlh = encode(&op);
	assert_int_equal(nlh->nlmsg_len, NLMSG_HDRLEN + sizeof(golden));
	assert_memory_equal((const uint8_t *)nlh + NLMSG_HDRLEN, golden, sizeof(golden));
}

static void test_refused(void **state)
{
	struct esw_flower_op good = rule_op("a", 1), op;

	(void)state;
#define REFUSED(change)                                                                           \
	do {                                                                                      \
		op = good;                                                                        \
		change;                                                                           \
		assert_non_null(esw_flower_check(&op));                                           \
	} while (0)
	assert_null(esw_flower_check(&good));
	REFUSED(op.verb = 3);
	REFUSED(op.handle = 0);
	REFUSED(op.prio = 0);
	REFUSED(op.chain = 0x10000000);
	REFUSED(op.name[0] = 0);
	REFUSED(memset(op.name, 'x', sizeof(op.name)));
	REFUSED(op.fields = 1u << 31);
	REFUSED(op.action_count = 0);
	REFUSED(op.action_count = ESW_FLOWER_ACTIONS_MAX + 1);
	REFUSED(op.actions[0].kind = 0);
	REFUSED(op.actions[0].kind = 99);
	REFUSED(op.flags = ESW_FLOWER_SKIP_SW | ESW_FLOWER_SKIP_HW);
	REFUSED((op.action_count = 2, op.actions[1].kind = ESW_ACT_PASS));
	REFUSED(set_field(&op, ESW_FIELD_dst_port, 1));
	REFUSED(set_field(&op, ESW_FIELD_vlan_id, 1));
	REFUSED((set_field(&op, ESW_FIELD_ip_proto, 1), op.mask.ip_proto[0] = 0x0f));
	REFUSED((op.actions[0].kind = ESW_ACT_PEDIT, op.actions[0].number = 99));
	REFUSED(op.actions[0].kind = ESW_ACT_PEDIT);
	REFUSED(op.actions[0].kind = ESW_ACT_REDIRECT);
	REFUSED(op.actions[0].kind = ESW_ACT_POLICE);
	REFUSED(op.actions[0].kind = ESW_ACT_TUNNEL_SET);
#undef REFUSED
}

/* What a rule has beyond the records is noticed, not lost. */
static void test_unknown(void **state)
{
	struct esw_flower_op op = rule_op("a", 1);
	struct esw_flower_full rule;
	struct nlmsghdr *nlh;

	(void)state;
	set_field(&op, ESW_FIELD_eth_dst, 2);
	nlh = (struct nlmsghdr *)(uintptr_t)encode(&op);
	/* eth_dst becomes an attribute that these records have no field for */
	((uint8_t *)nlh)[NLMSG_HDRLEN + 46] = TCA_FLOWER_KEY_ARP_SHA;
	assert_int_equal(esw_flower_parse(nlh, test_owner, ESW_FLOWER_ALL, &rule), 0);
	assert_true(rule.rec.flags & ESW_REC_UNKNOWN);
	assert_non_null(esw_flower_differs(&op, &rule));
	/* somebody else's cookie */
	assert_int_equal(esw_flower_parse(nlh, (const uint8_t *)"someone", ESW_FLOWER_ALL, &rule), 0);
	assert_false(rule.rec.flags & ESW_REC_OURS);
	assert_int_equal(rule.rec.fingerprint, 0);
}

/* Every prefix of a long message: no read beyond it. */
static void test_truncation(void **state)
{
	struct esw_flower_op op = rule_op("a", 1);
	const struct nlmsghdr *whole;

	(void)state;
	set_field(&op, ESW_FIELD_ipv6_dst, 2);
	op.action_count = PLAIN_ACTS + 3;
	for (uint32_t i = 0; i < PLAIN_ACTS; i++)
		op.actions[i] = plain_act(i, "b");
	for (uint32_t i = 0; i < 3; i++)
		op.actions[PLAIN_ACTS + i] = pedit_act(i * 3);
	whole = encode(&op);
	for (uint32_t len = NLMSG_HDRLEN; len < whole->nlmsg_len; len++) {
		struct nlmsghdr *nlh = malloc(len);
		struct esw_flower_full rule;

		assert_non_null(nlh);
		memcpy(nlh, whole, len);
		nlh->nlmsg_len = len;
		(void)esw_flower_parse(nlh, test_owner, ESW_FLOWER_ALL, &rule);
		(void)esw_flower_parse(nlh, test_owner, ESW_FLOWER_COUNTERS, &rule);
		(void)esw_flower_parse(nlh, test_owner, ESW_FLOWER_TERSE, &rule);
		free(nlh);
	}
}

static void test_burst(void **state)
{
	(void)state;
	assert_int_equal(esw_flower_police_burst(1000, 2000), 2000);
	assert_int_equal(esw_flower_police_burst(0, 2000), 0);
	assert_int_equal(esw_flower_police_burst(1, UINT32_MAX), 0);
	/* what is held is held the same again */
	for (uint64_t rate = 1; rate < 1ull << 40; rate = rate * 3 + 1) {
		uint32_t once = esw_flower_police_burst(rate, 65536);

		if (once)
			assert_int_equal(esw_flower_police_burst(rate, once), once);
	}
}

static void test_batches(void **state)
{
	struct esw_flower_op op = rule_op("ewnone", 1);
	struct batch *batch = batch_of(&op, sizeof(op), 1);
	struct esw_flower_result result;

	(void)state;
	assert_int_equal(esw_flower_apply(batch->bytes, batch->len, &result, sizeof(result), 1, ""), 0);
	assert_int_equal(result.error, -ENODEV);
	assert_non_null(strstr(result.extack, "ewnone"));
	assert_int_equal(esw_flower_apply(batch->bytes, batch->len, &result, sizeof(result), 0, ""),
			 -EINVAL);
	assert_int_equal(esw_flower_apply(batch->bytes, batch->len, &result, sizeof(result), 9, ""),
			 -EINVAL);
	assert_int_equal(esw_flower_apply(batch->bytes, batch->len, &result, 100, 1, ""), -EINVAL);
	assert_int_equal(esw_flower_apply(batch->bytes, batch->len - 1, &result, sizeof(result), 1, ""),
			 -EINVAL);
	assert_int_equal(esw_flower_dump("ewnone\0\0\0\0\0\0\0\0\0", 1, test_owner, 0, NULL, 0), 0);
	assert_int_equal(esw_flower_dump("0123456789abcdef", 1, test_owner, 0, NULL, 0), -EINVAL);
	assert_int_equal(esw_flower_read(NULL, 1, test_owner, NULL, 0), -EINVAL);
	batch_free(batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields), cmocka_unit_test(test_every_field_has_one_place),
		cmocka_unit_test(test_actions), cmocka_unit_test(test_random),
		cmocka_unit_test(test_longest), cmocka_unit_test(test_golden),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_truncation), cmocka_unit_test(test_burst),
		cmocka_unit_test(test_batches),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
