/* SPDX-License-Identifier: Apache-2.0
 *
 * Flow rules on a kernel that has cls_flower. Not a part of ctest: test/vm runs it in guests.
 * Every put asks for the echo, so that the kernel itself says what it understood.
 */
#include "flower_kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANY 4096

static void test_fields(void **state)
{
	(void)state;
	for (uint32_t id = 0; id < ESW_FIELD_COUNT; id++) {
		struct esw_flower_op op = field_op("fa", id);
		struct esw_flower_result result = apply_rule(&op);

		if (result.error)
			fail_msg("%s: error %d: %s", esw_flower_places[id].name, result.error,
				 result.extack);
		assert_int_equal(read_rules("fa"), 1);
		assert_false(full[0].rec.flags & ESW_REC_UNKNOWN);
		assert_true(full[0].fields & 1u << id);
		assert_memory_equal((uint8_t *)&full[0].key + esw_flower_places[id].offset,
				    (uint8_t *)&op.key + esw_flower_places[id].offset,
				    esw_flower_places[id].len);
		delete_rule(&op);
		assert_int_equal(read_rules("fa"), 0);
	}
}

static void test_partial_masks(void **state)
{
	(void)state;
	for (uint32_t id = 0; id < ESW_FIELD_COUNT; id++) {
		struct esw_flower_op op = field_op("fa", id);

		if (esw_flower_is_exact(id) || id == ESW_FIELD_ip_flags)
			continue;
		((uint8_t *)&op.mask)[esw_flower_places[id].offset + esw_flower_places[id].len - 1] = 0x0e;
		assert_put(&op);
		delete_rule(&op);
	}
}

static void test_zero_values(void **state)
{
	static const uint8_t ids[] = { ESW_FIELD_vlan_id, ESW_FIELD_vlan_prio, ESW_FIELD_ip_ttl,
				       ESW_FIELD_src_port, ESW_FIELD_icmp_type, ESW_FIELD_enc_key_id,
				       ESW_FIELD_eth_dst, ESW_FIELD_ipv4_dst };

	(void)state;
	for (size_t i = 0; i < sizeof(ids); i++) {
		struct esw_flower_op op = field_op("fa", ids[i]);

		memset((uint8_t *)&op.key + esw_flower_places[ids[i]].offset, 0,
		       esw_flower_places[ids[i]].len);
		assert_put(&op);
		assert_int_equal(read_rules("fa"), 1);
		assert_true(full[0].fields & 1u << ids[i]);
		delete_rule(&op);
	}
}

static void test_actions(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < PLAIN_ACTS + ESW_PEDIT_FIELDS + FINAL_ACTS; i++) {
		struct esw_flower_op op = rule_op("fa", 1 + i);

		op.prio = (uint16_t)(1 + i);
		op.action_count = 2;
		op.actions[1] = final_act(0, "fb");
		if (i < PLAIN_ACTS) {
			op.actions[0] = plain_act(i, "fb");
		} else if (i < PLAIN_ACTS + ESW_PEDIT_FIELDS) {
			op.actions[0] = pedit_act(i - PLAIN_ACTS);
		} else {
			op.actions[0] = final_act(i - PLAIN_ACTS - ESW_PEDIT_FIELDS, "fb");
			op.action_count = 1;
		}
		assert_put(&op);
		assert_int_equal(read_rules("fa"), 1);
		assert_int_equal(full[0].action_count, op.action_count);
		assert_int_equal(full[0].actions[0].kind, op.actions[0].kind);
		assert_false(full[0].rec.flags & ESW_REC_UNKNOWN);
		assert_memory_equal(full[0].cookie, op.cookie, sizeof(op.cookie));
		delete_rule(&op);
	}
}

