/* SPDX-License-Identifier: Apache-2.0
 *
 * ARP and IPv6 neighbour discovery: golden answers, and what gets none.
 */
#include "bpf_fixture.h"

#define A4 "10.1.0.10"
#define B4 "10.1.0.11"
#define A6 "fd01::a"
#define B6 "fd01::b"
#define SOLICITED_B "ff02::1:ff00:b"
#define MCAST_B "33:33:ff:00:00:0b"

#define NS 135
#define NA 136
#define SOURCE_MAC 1
#define TARGET_MAC 2
#define ROUTER 0x80000000u
#define SOLICITED 0x40000000u
#define OVERRIDE 0x20000000u

static struct packet ask(const char *sender, const char *target)
{
	return arp(BROADCAST, MAC_A, 1, MAC_A, sender, NO_MAC, target);
}

static void answers_arp(void **state)
{
	(void)state;
	assert_answer(A, ask(A4, B4), arp(MAC_A, SWITCH, 2, SWITCH, B4, MAC_A, A4));
	assert_answer(A, ask(A4, "10.1.0.1"), arp(MAC_A, SWITCH, 2, SWITCH, "10.1.0.1", MAC_A, A4));
	/* Unreachability probe, unicast to the switch MAC. */
	assert_answer(A, arp(SWITCH, MAC_A, 1, MAC_A, A4, SWITCH, B4),
		      arp(MAC_A, SWITCH, 2, SWITCH, B4, MAC_A, A4));
	/* The gateway port asks for containers. */
	assert_answer(G, arp(BROADCAST, MAC_G, 1, MAC_G, "10.1.0.1", NO_MAC, B4),
		      arp(MAC_G, SWITCH, 2, SWITCH, B4, MAC_G, "10.1.0.1"));
}

static void answers_arp_of_a_padded_frame(void **state)
{
	struct packet p = ask(A4, B4), wanted = arp(MAC_A, SWITCH, 2, SWITCH, B4, MAC_A, A4);

	(void)state;
	put_zeros(&p, 18);
	put_zeros(&wanted, 18);
	assert_answer(A, p, wanted);
}

static void answers_arp_probes_of_taken_addresses_only(void **state)
{
	(void)state;
	assert_answer(A, ask("0.0.0.0", B4), arp(MAC_A, SWITCH, 2, SWITCH, B4, MAC_A, "0.0.0.0"));
	assert_drop(A, ask("0.0.0.0", A4), ESW_DROP_ND_IGNORED);
	assert_drop(A, ask("0.0.0.0", "10.1.0.77"), ESW_DROP_ND_IGNORED);
}

static void ignores_other_arp(void **state)
{
	(void)state;
	assert_drop(A, ask(A4, A4), ESW_DROP_ND_IGNORED); /* announcement */
	assert_drop(A, arp(BROADCAST, MAC_A, 2, MAC_A, A4, MAC_A, A4), ESW_DROP_ND_IGNORED);
	assert_drop(A, arp(SWITCH, MAC_A, 2, MAC_A, A4, SWITCH, B4), ESW_DROP_ND_IGNORED);
	assert_drop(A, ask(A4, "10.1.0.77"), ESW_DROP_ARP_UNKNOWN);
	assert_drop(A, ask(A4, "192.0.2.1"), ESW_DROP_ARP_UNKNOWN);
	assert_drop(C, arp(BROADCAST, MAC_C, 1, MAC_C, "10.2.0.12", NO_MAC, B4), ESW_DROP_ARP_UNKNOWN);
}

static void drops_spoofed_arp(void **state)
{
	(void)state;
	assert_drop(A, arp(BROADCAST, MAC_B, 1, MAC_B, A4, NO_MAC, B4), ESW_DROP_SRC_MAC);
	assert_drop(A, arp(BROADCAST, MAC_A, 1, MAC_B, A4, NO_MAC, B4), ESW_DROP_ARP_SPOOF);
	assert_drop(A, arp(BROADCAST, MAC_A, 1, MAC_A, B4, NO_MAC, "10.1.0.1"), ESW_DROP_ARP_SPOOF);
	assert_drop(A, arp(BROADCAST, MAC_A, 2, MAC_A, B4, MAC_B, B4), ESW_DROP_ARP_SPOOF);
}

