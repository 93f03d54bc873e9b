/* SPDX-License-Identifier: Apache-2.0
 *
 * Command line and addresses of esw_traffic. Addresses are literals: there is no name service in
 * a statically linked program, nor in a container made from an empty root.
 */
#ifndef TRAFFIC_OPTIONS_H
#define TRAFFIC_OPTIONS_H

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct options {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} addr;
	socklen_t addr_len;
	double seconds;     /* how long a sender runs */
	double idle_seconds; /* how long a receiver waits for the first and after the last packet */
	unsigned frame;     /* bytes on the wire: Ethernet header included, FCS not */
	unsigned rate_pps;  /* probe: packets per second */
	unsigned rounds;    /* servers: connections to serve, 0 = until killed */
	int cpu;            /* pin to this CPU, -1 = do not */
	int gso;            /* udp-flood: UDP_SEGMENT trains instead of single packets */
};

static __attribute__((noreturn)) void fail(const char *what)
{
	fprintf(stderr, "esw_traffic: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void parse_address(struct options *o, const char *dst, unsigned port)
{
	memset(&o->addr, 0, sizeof(o->addr));
	if (strchr(dst, ':')) {
		o->addr.v6.sin6_family = AF_INET6;
		o->addr.v6.sin6_port = htons(port);
		o->addr_len = sizeof(o->addr.v6);
		if (inet_pton(AF_INET6, dst, &o->addr.v6.sin6_addr) == 1)
			return;
	} else {
		o->addr.v4.sin_family = AF_INET;
		o->addr.v4.sin_port = htons(port);
		o->addr_len = sizeof(o->addr.v4);
		if (inet_pton(AF_INET, dst, &o->addr.v4.sin_addr) == 1)
			return;
	}
	fprintf(stderr, "esw_traffic: not an address: %s\n", dst);
	exit(2);
}

static double parse_number(const char *text, double least, double most)
{
	char *end;
	double value = strtod(text, &end);

	if (*end || end == text || value < least || value > most) {
		fprintf(stderr, "esw_traffic: not a number from %g to %g: %s\n", least, most, text);
		exit(2);
	}
	return value;
}

static void pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("sched_setaffinity");
}

static void parse_options(struct options *o, int argc, char **argv)
{
	static const struct option known[] = {
		{"dst", 1, NULL, 'd'},	   {"listen", 1, NULL, 'd'}, {"port", 1, NULL, 'p'},
		{"seconds", 1, NULL, 's'}, {"idle", 1, NULL, 'i'},   {"size", 1, NULL, 'z'},
		{"rate", 1, NULL, 'r'},	   {"rounds", 1, NULL, 'n'}, {"cpu", 1, NULL, 'c'},
		{"gso", 0, NULL, 'g'},	   {NULL, 0, NULL, 0},
	};
	const char *dst = "0.0.0.0";
	unsigned port = 5201;
	int c;

	*o = (struct options){.seconds = 1, .idle_seconds = 1, .frame = 64, .rate_pps = 1000,
			      .cpu = -1};
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'd': dst = optarg; break;
		case 'p': port = parse_number(optarg, 1, 65535); break;
		case 's': o->seconds = parse_number(optarg, 0.01, 86400); break;
		case 'i': o->idle_seconds = parse_number(optarg, 0.01, 86400); break;
		case 'z': o->frame = parse_number(optarg, 64, 9014); break;
		case 'r': o->rate_pps = parse_number(optarg, 1, 1000000); break;
		case 'n': o->rounds = parse_number(optarg, 0, 1000000); break;
		case 'c': o->cpu = parse_number(optarg, 0, 1023); break;
		case 'g': o->gso = 1; break;
		default: exit(2);
		}
	}
	if (optind != argc) {
		fprintf(stderr, "esw_traffic: unexpected argument: %s\n", argv[optind]);
		exit(2);
	}
	parse_address(o, dst, port);
	pin(o->cpu);
}

/* UDP payload of a frame: less Ethernet (14), IPv4 (20) or IPv6 (40), and UDP (8). A 64-byte frame
 * carries 22 bytes over IPv4 and 2 over IPv6. */
static unsigned udp_payload(const struct options *o)
{
	return o->frame - 14 - (o->addr.any.sa_family == AF_INET6 ? 40 : 20) - 8;
}

#endif