/* A long rule, as a router's would be; then its pedits alone by tc, which must look the same. */
static void test_long_rule(void **state)
{
	struct esw_flower_op op = rule_op("fa", 1);

	(void)state;
	set_context(&op, ESW_FIELD_dst_port);
	set_field(&op, ESW_FIELD_dst_port, 1);
	set_field(&op, ESW_FIELD_ipv4_dst, 10);
	set_field(&op, ESW_FIELD_eth_src, 2);
	op.action_count = 9;
	op.actions[0] = pedit_act(ESW_PEDIT_ETH_DST);
	op.actions[1] = pedit_act(ESW_PEDIT_ETH_SRC);
	op.actions[2] = pedit_act(ESW_PEDIT_IPV4_DST);
	op.actions[3] = pedit_act(ESW_PEDIT_TCP_DPORT);
	op.actions[4] = plain_act(1, "fb");
	op.actions[4].number = TCA_CSUM_UPDATE_FLAG_IPV4HDR | TCA_CSUM_UPDATE_FLAG_TCP;
	op.actions[5] = plain_act(8, "fb");
	op.actions[6] = plain_act(0, "fb");
	op.actions[7] = plain_act(2, "fb");
	op.actions[8] = final_act(0, "fb");
	assert_put(&op);
	assert_int_equal(read_rules("fa"), 1);
	assert_int_equal(full[0].action_count, 9);
	assert_string_equal(full[0].actions[8].link, "fb");
	assert_int_equal(system("tc filter add dev fa ingress prio 9 protocol ip handle 9 flower skip_hw "
				"action pedit ex munge eth dst set 02:00:00:00:00:01 munge ip ttl set 9 "
				"pipe action mirred egress redirect dev fb"), 0);
	assert_int_equal(read_rules("fa"), 2);
	assert_int_equal(full[1].action_count, 3);
	assert_int_equal(full[1].actions[1].number, ESW_PEDIT_IP_TTL);
	assert_false(full[1].rec.flags & (ESW_REC_UNKNOWN | ESW_REC_OURS));
}

static void test_twice_and_replaced(void **state)
{
	struct esw_flower_op op = field_op("fa", ESW_FIELD_eth_dst), other = op;

	(void)state;
	assert_put(&op);
	assert_put(&op);
	other.actions[0] = final_act(0, "fb");
	assert_put(&other);
	assert_int_equal(read_rules("fa"), 1);
	assert_int_equal(full[0].actions[0].kind, ESW_ACT_REDIRECT);
	other.mask.eth_dst[5] = 0; /* the kernel cannot change a mask in place */
	assert_put(&other);
	assert_int_equal(read_rules("fa"), 1);
	assert_int_equal(full[0].mask.eth_dst[5], 0);
	/* the same match by another handle */
	other.handle++;
	assert_int_equal(apply_rule(&other).error, -EEXIST);
}

static void test_foreign(void **state)
{
	struct esw_flower_op op = field_op("fa", ESW_FIELD_eth_dst), theirs = op;
	struct esw_flower_result result;

	(void)state;
	theirs.cookie[7] = 'x';
	assert_put(&theirs);
	result = apply_rule(&op);
	assert_int_equal(result.error, -EEXIST);
	assert_non_null(strstr(result.extack, "foreign"));
	op.verb = ESW_FLOWER_DELETE;
	assert_int_equal(apply_rule(&op).error, -EEXIST);
	assert_int_equal(dump("fa", 0), 1);
	assert_int_equal(recs[0].flags & ESW_REC_OURS, 0);
	assert_int_equal(recs[0].fingerprint, 0);
	theirs.verb = ESW_FLOWER_DELETE;
	assert_put(&theirs);
}

static void test_refused_by_the_kernel(void **state)
{
	struct esw_flower_op op = field_op("fa", ESW_FIELD_eth_dst);

	(void)state;
	op.flags = ESW_FLOWER_SKIP_SW;
	assert_int_equal(apply_rule(&op).error, -EOPNOTSUPP);
	op = field_op("fa", ESW_FIELD_eth_dst);
	assert_put(&op);
	op.handle++;
	op.protocol = ETH_P_ARP; /* on a prio that has another protocol */
	assert_int_equal(apply_rule(&op).error, -EINVAL);
	assert_int_equal(dump("fa", 0), 1);
	op.flags |= ESW_FLOWER_VERBOSE;
	op.protocol = ETH_P_ALL;
	op.key.eth_dst[0] = 4;
	assert_put(&op);
}

/* A terse dump has the same identities, cookies, flags and counters. */
static void compare_terse(uint32_t count)
{
	static struct esw_flower_rec terse[8192];

	assert_int_equal(dump("fa", 1), count);
	memcpy(terse, recs, count * sizeof(*recs));
	assert_int_equal(dump("fa", 0), count);
	for (uint32_t i = 0; i < count; i++) {
		terse[i].idle_ms = recs[i].idle_ms;
		assert_memory_equal(&terse[i], &recs[i], sizeof(recs[i]));
		assert_true(recs[i].flags & ESW_REC_OURS);
	}
}

