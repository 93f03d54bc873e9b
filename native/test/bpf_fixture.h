/* SPDX-License-Identifier: Apache-2.0
 *
 * The data path under test: program and maps loaded in a network namespace of its own, with
 *   network 1, 10.1.0.0/16 and fd01::/64: ports A and B, gateway port G
 *   network 2, internal, 10.2.0.0/16: port C
 *   network 3, absent: port D
 * and device U without an entry in "ports". The representors' MAC is the switch MAC, as in life.
 */
#ifndef BPF_FIXTURE_H
#define BPF_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "bpf_packets.h"
#include "esw_maps.h"

#define SWITCH "02:e5:00:00:00:fe"
#define MAC_A "02:e5:00:00:00:0a"
#define MAC_B "02:e5:00:00:00:0b"
#define MAC_C "02:e5:00:00:00:0c"
#define MAC_G "02:e5:00:00:00:99"
#define LL_A "fe80::e5:ff:fe00:a"
#define LL_B "fe80::e5:ff:fe00:b"
#define BROADCAST "ff:ff:ff:ff:ff:ff"
#define NO_MAC "00:00:00:00:00:00"

#define VERDICT_DROP 2
#define VERDICT_REDIRECT 7

enum port_slot { A = 1, B, C, D, G, U };

static struct {
	struct bpf_object *object;
	int program, generation;
	uint32_t ifindex[U + 1];
	struct packet out; /* of the last run */
} lab;

static int map(const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(lab.object, name);

	assert_true(fd >= 0);
	return fd;
}

static void ip16(const char *text, uint8_t *out)
{
	memset(out, 0, 16);
	if (strchr(text, ':')) {
		assert_int_equal(inet_pton(AF_INET6, text, out), 1);
		return;
	}
	out[10] = out[11] = 0xff;
	assert_int_equal(inet_pton(AF_INET, text, out + 12), 1);
}

static void mac6(const char *text, uint8_t *out)
{
	struct packet p = {0};

	put_mac(&p, text);
	memcpy(out, p.bytes, 6);
}

static void set_port(enum port_slot slot, uint32_t net, const char *mac, const char *ip4, const char *ip6,
		     unsigned flags)
{
	struct esw_port port = {.slot = slot, .net = net, .flags = flags};

	mac6(mac, port.mac);
	if (ip4)
		inet_pton(AF_INET, ip4, &port.ip4_be);
	if (ip6)
		inet_pton(AF_INET6, ip6, port.ip6);
	assert_int_equal(bpf_map_update_elem(map("ports"), &lab.ifindex[slot], &port, BPF_ANY), 0);
}

static void set_fib(int generation, uint32_t net, const char *ip, enum port_slot slot, const char *mac,
		    unsigned flags)
{
	struct esw_fib_key key = {.net = net};
	struct esw_fib value = {.ifindex = lab.ifindex[slot], .slot = slot, .flags = flags};

	ip16(ip, key.addr);
	mac6(mac, value.mac);
	assert_int_equal(bpf_map_update_elem(generation, &key, &value, BPF_ANY), 0);
}

static void set_net(uint32_t net, unsigned flags)
{
	struct esw_net value = {.flags = flags, .gw_ifindex = lab.ifindex[G], .gw_slot = G};

	mac6(SWITCH, value.switch_mac);
	mac6(MAC_G, value.gw_mac);
	assert_int_equal(bpf_map_update_elem(map("nets"), &net, &value, BPF_ANY), 0);
}

static void set_subnet(uint32_t net, const char *ip, unsigned bits)
{
	struct esw_subnet_key key = {.prefixlen = 32 + (strchr(ip, ':') ? 0 : 96) + bits,
				     .net_be = htonl(net)};
	struct esw_subnet value = {0};

	ip16(ip, key.addr);
	assert_int_equal(bpf_map_update_elem(map("subnets"), &key, &value, BPF_ANY), 0);
}

static int new_generation(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "fib_generation", sizeof(struct esw_fib_key),
				sizeof(struct esw_fib), 128, &opts);

	assert_true(fd >= 0);
	return fd;
}

static void go_live(int generation)
{
	uint32_t zero = 0;

	assert_int_equal(bpf_map_update_elem(map("fib"), &zero, &generation, BPF_ANY), 0);
}

static void fill_tables(void)
{
	set_net(1, ESW_NET_PRESENT);
	set_net(2, ESW_NET_PRESENT | ESW_NET_INTERNAL);
	set_subnet(1, "10.1.0.0", 16);
	set_subnet(1, "fd01::", 64);
	set_subnet(2, "10.2.0.0", 16);
	set_port(A, 1, MAC_A, "10.1.0.10", "fd01::a", 0);
	set_port(B, 1, MAC_B, "10.1.0.11", "fd01::b", 0);
	set_port(C, 2, MAC_C, "10.2.0.12", NULL, 0);
	set_port(D, 3, MAC_A, "10.3.0.10", NULL, 0);
	set_port(G, 1, MAC_G, NULL, NULL, ESW_PORT_TRUSTED);
	lab.generation = new_generation();
	set_fib(lab.generation, 1, "10.1.0.10", A, MAC_A, 0);
	set_fib(lab.generation, 1, "fd01::a", A, MAC_A, 0);
	set_fib(lab.generation, 1, LL_A, A, MAC_A, 0);
	set_fib(lab.generation, 1, "10.1.0.11", B, MAC_B, 0);
	set_fib(lab.generation, 1, "fd01::b", B, MAC_B, 0);
	set_fib(lab.generation, 1, LL_B, B, MAC_B, 0);
	set_fib(lab.generation, 1, "10.1.0.1", G, MAC_G, ESW_FIB_LOCAL_HOST);
	set_fib(lab.generation, 1, "fd01::1", G, MAC_G, ESW_FIB_LOCAL_HOST);
	set_fib(lab.generation, 2, "10.2.0.12", C, MAC_C, 0);
	go_live(lab.generation);
}