static void drops_malformed_arp(void **state)
{
	struct packet p = ask(A4, B4);

	(void)state;
	p.len--;
	assert_drop(A, p, ESW_DROP_MALFORMED);
	p.len++;
	p.bytes[15] = 6; /* hardware: IEEE 802 */
	assert_drop(A, p, ESW_DROP_MALFORMED);
	p = ask(A4, B4);
	p.bytes[19] = 16; /* protocol address length */
	assert_drop(A, p, ESW_DROP_MALFORMED);
}

static struct packet solicit(const char *src, const char *target, const char *source_mac)
{
	struct packet body = nd_body(target, SOURCE_MAC, source_mac);

	return icmp6(MCAST_B, MAC_A, src, SOLICITED_B, 255, NS, 0, &body);
}

static struct packet advertise(const char *to, const char *target, uint32_t flags)
{
	struct packet body = nd_body(target, TARGET_MAC, SWITCH);

	return icmp6(MAC_A, SWITCH, target, to, 255, NA, flags, &body);
}

static void answers_solicitations(void **state)
{
	struct packet body = nd_body(B6, SOURCE_MAC, NULL);

	(void)state;
	assert_answer(A, solicit(A6, B6, MAC_A), advertise(A6, B6, SOLICITED | OVERRIDE));
	assert_answer(A, solicit(LL_A, LL_B, MAC_A), advertise(LL_A, LL_B, SOLICITED | OVERRIDE));
	assert_answer(A, solicit(A6, "fd01::1", MAC_A), advertise(A6, "fd01::1", ROUTER | SOLICITED | OVERRIDE));
	/* Without the option the frame has to grow. */
	assert_answer(A, solicit(A6, B6, NULL), advertise(A6, B6, SOLICITED | OVERRIDE));
	/* Unreachability probe, unicast to the switch MAC. */
	assert_answer(A, icmp6(SWITCH, MAC_A, A6, B6, 255, NS, 0, &body),
		      advertise(A6, B6, SOLICITED | OVERRIDE));
}

static void answers_solicitations_with_more_options(void **state)
{
	struct packet body = nd_body(B6, SOURCE_MAC, MAC_A);

	(void)state;
	put32(&body, 0x0e01abcd); /* nonce */
	put32(&body, 0x12345678);
	assert_answer(A, icmp6(MCAST_B, MAC_A, A6, SOLICITED_B, 255, NS, 0, &body),
		      advertise(A6, B6, SOLICITED | OVERRIDE));
}

static void answers_the_gateway_port(void **state)
{
	struct packet ask_b = nd_body(B6, SOURCE_MAC, MAC_G), have_b = nd_body(B6, TARGET_MAC, SWITCH);

	(void)state;
	assert_answer(G, icmp6(MCAST_B, MAC_G, "fd01::1", SOLICITED_B, 255, NS, 0, &ask_b),
		      icmp6(MAC_G, SWITCH, B6, "fd01::1", 255, NA, SOLICITED | OVERRIDE, &have_b));
}

static void answers_address_detection_of_taken_addresses_only(void **state)
{
	struct packet body = nd_body(B6, TARGET_MAC, SWITCH), nonce = nd_body(B6, 0, NULL);
	struct packet defence = icmp6("33:33:00:00:00:01", SWITCH, B6, "ff02::1", 255, NA, OVERRIDE, &body);

	(void)state;
	put32(&nonce, 0x0e01abcd);
	put32(&nonce, 0x12345678);
	assert_answer(A, solicit("::", B6, NULL), defence);
	assert_answer(A, icmp6(MCAST_B, MAC_A, "::", SOLICITED_B, 255, NS, 0, &nonce), defence);
	assert_drop(A, solicit("::", A6, NULL), ESW_DROP_ND_IGNORED);
	assert_drop(A, solicit("::", LL_A, NULL), ESW_DROP_ND_IGNORED);
	assert_drop(A, solicit("::", "fd01::77", NULL), ESW_DROP_ND_IGNORED);
}