static void many(uint32_t sockets)
{
	static struct esw_flower_op ops[MANY];
	static struct esw_flower_result results[MANY];

	for (uint32_t i = 0; i < MANY; i++) {
		ops[i] = rule_op("fa", 1 + i);
		ops[i].flags = ESW_FLOWER_SKIP_HW | (i % 2 ? ESW_FLOWER_ECHO : 0);
		set_field(&ops[i], ESW_FIELD_eth_dst, 2);
		set_u16(&ops[i], ESW_FIELD_vlan_ethtype, ETH_P_IP);
		ops[i].protocol = ETH_P_8021Q;
		memcpy(ops[i].key.eth_dst + 2, &i, sizeof(i));
		memcpy(ops[i].cookie + 12, &i, sizeof(i));
		ops[i].actions[0] = final_act(0, "fb");
	}
	ops[7].actions[0] = final_act(0, "none");
	apply_many(ops, MANY, sockets, "", results);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(results[i].error, i == 7 ? -ENODEV : 0);
	compare_terse(MANY - 1);
	ops[7] = ops[8]; /* twice in one batch: the second finds the first */
	for (uint32_t i = 0; i < MANY; i++)
		ops[i].verb = ESW_FLOWER_DELETE;
	apply_many(ops, MANY, sockets, "", results);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(results[i].error, 0);
	assert_int_equal(dump("fa", 0), 0);
}

static void test_many_on_one_socket(void **state)
{
	(void)state;
	many(1);
}

static void test_many_on_four_sockets(void **state)
{
	(void)state;
	many(4);
}

/* By identities alone, another's among them. */
static void test_delete_many(void **state)
{
	static struct esw_flower_op ops[600];
	static struct esw_flower_ref refs[600];
	static struct esw_flower_result results[600];
	struct esw_batch_hdr hdr = {
		.magic = ESW_BATCH_MAGIC, .version = ESW_ABI_VERSION, .record_size = sizeof(refs[0]),
		.length = sizeof(hdr) + sizeof(refs), .count = 600,
	};
	static uint8_t bytes[sizeof(hdr) + sizeof(refs)];

	(void)state;
	for (uint32_t i = 0; i < 600; i++) {
		ops[i] = rule_op("fa", 1 + i);
		set_field(&ops[i], ESW_FIELD_eth_dst, 2);
		memcpy(ops[i].key.eth_dst + 2, &i, sizeof(i));
		ops[i].cookie[7] = i == 300 ? 'x' : 't';
		memcpy(refs[i].name, ops[i].name, sizeof(refs[i].name));
		refs[i].handle = ops[i].handle;
		refs[i].prio = ops[i].prio;
		refs[i].protocol = ops[i].protocol;
	}
	apply_many(ops, 599, 2, "", results); /* the last is not there */
	memcpy(bytes, &hdr, sizeof(hdr));
	memcpy(bytes + sizeof(hdr), refs, sizeof(refs));
	assert_int_equal(esw_flower_delete(bytes, sizeof(bytes), results, sizeof(results), 2, "",
					   test_owner), 0);
	for (uint32_t i = 0; i < 600; i++)
		assert_int_equal(results[i].error, i == 300 ? -EEXIST : 0);
	assert_int_equal(dump("fa", 1), 1);
	assert_int_equal(recs[0].handle, 301);
}

/* Puts and deletes of one identity in one batch, in order. */
static void test_order(void **state)
{
	struct esw_flower_op ops[4];
	struct esw_flower_result results[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		ops[i] = field_op("fa", ESW_FIELD_eth_dst);
	ops[1].actions[0] = final_act(0, "fb");
	ops[2].verb = ESW_FLOWER_DELETE;
	ops[3].actions[0] = final_act(2, "fb");
	apply_many(ops, 4, 2, "", results);
	for (int i = 0; i < 4; i++)
		assert_int_equal(results[i].error, 0);
	assert_int_equal(read_rules("fa"), 1);
	assert_int_equal(full[0].actions[0].kind, ESW_ACT_PASS);
}

static void send_frames(const char *name, int count)
{
	uint8_t frame[60] = { 2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x88, 0xb5 };
	struct sockaddr_ll addr = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	assert_true(fd >= 0);
	for (int i = 0; i < count; i++)
		assert_int_equal(sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&addr,
					sizeof(addr)), sizeof(frame));
	close(fd);
}

