/* SPDX-License-Identifier: Apache-2.0
 *
 * Forwarding, source checks and every drop reason, one frame at a time through BPF_PROG_TEST_RUN.
 */
#include "bpf_fixture.h"

#define A4 "10.1.0.10"
#define B4 "10.1.0.11"
#define A6 "fd01::a"
#define B6 "fd01::b"

static struct packet from_a(const char *dst)
{
	if (strchr(dst, ':'))
		return udp6(SWITCH, MAC_A, A6, dst);
	return udp4(SWITCH, MAC_A, A4, dst);
}

static void forwards_to_an_endpoint(void **state)
{
	(void)state;
	assert_forward(A, from_a(B4), B, MAC_B);
	assert_forward(A, from_a(B6), B, MAC_B);
	assert_forward(A, udp6(SWITCH, MAC_A, LL_A, LL_B), B, MAC_B);
	assert_forward(B, udp4(SWITCH, MAC_B, B4, A4), A, MAC_A);
}

static void forwards_frames_for_a_stale_mac(void **state)
{
	(void)state;
	assert_forward(A, udp4(MAC_C, MAC_A, A4, B4), B, MAC_B);
}

static void forwards_options_and_fragments(void **state)
{
	struct packet p = ethernet(SWITCH, MAC_A, 0x0800);

	(void)state;
	put_ipv4(&p, A4, B4, 12);
	assert_forward(A, p, B, MAC_B);
	p = from_a(B4);
	p.bytes[14 + 6] = 0x20; /* more fragments */
	assert_forward(A, p, B, MAC_B);
	p.bytes[14 + 6] = 0;
	p.bytes[14 + 7] = 0xb9; /* a later one */
	assert_forward(A, p, B, MAC_B);
	p = ethernet(SWITCH, MAC_A, 0x86dd);
	put_ipv6(&p, A6, B6, 44, 64, 16);
	put32(&p, 0x3a000008); /* fragment of ICMPv6 */
	put32(&p, 1);
	put32(&p, 0x87000000); /* would be a solicitation */
	put32(&p, 0);
	assert_forward(A, p, B, MAC_B);
}

static void forwards_icmp6_echo_and_extension_headers(void **state)
{
	struct packet p = icmp6(SWITCH, MAC_A, A6, B6, 64, 128, 0x00010001, NULL);

	(void)state;
	assert_forward(A, p, B, MAC_B);
	p = ethernet(SWITCH, MAC_A, 0x86dd);
	put_ipv6(&p, A6, B6, 60, 64, 16);
	put32(&p, 0x3a000104); /* destination options, then ICMPv6 echo */
	put32(&p, 0);
	put32(&p, 0x80000000);
	put32(&p, 0);
	assert_forward(A, p, B, MAC_B);
}

static void sends_the_rest_to_the_gateway(void **state)
{
	(void)state;
	assert_forward(A, from_a("10.1.0.1"), G, MAC_G); /* its own address */
	assert_forward(A, from_a("fd01::1"), G, MAC_G);
	assert_forward(A, from_a("192.0.2.1"), G, MAC_G);
	assert_forward(A, from_a("2001:db8::1"), G, MAC_G);
	assert_forward(A, from_a("10.2.0.12"), G, MAC_G); /* another network's: the host decides */
	assert_forward(A, from_a("169.254.169.254"), G, MAC_G);
}

static void forwards_what_the_gateway_sends(void **state)
{
	(void)state;
	assert_forward(G, udp4(SWITCH, MAC_G, "192.0.2.1", B4), B, MAC_B);
	assert_forward(G, udp4(SWITCH, MAC_C, "10.1.0.1", B4), B, MAC_B);
	assert_forward(G, udp6(SWITCH, MAC_G, "2001:db8::1", B6), B, MAC_B);
	assert_drop(G, udp4(SWITCH, MAC_G, "127.0.0.1", B4), ESW_DROP_LOOPBACK);
	assert_drop(G, udp6(SWITCH, MAC_G, "::1", B6), ESW_DROP_LOOPBACK);
	assert_drop(G, udp4(SWITCH, MAC_G, "192.0.2.1", "192.0.2.2"), ESW_DROP_NO_DST);
	assert_drop(G, udp4(SWITCH, MAC_G, "10.1.0.1", "10.1.0.77"), ESW_DROP_NO_DST);
}