static void ignores_other_discovery(void **state)
{
	struct packet own = nd_body(A6, TARGET_MAC, MAC_A), p;

	(void)state;
	assert_drop(A, solicit(A6, "fd01::77", MAC_A), ESW_DROP_ARP_UNKNOWN);
	assert_drop(A, solicit(A6, A6, MAC_A), ESW_DROP_ND_IGNORED);
	assert_drop(A, icmp6(MCAST_B, MAC_A, LL_A, "ff02::2", 255, 133, 0, NULL), ESW_DROP_ND_IGNORED);
	assert_drop(A, icmp6(SWITCH, MAC_A, LL_A, B6, 255, 134, 0, NULL), ESW_DROP_ND_IGNORED);
	assert_drop(A, icmp6(SWITCH, MAC_A, A6, B6, 255, NA, 0, &own), ESW_DROP_ND_IGNORED);
	assert_drop(A, icmp6(SWITCH, MAC_A, LL_A, B6, 255, 137, 0, NULL), ESW_DROP_ND_IGNORED);
	/* Multicast listener report behind a router alert. */
	p = ethernet("33:33:00:00:00:16", MAC_A, 0x86dd);
	put_ipv6(&p, "::", "ff02::16", 0, 1, 16);
	put32(&p, 0x3a000502);
	put32(&p, 0x00000100);
	put32(&p, 0x8f000000);
	put32(&p, 0);
	assert_drop(A, p, ESW_DROP_ND_IGNORED);
}

static void finds_discovery_behind_extension_headers(void **state)
{
	struct packet p = ethernet(SWITCH, MAC_A, 0x86dd);

	(void)state;
	put_ipv6(&p, LL_A, B6, 60, 255, 32);
	put32(&p, 0x3c000104);
	put32(&p, 0);
	put32(&p, 0x3a000104);
	put32(&p, 0);
	put32(&p, 0x86000000); /* router advertisement */
	put32(&p, 0);
	put_zeros(&p, 8);
	assert_drop(A, p, ESW_DROP_ND_IGNORED);
	p = ethernet(SWITCH, MAC_A, 0x86dd);
	put_ipv6(&p, LL_A, B6, 60, 255, 48);
	for (int i = 0; i < 5; i++) {
		put32(&p, 0x3c000104);
		put32(&p, 0);
	}
	put_zeros(&p, 8);
	assert_drop(A, p, ESW_DROP_MALFORMED);
}

static void drops_spoofed_discovery(void **state)
{
	(void)state;
	assert_drop(A, solicit(B6, "fd01::1", MAC_A), ESW_DROP_ARP_SPOOF);
	assert_drop(A, solicit(LL_B, B6, MAC_A), ESW_DROP_ARP_SPOOF);
	assert_drop(A, solicit(A6, B6, MAC_B), ESW_DROP_ARP_SPOOF);
}

static void drops_malformed_discovery(void **state)
{
	struct packet body = nd_body(B6, SOURCE_MAC, MAC_A), p;

	(void)state;
	assert_drop(A, icmp6(MCAST_B, MAC_A, A6, SOLICITED_B, 254, NS, 0, &body), ESW_DROP_MALFORMED);
	p = solicit(A6, B6, MAC_A);
	p.bytes[55] = 1; /* code */
	assert_drop(A, p, ESW_DROP_MALFORMED);
	p = solicit(A6, B6, MAC_A);
	p.bytes[79] = 0; /* option of no length: would never end */
	assert_drop(A, p, ESW_DROP_MALFORMED);
	p = solicit(A6, B6, MAC_A);
	p.bytes[79] = 2; /* option longer than the frame */
	assert_drop(A, p, ESW_DROP_MALFORMED);
	p = solicit(A6, B6, NULL);
	p.len -= 4;
	assert_drop(A, p, ESW_DROP_MALFORMED);
	assert_drop(A, solicit(A6, "ff02::1", MAC_A), ESW_DROP_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_arp),
		cmocka_unit_test(answers_arp_of_a_padded_frame),
		cmocka_unit_test(answers_arp_probes_of_taken_addresses_only),
		cmocka_unit_test(ignores_other_arp),
		cmocka_unit_test(drops_spoofed_arp),
		cmocka_unit_test(drops_malformed_arp),
		cmocka_unit_test(answers_solicitations),
		cmocka_unit_test(answers_solicitations_with_more_options),
		cmocka_unit_test(answers_the_gateway_port),
		cmocka_unit_test(answers_address_detection_of_taken_addresses_only),
		cmocka_unit_test(ignores_other_discovery),
		cmocka_unit_test(finds_discovery_behind_extension_headers),
		cmocka_unit_test(drops_spoofed_discovery),
		cmocka_unit_test(drops_malformed_discovery),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
