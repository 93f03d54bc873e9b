/* SPDX-License-Identifier: Apache-2.0
 *
 * Loss probe: numbered UDP packets at a fixed rate, echoed by a server. Shows whether anything
 * (a restart, a table swap) costs a packet, and for how long nothing came through.
 */
#ifndef TRAFFIC_PROBE_H
#define TRAFFIC_PROBE_H

#include <poll.h>

#include "clock.h"
#include "options.h"
#include "udp.h"

struct probe_packet {
	uint64_t sequence;
	uint64_t sent_ns;
};

struct probe_result {
	uint64_t sent, received, reordered, duplicates, next, last_ns, longest_gap_ns;
	uint8_t *seen;
	struct histogram rtt;
};

static int probe_echo(const struct options *o)
{
	struct sockaddr_storage from;
	char buffer[UDP_PAYLOAD_MAX];
	int fd = udp_socket(o);

	if (bind(fd, &o->addr.any, o->addr_len))
		fail("bind");
	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &len);

		if (n >= 0)
			sendto(fd, buffer, n, 0, (struct sockaddr *)&from, len);
	}
}

static void probe_receive(int fd, struct probe_result *r, uint64_t most)
{
	struct probe_packet p;

	while (recv(fd, &p, sizeof(p), MSG_DONTWAIT) == sizeof(p)) {
		uint64_t t = now_ns();

		if (p.sequence >= most)
			continue;
		if (r->seen[p.sequence]) {
			r->duplicates++;
			continue;
		}
		r->seen[p.sequence] = 1;
		r->received++;
		r->reordered += p.sequence < r->next;
		if (p.sequence >= r->next)
			r->next = p.sequence + 1;
		if (r->last_ns && t - r->last_ns > r->longest_gap_ns)
			r->longest_gap_ns = t - r->last_ns;
		r->last_ns = t;
		histogram_add(&r->rtt, t - p.sent_ns);
	}
}

/* Sends at the given rate for `seconds`, then waits `idle` for stragglers. Exit status 1 when
 * packets were lost. The gap includes the pause between two packets at that rate. */
static int probe(const struct options *o)
{
	static struct probe_result r;
	uint64_t most = o->rate_pps * o->seconds, interval = 1000000000u / o->rate_pps, start, end;
	int fd = udp_socket(o);

	r.seen = calloc(most ? most : 1, 1);
	if (!r.seen || connect(fd, &o->addr.any, o->addr_len))
		fail("connect");
	start = now_ns();
	for (r.sent = 0; r.sent < most;) {
		uint64_t due = start + r.sent * interval;
		struct pollfd p = {.fd = fd, .events = POLLIN};
		struct probe_packet packet = {.sequence = r.sent};
		struct timespec wait = {0};
		uint64_t t = now_ns();

		if (t < due) {
			wait.tv_nsec = due - t;
			if (ppoll(&p, 1, &wait, NULL) > 0)
				probe_receive(fd, &r, most);
			continue;
		}
		packet.sent_ns = t;
		send(fd, &packet, sizeof(packet), 0);
		r.sent++;
	}
	end = now_ns() + o->idle_seconds * 1e9;
	while (r.received < r.sent && now_ns() < end) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		poll(&p, 1, 10);
		probe_receive(fd, &r, most);
	}
	printf("{\"sent\":%lu,\"received\":%lu,\"lost\":%lu,\"reordered\":%lu,\"duplicates\":%lu,"
	       "\"longest_gap_ms\":%.3f,\"rtt_p50_us\":%.2f,\"rtt_p99_us\":%.2f}\n",
	       r.sent, r.received, r.sent - r.received, r.reordered, r.duplicates,
	       r.longest_gap_ns / 1e6, histogram_quantile(&r.rtt, 0.5) / 1e3,
	       histogram_quantile(&r.rtt, 0.99) / 1e3);
	return r.received < r.sent;
}

#endif
