/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses, routes and neighbours.
 */
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int setup(void **state)
{
	struct esw_link_op op = veth_op("ra", "rb");

	op.peer_up = 1;
	op.noaddrgen = 0;
	return netns_setup(state) || APPLY(esw_link_apply, op).error;
}

static struct esw_addr_op addr_op(uint32_t verb, const char *text, uint8_t prefixlen)
{
	struct esw_addr_op op = { .verb = verb, .prefixlen = prefixlen, .nodad = 1 };

	strcpy(op.name, "ra");
	op.family = strchr(text, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(op.family, text, op.addr), 1);
	return op;
}

static bool find_addr(const struct esw_addr_op *op, struct esw_addr_rec *rec)
{
	struct esw_addr_rec recs[64];
	int count = esw_addr_dump("", recs, sizeof(recs));

	assert_in_range(count, 0, 64);
	for (int i = 0; i < count; i++) {
		if (recs[i].family == op->family && memcmp(recs[i].addr, op->addr, 16) == 0) {
			*rec = recs[i];
			return true;
		}
	}
	return false;
}

static void addr_round(const char *text, uint8_t prefixlen)
{
	struct esw_addr_op op = addr_op(1, text, prefixlen);
	struct esw_addr_rec rec;
	struct esw_result result = APPLY(esw_addr_apply, op);

	assert_ok(result);
	assert_ok(APPLY(esw_addr_apply, op));
	assert_true(find_addr(&op, &rec));
	assert_int_equal(rec.prefixlen, prefixlen);
	assert_int_equal(rec.proto, ESW_PROTO_MARK);
	assert_int_equal(rec.ifindex, result.ifindex);
	if (op.family == AF_INET6)
		assert_true(rec.flags & IFA_F_NODAD);
	op.verb = 2;
	assert_ok(APPLY(esw_addr_apply, op));
	assert_false(find_addr(&op, &rec));
	assert_ok(APPLY(esw_addr_apply, op));
}

static void test_addresses(void **state)
{
	(void)state;
	addr_round("192.0.2.1", 24);
	addr_round("2001:db8::1", 64);
	addr_round("198.51.100.7", 32);
}

static void test_addr_refusals(void **state)
{
	struct esw_addr_op op = addr_op(1, "192.0.2.1", 33);

	(void)state;
	assert_refused(APPLY(esw_addr_apply, op), EINVAL, "prefix length");
	op = addr_op(1, "192.0.2.1", 24);
	op.family = AF_UNIX;
	assert_refused(APPLY(esw_addr_apply, op), EINVAL, "family");
	op = addr_op(3, "192.0.2.1", 24);
	assert_refused(APPLY(esw_addr_apply, op), EINVAL, "verb");
	op = addr_op(1, "192.0.2.1", 24);
	strcpy(op.name, "r-none");
	assert_refused(APPLY(esw_addr_apply, op), ENODEV, "does not exist");
	op.verb = 2;
	assert_ok(APPLY(esw_addr_apply, op));
	op = addr_op(1, "127.0.0.1", 8);
	strcpy(op.netns, "/run/netns/t-there-is-none");
	assert_refused(APPLY(esw_addr_apply, op), ENOENT, "namespace");
}

static struct esw_route_op route_op(uint32_t verb, const char *dst, uint8_t prefixlen,
				    const char *gateway)
{
	struct esw_route_op op = {
		.verb = verb, .prefixlen = prefixlen, .protocol = ESW_PROTO_MARK, .table = 254,
	};

	strcpy(op.oif, "ra");
	op.family = strchr(dst, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(op.family, dst, op.dst), 1);
	op.scope_link = op.family == AF_INET && !gateway;
	if (gateway) {
		op.has_gateway = 1;
		assert_int_equal(inet_pton(op.family, gateway, op.gateway), 1);
	}
	return op;
}

static bool find_route(const struct esw_route_op *op, struct esw_route_rec *rec)
{
	struct esw_route_rec recs[64];
	int count = esw_route_dump("", op->protocol, recs, sizeof(recs));

	assert_in_range(count, 0, 64);
	for (int i = 0; i < count; i++) {
		assert_int_equal(recs[i].protocol, op->protocol);
		if (recs[i].family == op->family && recs[i].prefixlen == op->prefixlen &&
		    memcmp(recs[i].dst, op->dst, 16) == 0) {
			*rec = recs[i];
			return true;
		}
	}
	return false;
}

