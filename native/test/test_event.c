/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Reads one whole record; false when none comes in time. */
static bool next_event(int fd, struct esw_event *event)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	size_t have = 0;

	while (have < sizeof(*event)) {
		ssize_t got;

		if (poll(&readable, 1, 2000) <= 0)
			return false;
		got = read(fd, (uint8_t *)event + have, sizeof(*event) - have);
		if (got <= 0)
			return false;
		have += (size_t)got;
	}
	return true;
}

/* Waits for an event of that kind, about that link when `name` is given. */
static bool wait_for(int fd, uint16_t kind, const char *name, struct esw_event *event)
{
	while (next_event(fd, event)) {
		if (event->kind == kind && (!name || strcmp(event->name, name) == 0))
			return true;
	}
	return false;
}

static void test_links_and_addresses(void **state)
{
	int fd = esw_event_open(ESW_EVENT_LINK | ESW_EVENT_ADDR | ESW_EVENT_ROUTE);
	struct esw_link_op op = veth_op("ea", "eb"), del = delete_op("ea");
	struct esw_addr_op addr = {
		.verb = 1, .name = "ea", .family = AF_INET, .prefixlen = 24, .addr = { 192, 0, 2, 1 },
	};
	struct esw_event event;
	struct esw_result result;

	(void)state;
	assert_true(fd >= 0);
	op.peer_up = 1;
	result = APPLY(esw_link_apply, op);
	assert_ok(result);
	assert_true(wait_for(fd, RTM_NEWLINK, "ea", &event));
	assert_int_equal(event.ifindex, result.ifindex);
	assert_ok(APPLY(esw_addr_apply, addr));
	assert_true(wait_for(fd, RTM_NEWADDR, NULL, &event));
	assert_int_equal(event.family, AF_INET);
	assert_int_equal(event.ifindex, result.ifindex);
	assert_true(wait_for(fd, RTM_NEWROUTE, NULL, &event));
	assert_ok(APPLY(esw_link_apply, del));
	assert_true(wait_for(fd, RTM_DELLINK, "ea", &event));
	close(fd);
}

static void test_only_what_was_asked(void **state)
{
	int fd = esw_event_open(ESW_EVENT_ADDR);
	struct esw_link_op op = veth_op("ec", "ed"), del = delete_op("ec");
	struct esw_event event;

	(void)state;
	op.noaddrgen = 1;
	op.up = 0;
	assert_ok(APPLY(esw_link_apply, op));
	assert_ok(APPLY(esw_link_apply, del));
	assert_false(next_event(fd, &event));
	close(fd);
}

/* A reader that is away while more happens than the sockets hold learns that it lost events. */
static void test_lost_events_are_told(void **state)
{
	int fd = esw_event_open(ESW_EVENT_LINK);
	struct esw_link_op op = veth_op("ee", "ef"), del = delete_op("ee");
	struct esw_link_op set[MAX_RECORDS];
	struct esw_event event;
	bool lost = false;

	(void)state;
	assert_ok(APPLY(esw_link_apply, op));
	for (int i = 0; i < MAX_RECORDS; i++) {
		set[i] = set_op("ee", ESW_SET_MTU);
		set[i].mtu = (uint32_t)(1300 + i % 2);
	}
	for (int round = 0; round < 24; round++) {
		struct batch *batch = batch_of(set, sizeof(set[0]), MAX_RECORDS);

		assert_int_equal(esw_link_apply(batch->bytes, batch->len, batch->results,
						sizeof(batch->results)), 0);
		batch_free(batch);
	}
	while (!lost && next_event(fd, &event))
		lost = event.kind == 0;
	assert_true(lost);
	close(fd);
	assert_ok(APPLY(esw_link_apply, del));
}

static void test_arguments(void **state)
{
	(void)state;
	assert_int_equal(esw_event_open(0), -EINVAL);
	assert_int_equal(esw_event_open(1u << 9), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links_and_addresses),
		cmocka_unit_test(test_only_what_was_asked),
		cmocka_unit_test(test_lost_events_are_told),
		cmocka_unit_test(test_arguments),
	};

	need_root();
	return cmocka_run_group_tests(tests, netns_setup, NULL);
}
