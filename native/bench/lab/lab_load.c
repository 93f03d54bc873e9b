/* SPDX-License-Identifier: Apache-2.0
 *
 * lab_load: puts the software eswitch into the calling namespace for lab.sh, without a daemon.
 *   lab_load OBJECT PIN_DIR tcx|clsact EXTRA_PORTS SWITCH_MAC {REP MAC IPV4 IPV6}…
 * All named ports share network 1 (10.99.0.0/16 and fd99::/64). EXTRA_PORTS fills the tables with
 * that many ports and two addresses each, which get no traffic.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "esw_maps.h"

#define NET 1
#define ATTACH_TCX_INGRESS 46 /* BPF_TCX_INGRESS, newer than Debian 12's headers */
#define GENERATION_MAX 65536

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int map_fd(struct bpf_object *o, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(o, name);

	if (fd < 0)
		die(name);
	return fd;
}

static void put(int fd, const void *key, const void *value)
{
	if (bpf_map_update_elem(fd, key, value, BPF_ANY))
		die("map update");
}

static void parse_mac(const char *text, __u8 *mac)
{
	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4,
		   mac + 5) != 6)
		die("mac");
}

static void attach_tcx(int prog, int ifindex, const char *pin)
{
	/* The head of union bpf_attr's link_create, up to the fields tcx wants. */
	struct {
		__u32 prog_fd, target_ifindex, attach_type, flags, relative, pad;
		__u64 expected_revision;
		__u64 rest[4];
	} attr = {.prog_fd = prog, .target_ifindex = ifindex, .attach_type = ATTACH_TCX_INGRESS};
	int fd = syscall(__NR_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	if (fd < 0 || bpf_obj_pin(fd, pin))
		die("tcx");
}

static void attach_clsact(int prog, int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog, .handle = 1, .priority = 0xe5);

	if (bpf_tc_hook_create(&hook) || bpf_tc_attach(&hook, &opts))
		die("clsact");
}

static void add_fib(int generation, const void *ip16, const struct esw_port *port, __u32 ifindex)
{
	struct esw_fib_key key = {.net = NET};
	struct esw_fib value = {.ifindex = ifindex, .slot = port->slot};

	memcpy(key.addr, ip16, 16);
	memcpy(value.mac, port->mac, 6);
	put(generation, &key, &value);
}

static void add_port(struct bpf_object *o, int generation, __u32 ifindex, const struct esw_port *port)
{
	__u8 mapped[16] = {[10] = 0xff, [11] = 0xff};

	memcpy(mapped + 12, &port->ip4_be, 4);
	put(map_fd(o, "ports"), &ifindex, port);
	add_fib(generation, mapped, port, ifindex);
	add_fib(generation, port->ip6, port, ifindex);
}

static void add_network(struct bpf_object *o, const char *switch_mac)
{
	struct esw_net net = {.flags = ESW_NET_PRESENT};
	struct esw_subnet_key v4 = {.prefixlen = 32 + 96 + 16, .net_be = htonl(NET),
				    .addr = {[10] = 0xff, [11] = 0xff, [12] = 10, [13] = 99}};
	struct esw_subnet_key v6 = {.prefixlen = 32 + 64, .net_be = htonl(NET), .addr = {0xfd, 0x99}};
	struct esw_subnet subnet = {0};
	__u32 key = NET;

	parse_mac(switch_mac, net.switch_mac);
	put(map_fd(o, "nets"), &key, &net);
	put(map_fd(o, "subnets"), &v4, &subnet);
	put(map_fd(o, "subnets"), &v6, &subnet);
}

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	struct bpf_object *o;
	__u32 zero = 0, slot = 1;
	int prog, generation, extra;
	char pin[256];

	if (argc < 6 || (argc - 6) % 4)
		return 2;
	extra = atoi(argv[4]);
	o = bpf_object__open_file(argv[1], NULL);
	if (!o || bpf_object__load(o))
		die("load");
	snprintf(pin, sizeof(pin), "%s/maps", argv[2]);
	if (bpf_object__pin_maps(o, pin))
		die("pin maps");
	prog = bpf_program__fd(bpf_object__find_program_by_name(o, "esw_port"));
	snprintf(pin, sizeof(pin), "%s/esw_port", argv[2]);
	if (bpf_obj_pin(prog, pin))
		die("pin program");
	generation = bpf_map_create(BPF_MAP_TYPE_HASH, "fib_generation", sizeof(struct esw_fib_key),
				    sizeof(struct esw_fib), GENERATION_MAX, &opts);
	if (generation < 0)
		die("generation");
	put(map_fd(o, "fib"), &zero, &generation);
	add_network(o, argv[5]);
	for (int i = 0; i < extra; i++) {
		struct esw_port port = {.slot = slot++, .net = NET, .mac = {2, 9, 0, i >> 16, i >> 8, i},
					.ip4_be = htonl(0x0a630000 + 256 + i),
					.ip6 = {0xfd, 0x99, [12] = 1, [13] = i >> 16, [14] = i >> 8, [15] = i}};
		add_port(o, generation, 1000000 + i, &port);
	}
	for (int i = 6; i < argc; i += 4) {
		struct esw_port port = {.slot = slot++, .net = NET};
		__u32 ifindex = if_nametoindex(argv[i]);

		parse_mac(argv[i + 1], port.mac);
		if (!ifindex || inet_pton(AF_INET, argv[i + 2], &port.ip4_be) != 1 ||
		    inet_pton(AF_INET6, argv[i + 3], port.ip6) != 1)
			die(argv[i]);
		add_port(o, generation, ifindex, &port);
		snprintf(pin, sizeof(pin), "%s/%s", argv[2], argv[i]);
		if (strcmp(argv[3], "tcx"))
			attach_clsact(prog, ifindex);
		else
			attach_tcx(prog, ifindex, pin);
	}
	return 0;
}