static void drops_spoofed_sources(void **state)
{
	(void)state;
	assert_drop(A, udp4(SWITCH, MAC_B, A4, B4), ESW_DROP_SRC_MAC);
	assert_drop(A, udp4(SWITCH, MAC_A, B4, B4), ESW_DROP_SRC_IP);
	assert_drop(A, udp4(SWITCH, MAC_A, "0.0.0.0", B4), ESW_DROP_SRC_IP);
	assert_drop(A, udp4(SWITCH, MAC_A, "127.0.0.1", B4), ESW_DROP_SRC_IP);
	assert_drop(A, udp6(SWITCH, MAC_A, B6, B6), ESW_DROP_SRC_IP);
	assert_drop(A, udp6(SWITCH, MAC_A, LL_B, B6), ESW_DROP_SRC_IP);
	assert_drop(A, udp6(SWITCH, MAC_A, "::", B6), ESW_DROP_SRC_IP);
	assert_drop(A, udp6(SWITCH, MAC_A, "::ffff:10.1.0.10", B6), ESW_DROP_SRC_IP);
	assert_drop(A, udp6(SWITCH, MAC_A, "::1", B6), ESW_DROP_LOOPBACK);
	/* A port without an IPv6 address may not use the unspecified one. */
	assert_drop(C, udp6(SWITCH, MAC_C, "::", "fe80::1"), ESW_DROP_SRC_IP);
	/* Nor does a running flow let a spoofed packet through. */
	assert_forward(A, from_a(B4), B, MAC_B);
	assert_drop(A, udp4(SWITCH, MAC_B, A4, B4), ESW_DROP_SRC_MAC);
	assert_drop(B, udp4(SWITCH, MAC_A, A4, B4), ESW_DROP_SRC_MAC);
	assert_drop(B, udp4(SWITCH, MAC_B, A4, B4), ESW_DROP_SRC_IP);
}

static void drops_destinations_that_lead_nowhere(void **state)
{
	(void)state;
	assert_drop(A, from_a("10.1.0.77"), ESW_DROP_NO_DST);
	assert_drop(A, from_a("10.1.255.255"), ESW_DROP_NO_DST);
	assert_drop(A, from_a("fd01::77"), ESW_DROP_NO_DST);
	assert_drop(A, from_a("fe80::77"), ESW_DROP_NO_DST);
	assert_drop(A, from_a("127.0.0.1"), ESW_DROP_LOOPBACK);
	assert_drop(A, from_a("::1"), ESW_DROP_LOOPBACK);
	/* An IPv6 packet does not reach the IPv4 entry that is stored as a mapped address. */
	assert_drop(A, from_a("::ffff:10.1.0.11"), ESW_DROP_MALFORMED);
}

static void drops_multicast_and_broadcast(void **state)
{
	(void)state;
	assert_drop(A, udp4("01:00:5e:00:00:fb", MAC_A, A4, "224.0.0.251"), ESW_DROP_MULTICAST);
	assert_drop(A, udp4(SWITCH, MAC_A, A4, "239.1.2.3"), ESW_DROP_MULTICAST);
	assert_drop(A, udp4(BROADCAST, MAC_A, A4, "255.255.255.255"), ESW_DROP_MULTICAST);
	assert_drop(A, udp6("33:33:00:00:00:fb", MAC_A, A6, "ff02::fb"), ESW_DROP_MULTICAST);
	assert_drop(A, udp4(BROADCAST, MAC_A, A4, B4), ESW_DROP_MULTICAST);
	assert_drop(A, udp4("01:00:5e:00:00:01", MAC_A, A4, "192.0.2.1"), ESW_DROP_MULTICAST);
}

static void keeps_internal_networks_inside(void **state)
{
	(void)state;
	assert_drop(C, udp4(SWITCH, MAC_C, "10.2.0.12", "192.0.2.1"), ESW_DROP_INTERNAL);
	assert_drop(C, udp4(SWITCH, MAC_C, "10.2.0.12", B4), ESW_DROP_INTERNAL);
	assert_drop(C, udp4(SWITCH, MAC_C, "10.2.0.12", "10.2.0.99"), ESW_DROP_NO_DST);
}

static void drops_what_it_does_not_speak(void **state)
{
	struct packet p = ethernet(SWITCH, MAC_A, 0x88cc);

	(void)state;
	put_zeros(&p, 46);
	assert_drop(A, p, ESW_DROP_ETHERTYPE);
	p = ethernet("01:80:c2:00:00:00", MAC_A, 0x0026); /* spanning tree: a length, not a type */
	put_zeros(&p, 46);
	assert_drop(A, p, ESW_DROP_ETHERTYPE);
	for (int i = 0; i < 2; i++) {
		p = ethernet(SWITCH, MAC_A, i ? 0x88a8 : 0x8100);
		put32(&p, 0x00640800);
		put_ipv4(&p, A4, B4, 0);
		assert_drop(A, p, ESW_DROP_VLAN);
	}
}

