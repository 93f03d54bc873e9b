/* SPDX-License-Identifier: Apache-2.0
 *
 * lab_compare: one traffic case over several setups in slices of some milliseconds, round-robin,
 * so that whatever else the machine does hits all of them alike.
 *   lab_compare udp64|cost64|rr|tcp SLICES SLICE_MS CLIENT_CPU SERVER_CPU 4|6 NAME:NETNS_A:NETNS_B…
 * (CPU -1: not pinned.) Each setup's server is 10.99.0.2 / fd99::2. Prints a line per slice:
 * one rate per setup (packets/s delivered, transactions/s, Gbit/s). cost64 is udp64 per second of
 * the sender's CPU time: the sender runs the whole path up to the receiver's socket, so this is what
 * a packet costs, whatever else runs on that CPU.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SETUPS_MAX 8
#define BATCH 64
#define PORT 5301

enum test { UDP64, RR, TCP };

static clockid_t rate_clock = CLOCK_MONOTONIC;

struct setup {
	int client, server;
	_Atomic uint64_t received; /* packets, transactions or bytes */
};

static enum test test;
static int family, server_cpu;
static struct setup setups[SETUPS_MAX];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(rate_clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

static void pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

static socklen_t server_address(struct sockaddr_storage *a)
{
	struct sockaddr_in *v4 = (void *)a;
	struct sockaddr_in6 *v6 = (void *)a;

	memset(a, 0, sizeof(*a));
	a->ss_family = family;
	v4->sin_port = htons(PORT); /* at the same place in both */
	if (family == AF_INET)
		inet_pton(AF_INET, "10.99.0.2", &v4->sin_addr);
	else
		inet_pton(AF_INET6, "fd99::2", &v6->sin6_addr);
	return family == AF_INET ? sizeof(*v4) : sizeof(*v6);
}

static int socket_in(const char *netns)
{
	char path[256];
	int ns, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	ns = open(path, O_RDONLY);
	if (ns < 0 || setns(ns, 0))
		die(path);
	close(ns);
	fd = socket(family, test == UDP64 ? SOCK_DGRAM : SOCK_STREAM, 0);
	if (fd < 0)
		die("socket");
	return fd;
}

static void open_setup(struct setup *s, const char *netns_a, const char *netns_b)
{
	struct sockaddr_storage a;
	socklen_t len = server_address(&a);
	int one = 1, size = 8 << 20, listener = socket_in(netns_b);

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (void *)&a, len) || (test != UDP64 && listen(listener, 1)))
		die("bind");
	s->client = socket_in(netns_a);
	if (connect(s->client, (void *)&a, len))
		die("connect");
	if (test == UDP64) {
		s->server = listener;
		if (setsockopt(listener, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
			die("SO_RCVBUFFORCE");
		return;
	}
	s->server = accept(listener, NULL, NULL);
	setsockopt(s->client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(s->server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void init_messages(struct mmsghdr *msgs, struct iovec *iov)
{
	memset(msgs, 0, BATCH * sizeof(*msgs));
	for (int i = 0; i < BATCH; i++) {
		msgs[i].msg_hdr.msg_iov = iov;
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
}

static void *serve(void *arg)
{
	static _Thread_local char buffer[1 << 20];
	struct iovec iov = {.iov_base = buffer, .iov_len = 2048};
	struct mmsghdr msgs[BATCH];
	struct setup *s = arg;

	pin(server_cpu);
	init_messages(msgs, &iov);
	for (;;) {
		ssize_t n;

		if (test == UDP64)
			n = recvmmsg(s->server, msgs, BATCH, MSG_WAITFORONE, NULL);
		else
			n = read(s->server, buffer, test == RR ? 1 : sizeof(buffer));
		if (n <= 0)
			return NULL;
		if (test == RR && write(s->server, buffer, 1) != 1)
			return NULL;
		s->received += n;
	}
}

static void drain(struct setup *s)
{
	uint64_t before;

	do {
		before = s->received;
		usleep(2000);
	} while (s->received != before);
}

/* Rate of one slice. */
static double slice(struct setup *s, unsigned ms)
{
	static char payload[256 << 10];
	struct iovec iov = {.iov_base = payload, .iov_len = family == AF_INET ? 22 : 2};
	struct mmsghdr msgs[BATCH];
	uint64_t before = s->received, start = now_ns(), end = start + ms * 1000000ull, t;
	double amount;

	init_messages(msgs, &iov);
	for (t = start; t < end; t = now_ns()) {
		int ok = 1;

		if (test == UDP64)
			ok = sendmmsg(s->client, msgs, BATCH, 0) > 0 || errno == ENOBUFS;
		else if (test == TCP)
			ok = write(s->client, payload, sizeof(payload)) > 0;
		else
			ok = write(s->client, payload, 1) == 1 && read(s->client, payload, 1) == 1;
		if (!ok)
			die("client");
	}
	if (test == UDP64)
		drain(s);
	amount = s->received - before;
	if (test == TCP) {
		amount *= 8e-9;
		drain(s);
	}
	return amount / ((t - start) / 1e9);
}

int main(int argc, char **argv)
{
	int count = argc - 7;
	unsigned slices, ms;

	if (count < 1 || count > SETUPS_MAX)
		return 2;
	if (!strcmp(argv[1], "cost64"))
		rate_clock = CLOCK_THREAD_CPUTIME_ID;
	test = strstr(argv[1], "64") ? UDP64 : !strcmp(argv[1], "rr") ? RR : TCP;
	slices = atoi(argv[2]);
	ms = atoi(argv[3]);
	server_cpu = atoi(argv[5]);
	family = !strcmp(argv[6], "6") ? AF_INET6 : AF_INET;
	for (int i = 0; i < count; i++) {
		char *a = strchr(argv[7 + i], ':'), *b = a ? strchr(a + 1, ':') : NULL;
		pthread_t thread;

		if (!b)
			return 2;
		*a++ = *b++ = 0;
		open_setup(&setups[i], a, b);
		if (pthread_create(&thread, NULL, serve, &setups[i]))
			die("pthread_create");
	}
	pin(atoi(argv[4]));
	for (int i = 0; i < count; i++)
		slice(&setups[i], 50); /* warm up */
	for (unsigned n = 0; n < slices; n++) {
		double rate[SETUPS_MAX];

		/* Every other round backwards: no setup always follows the same one. */
		for (int i = 0; i < count; i++) {
			int k = n & 1 ? count - 1 - i : i;

			rate[k] = slice(&setups[k], ms);
		}
		for (int i = 0; i < count; i++)
			printf("%.6g%c", rate[i], i + 1 < count ? ' ' : '\n');
		fflush(stdout);
	}
	return 0;
}