static int lab_open(void **state)
{
	static const char *const names[U + 1] = {NULL, "ra", "rb", "rc", "rd", "rg", "ru"};
	char command[128];

	(void)state;
	if (unshare(CLONE_NEWNET)) {
		fprintf(stderr, "no network namespace of our own: %s\n", strerror(errno));
		return -1;
	}
	for (int i = A; i <= U; i++) {
		snprintf(command, sizeof(command), "ip link add %s address " SWITCH " type veth", names[i]);
		if (system(command))
			return -1;
		lab.ifindex[i] = if_nametoindex(names[i]);
	}
	lab.object = bpf_object__open_file(ESW_BPF_OBJECT, NULL);
	if (!lab.object || bpf_object__load(lab.object))
		return -1;
	lab.program = bpf_program__fd(bpf_object__find_program_by_name(lab.object, "esw_port"));
	fill_tables();
	return 0;
}

static int lab_close(void **state)
{
	(void)state;
	bpf_object__close(lab.object);
	close(lab.generation);
	return 0;
}

/* Sum over CPUs of word `index` of a per-CPU value. */
static uint64_t percpu(const char *name, const void *key, unsigned words, unsigned index)
{
	uint64_t values[256 * 4], sum = 0;

	assert_true(libbpf_num_possible_cpus() <= 256);
	if (bpf_map_lookup_elem(map(name), key, values))
		return 0;
	for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
		sum += values[cpu * words + index];
	return sum;
}

struct counts {
	uint64_t rx, rx_bytes, tx, tx_bytes;
};

static struct counts count(uint32_t slot)
{
	return (struct counts){percpu("stats", &slot, 4, 0), percpu("stats", &slot, 4, 1),
			       percpu("stats", &slot, 4, 2), percpu("stats", &slot, 4, 3)};
}

static uint64_t dropped(uint32_t slot, uint32_t reason)
{
	struct esw_drop_key key = {.slot = slot, .reason = reason};

	return percpu("drops", &key, 2, 0);
}

/* Packets that `from` sent to `to`, by the pair counters. */
static uint64_t paired(enum port_slot from, enum port_slot to, uint32_t family)
{
	struct esw_pair_key key = {.src = from, .dst = to, .family = family};

	return percpu("pairs", &key, 2, 0);
}

/* Runs the program on a frame that arrives at a port. */
static int run(enum port_slot at, const struct packet *in)
{
	struct __sk_buff skb = {.ifindex = lab.ifindex[at]};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in->bytes, .data_size_in = in->len,
		    .data_out = lab.out.bytes, .data_size_out = sizeof(lab.out.bytes), .ctx_in = &skb,
		    .ctx_size_in = sizeof(skb));

	assert_int_equal(bpf_prog_test_run_opts(lab.program, &opts), 0);
	lab.out.len = opts.data_size_out;
	return opts.retval;
}

static void assert_frame(const struct packet *wanted)
{
	assert_int_equal(lab.out.len, wanted->len);
	assert_memory_equal(lab.out.bytes, wanted->bytes, wanted->len);
}

/* Dropped with this one reason, and not counted elsewhere. */
static void assert_drop(enum port_slot at, struct packet in, uint32_t reason)
{
	uint32_t slot = at == U ? UINT32_MAX : (uint32_t)at;
	uint64_t before = dropped(slot, reason);
	struct counts counts_before = count(at), counts_after;

	assert_int_equal(run(at, &in), VERDICT_DROP);
	assert_int_equal(dropped(slot, reason), before + 1);
	counts_after = count(at);
	assert_memory_equal(&counts_before, &counts_after, sizeof(counts_after));
}

/* Leaves towards `to` with these MACs and nothing else changed. Twice: the first packet of a flow
 * and the ones after it take different ways through the program. */
static void assert_forward(enum port_slot at, struct packet in, enum port_slot to, const char *mac)
{
	struct packet wanted = in, macs = {0};

	put_mac(&macs, mac);
	put_mac(&macs, SWITCH);
	memcpy(wanted.bytes, macs.bytes, 12);
	for (int i = 0; i < 2; i++) {
		struct counts from = count(at), dst = count(to), now;

		assert_int_equal(run(at, &in), VERDICT_REDIRECT);
		assert_frame(&wanted);
		now = count(at);
		assert_int_equal(now.rx, from.rx + 1);
		assert_int_equal(now.rx_bytes, from.rx_bytes + in.len);
		now = count(to);
		assert_int_equal(now.tx, dst.tx + 1);
		assert_int_equal(now.tx_bytes, dst.tx_bytes + in.len);
	}
}

/* Sent back as `wanted` to the port that asked. */
static void assert_answer(enum port_slot at, struct packet in, struct packet wanted)
{
	struct counts before = count(at), now;

	assert_int_equal(run(at, &in), VERDICT_REDIRECT);
	assert_frame(&wanted);
	now = count(at);
	assert_int_equal(now.rx, before.rx + 1);
	assert_int_equal(now.rx_bytes, before.rx_bytes + in.len);
	assert_int_equal(now.tx, before.tx + 1);
	assert_int_equal(now.tx_bytes, before.tx_bytes + wanted.len);
}

#endif