static void route_round(const char *dst, uint8_t prefixlen, const char *gateway, uint32_t table)
{
	struct esw_route_op op = route_op(1, dst, prefixlen, gateway);
	struct esw_route_rec rec;
	struct esw_result result;

	op.table = table;
	op.metric = 77;
	result = APPLY(esw_route_apply, op);
	assert_ok(result);
	assert_ok(APPLY(esw_route_apply, op));
	assert_true(find_route(&op, &rec));
	assert_int_equal(rec.oif, result.ifindex);
	assert_int_equal(rec.table, table);
	assert_int_equal(rec.metric, 77);
	assert_int_equal(rec.has_gateway, gateway != NULL);
	if (gateway)
		assert_memory_equal(rec.gateway, op.gateway, 16);
	op.verb = 2;
	assert_ok(APPLY(esw_route_apply, op));
	assert_false(find_route(&op, &rec));
	assert_ok(APPLY(esw_route_apply, op));
}

static void test_routes(void **state)
{
	struct esw_addr_op addr = addr_op(1, "192.0.2.1", 24);
	struct esw_route_op op;

	(void)state;
	assert_ok(APPLY(esw_addr_apply, addr));
	route_round("203.0.113.0", 24, NULL, 254);
	route_round("203.0.113.0", 24, "192.0.2.9", 254);
	route_round("0.0.0.0", 0, "192.0.2.9", 70000);
	route_round("2001:db8:1::", 48, NULL, 254);
	route_round("2001:db8:1::", 48, "fe80::9", 254);
	op = route_op(1, "203.0.113.1", 24, NULL);
	assert_refused(APPLY(esw_route_apply, op), EINVAL, "prefix");
	op = route_op(1, "203.0.113.0", 24, "8.8.8.8");
	assert_refused(APPLY(esw_route_apply, op), ENETUNREACH, "gateway");
	op = route_op(1, "203.0.113.0", 129, NULL);
	assert_refused(APPLY(esw_route_apply, op), EINVAL, "prefix length");
	op = route_op(1, "203.0.113.0", 24, NULL);
	op.oif[0] = '\0';
	assert_refused(APPLY(esw_route_apply, op), EINVAL, "link or a gateway");
	assert_int_equal(esw_route_dump("", 256, NULL, 0), -EINVAL);
	addr.verb = 2;
	assert_ok(APPLY(esw_addr_apply, addr));
}

static void test_neighbours(void **state)
{
	struct esw_neigh_op op = {
		.verb = 1, .family = AF_INET, .permanent = 1, .mac = { 2, 9, 8, 7, 6, 5 },
		.addr = { 192, 0, 2, 33 },
	};
	struct esw_neigh_rec recs[64];
	int count, found = 0;

	(void)state;
	strcpy(op.name, "ra");
	assert_ok(APPLY(esw_neigh_apply, op));
	assert_ok(APPLY(esw_neigh_apply, op));
	count = esw_neigh_dump("", recs, sizeof(recs));
	assert_in_range(count, 1, 64);
	for (int i = 0; i < count; i++) {
		if (memcmp(recs[i].addr, op.addr, 16) != 0)
			continue;
		found++;
		assert_int_equal(recs[i].state, NUD_PERMANENT);
		assert_int_equal(recs[i].protocol, ESW_PROTO_MARK);
		assert_memory_equal(recs[i].mac, op.mac, 6);
	}
	assert_int_equal(found, 1);
	op.verb = 2;
	assert_ok(APPLY(esw_neigh_apply, op));
	assert_ok(APPLY(esw_neigh_apply, op));
	op.family = 99;
	assert_refused(APPLY(esw_neigh_apply, op), EINVAL, "family");
}

/* One batch over two namespaces, with failures in between: each record has its own result. */
static void test_mixed_batch(void **state)
{
	const char *netns = netns_open();
	struct esw_addr_op ops[5];
	struct batch *batch;
	static const int expected[] = { 0, 0, -EINVAL, -ENODEV, 0 };
	struct esw_addr_rec recs[8];

	(void)state;
	for (int i = 0; i < 5; i++) {
		ops[i] = addr_op(1, "192.0.2.1", 24);
		ops[i].addr[3] = (uint8_t)(10 + i);
	}
	strcpy(ops[1].netns, netns);
	strcpy(ops[1].name, "lo");
	ops[2].prefixlen = 99;
	strcpy(ops[3].netns, netns); /* has no link ra */
	batch = batch_of(ops, sizeof(ops[0]), 5);
	assert_int_equal(esw_addr_apply(batch->bytes, batch->len, batch->results,
					sizeof(batch->results)), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(batch->results[i].error, expected[i]);
	assert_int_equal(esw_addr_dump(netns, recs, sizeof(recs)), 1);
	batch_free(batch);
	netns_close(netns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),  cmocka_unit_test(test_addr_refusals),
		cmocka_unit_test(test_routes),	   cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_mixed_batch),
	};

	need_root();
	return cmocka_run_group_tests(tests, setup, NULL);
}