static void drops_malformed_headers(void **state)
{
	struct packet p = from_a(B4);

	(void)state;
	p.bytes[14] = 0x44; /* header shorter than it can be */
	assert_drop(A, p, ESW_DROP_MALFORMED);
	p.bytes[14] = 0x65; /* not version 4 */
	assert_drop(A, p, ESW_DROP_MALFORMED);
	p = from_a(B4);
	p.bytes[14] = 0x4f; /* header longer than the frame */
	p.len = 14 + 59;
	assert_drop(A, p, ESW_DROP_MALFORMED);
	p = from_a(B6);
	p.bytes[14] = 0x45;
	assert_drop(A, p, ESW_DROP_MALFORMED);
}

static void drops_without_port_or_network(void **state)
{
	(void)state;
	assert_drop(U, from_a(B4), ESW_DROP_NO_PORT);
	assert_drop(D, udp4(SWITCH, MAC_A, "10.3.0.10", B4), ESW_DROP_NO_NET);
}

/* A swapped table is in force at once, for running flows too. */
static void follows_a_swapped_table(void **state)
{
	int other = new_generation();

	(void)state;
	assert_forward(A, from_a(B4), B, MAC_B);
	set_fib(other, 1, B4, G, MAC_C, 0);
	go_live(other);
	assert_forward(A, from_a(B4), G, MAC_C);
	assert_drop(B, udp4(SWITCH, MAC_B, B4, A4), ESW_DROP_NO_DST);
	go_live(lab.generation);
	assert_forward(A, from_a(B4), B, MAC_B);
	close(other);
}

/* A changed entry is in force within two ticks, whatever HZ is. */
static void follows_a_changed_entry(void **state)
{
	(void)state;
	assert_forward(A, from_a(B6), B, MAC_B);
	set_fib(lab.generation, 1, B6, B, MAC_C, 0);
	usleep(40000);
	assert_forward(A, from_a(B6), B, MAC_C);
	set_fib(lab.generation, 1, B6, B, MAC_B, 0);
	usleep(40000);
	assert_forward(A, from_a(B6), B, MAC_B);
}

/* Only ports that ask for it are counted by pair; first packets and those of known flows alike. */
static void counts_pairs(void **state)
{
	struct esw_pair_key key = {.src = A, .dst = B, .family = 4};

	(void)state;
	assert_forward(A, from_a(B4), B, MAC_B);
	assert_int_equal(paired(A, B, 4), 0);
	set_port(A, 1, MAC_A, A4, A6, ESW_PORT_COUNT_PAIRS);
	usleep(40000);
	assert_forward(A, from_a(B4), B, MAC_B);
	assert_forward(A, from_a(B6), B, MAC_B);
	assert_forward(A, udp6(SWITCH, MAC_A, LL_A, LL_B), B, MAC_B);
	assert_forward(B, udp4(SWITCH, MAC_B, B4, A4), A, MAC_A);
	assert_forward(A, from_a("10.1.0.1"), G, MAC_G);
	assert_int_equal(paired(A, B, 4), 2);
	assert_int_equal(percpu("pairs", &key, 2, 1), 2 * from_a(B4).len);
	assert_int_equal(paired(A, B, 6), 4);
	assert_int_equal(paired(B, A, 4), 0);
	assert_int_equal(paired(A, G, 4), 0);
	assert_drop(A, udp4(SWITCH, MAC_A, B4, B4), ESW_DROP_SRC_IP);
	set_port(A, 1, MAC_A, A4, A6, 0);
	usleep(40000);
}

static void drops_when_no_table_is_live(void **state)
{
	uint32_t zero = 0;

	(void)state;
	assert_forward(A, from_a(B4), B, MAC_B);
	assert_int_equal(bpf_map_delete_elem(map("fib"), &zero), 0);
	assert_drop(A, from_a(B4), ESW_DROP_NO_DST);
	go_live(lab.generation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwards_to_an_endpoint),
		cmocka_unit_test(forwards_frames_for_a_stale_mac),
		cmocka_unit_test(forwards_options_and_fragments),
		cmocka_unit_test(forwards_icmp6_echo_and_extension_headers),
		cmocka_unit_test(sends_the_rest_to_the_gateway),
		cmocka_unit_test(forwards_what_the_gateway_sends),
		cmocka_unit_test(drops_spoofed_sources),
		cmocka_unit_test(drops_destinations_that_lead_nowhere),
		cmocka_unit_test(drops_multicast_and_broadcast),
		cmocka_unit_test(keeps_internal_networks_inside),
		cmocka_unit_test(drops_what_it_does_not_speak),
		cmocka_unit_test(drops_malformed_headers),
		cmocka_unit_test(drops_without_port_or_network),
		cmocka_unit_test(follows_a_swapped_table),
		cmocka_unit_test(follows_a_changed_entry),
		cmocka_unit_test(counts_pairs),
		cmocka_unit_test(drops_when_no_table_is_live),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