static void test_counters(void **state)
{
	const uint8_t to[6] = { 2, 0, 0, 0, 0, 9 };
	struct esw_flower_op op = field_op("fa", ESW_FIELD_eth_dst);

	(void)state;
	memcpy(op.key.eth_dst, to, 6);
	assert_put(&op);
	usleep(300000);
	assert_int_equal(dump("fa", 0), 1);
	assert_in_range(recs[0].idle_ms, 200, 60000);
	send_frames("fb", 10); /* out of one end is into the other */
	usleep(50000);
	assert_int_equal(dump("fa", 0), 1);
	assert_int_equal(recs[0].sw_packets, 10);
	assert_in_range(recs[0].sw_bytes, 460, 600);
	assert_int_equal(recs[0].hw_packets, 0);
	assert_in_range(recs[0].idle_ms, 0, 250);
	compare_terse(1);
	/* A filter of a kind without terse dumps is no obstacle. */
	assert_int_equal(system("tc filter add dev fa ingress prio 1 matchall action pass"), 0);
	compare_terse(1);
	/* put again as it is: the counters stay */
	assert_put(&op);
	assert_int_equal(dump("fa", 0), 1);
	assert_int_equal(recs[0].sw_packets, 10);
}

static void test_dangling(void **state)
{
	struct esw_flower_op op = field_op("fa", ESW_FIELD_eth_dst);
	struct esw_link_op op2 = veth_op("fc", "fd"), del = delete_op("fc");

	(void)state;
	assert_ok(APPLY(esw_link_apply, op2));
	op.actions[0] = final_act(0, "fd");
	assert_put(&op);
	assert_int_equal(dump("fa", 0), 1);
	assert_false(recs[0].flags & ESW_REC_DANGLING);
	assert_ok(APPLY(esw_link_apply, del));
	assert_int_equal(dump("fa", 0), 1);
	assert_true(recs[0].flags & ESW_REC_DANGLING);
}

/* The qdisc that a put made goes with the last rule; one that was there stays. */
static void test_qdisc(void **state)
{
	char dir[] = "/tmp/esw-flower-XXXXXX", path[64];
	struct esw_flower_op op = field_op("fa", ESW_FIELD_eth_dst);
	struct esw_flower_result result;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/links", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	apply_many(&op, 1, 1, dir, &result);
	assert_int_equal(result.error, 0);
	snprintf(path, sizeof(path), "%s/links/fa_qdisc", dir);
	assert_int_equal(access(path, F_OK), 0);
	op.verb = ESW_FLOWER_DELETE;
	apply_many(&op, 1, 1, dir, &result);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_not_equal(system("tc qdisc show dev fa | grep -q clsact"), 0);
	assert_int_equal(system("tc qdisc add dev fa clsact"), 0);
	op.verb = ESW_FLOWER_PUT;
	apply_many(&op, 1, 1, dir, &result);
	op.verb = ESW_FLOWER_DELETE;
	apply_many(&op, 1, 1, dir, &result);
	assert_int_equal(system("tc qdisc show dev fa | grep -q clsact"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define KERNEL_TEST(name) cmocka_unit_test_setup(name, fresh)
		KERNEL_TEST(test_fields), KERNEL_TEST(test_partial_masks),
		KERNEL_TEST(test_zero_values), KERNEL_TEST(test_actions),
		KERNEL_TEST(test_long_rule), KERNEL_TEST(test_twice_and_replaced),
		KERNEL_TEST(test_foreign), KERNEL_TEST(test_refused_by_the_kernel),
		KERNEL_TEST(test_many_on_one_socket), KERNEL_TEST(test_many_on_four_sockets),
		KERNEL_TEST(test_delete_many), KERNEL_TEST(test_order), KERNEL_TEST(test_counters), KERNEL_TEST(test_dangling),
		KERNEL_TEST(test_qdisc),
	};

	need_root();
	return cmocka_run_group_tests(tests, setup, NULL);
}
