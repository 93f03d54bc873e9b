/* SPDX-License-Identifier: Apache-2.0
 *
 * TCP ping-pong of one byte, and one-way stream. The client's figures are the result; the server
 * says how much it got. The stream's clock stops when the server has read the last byte.
 */
#ifndef TRAFFIC_TCP_H
#define TRAFFIC_TCP_H

#include "clock.h"
#include "options.h"

#define STREAM_BUFFER (1 << 20)

static void no_delay(int fd)
{
	int one = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		fail("TCP_NODELAY");
}

static int tcp_listen(const struct options *o)
{
	int fd = socket(o->addr.any.sa_family, SOCK_STREAM, 0), one = 1;

	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &o->addr.any, o->addr_len) || listen(fd, 16))
		fail("listen");
	return fd;
}

static int tcp_accept(int listener)
{
	int fd;

	do
		fd = accept(listener, NULL, NULL);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		fail("accept");
	no_delay(fd);
	return fd;
}

/* Retries a refused connection for a second: servers are started at the same time as clients. */
static int tcp_connect(const struct options *o)
{
	for (int attempt = 0;; attempt++) {
		int fd = socket(o->addr.any.sa_family, SOCK_STREAM, 0);

		if (fd < 0)
			fail("socket");
		if (!connect(fd, &o->addr.any, o->addr_len)) {
			no_delay(fd);
			return fd;
		}
		if (errno != ECONNREFUSED || attempt == 50)
			fail("connect");
		close(fd);
		usleep(20000);
	}
}

static int tcp_rr_server(const struct options *o)
{
	int listener = tcp_listen(o);

	for (unsigned served = 0; !o->rounds || served < o->rounds; served++) {
		int fd = tcp_accept(listener);
		uint64_t count = 0;
		char byte;

		while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
			count++;
		close(fd);
		printf("{\"transactions\":%lu}\n", count);
		fflush(stdout);
	}
	return 0;
}

static int tcp_rr_client(const struct options *o)
{
	static struct histogram h;
	int fd = tcp_connect(o);
	uint64_t start = now_ns(), end = start + o->seconds * 1e9, t = start;
	double seconds;
	char byte = 'x';

	while (t < end) {
		uint64_t back;

		if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
			fail("ping-pong");
		back = now_ns();
		histogram_add(&h, back - t);
		t = back;
	}
	seconds = (t - start) / 1e9;
	printf("{\"transactions\":%lu,\"seconds\":%.6f,\"tps\":%.0f,\"p50_us\":%.2f,\"p99_us\":%.2f}\n",
	       h.count, seconds, h.count / seconds, histogram_quantile(&h, 0.5) / 1e3,
	       histogram_quantile(&h, 0.99) / 1e3);
	return 0;
}

/* Reads to the end of each connection, then answers with one byte. */
static int tcp_stream_server(const struct options *o)
{
	static char buffer[STREAM_BUFFER];
	int listener = tcp_listen(o);

	for (unsigned served = 0; !o->rounds || served < o->rounds; served++) {
		int fd = tcp_accept(listener);
		uint64_t bytes = 0, start = now_ns();
		ssize_t n;

		while ((n = read(fd, buffer, sizeof(buffer))) > 0)
			bytes += n;
		if (write(fd, "x", 1) != 1)
			fprintf(stderr, "esw_traffic: stream client is gone\n");
		close(fd);
		printf("{\"bytes\":%lu,\"seconds\":%.6f}\n", bytes, (now_ns() - start) / 1e9);
		fflush(stdout);
	}
	return 0;
}

static int tcp_stream_client(const struct options *o)
{
	static char buffer[STREAM_BUFFER / 4];
	int fd = tcp_connect(o);
	uint64_t start = now_ns(), end = start + o->seconds * 1e9, bytes = 0;
	double seconds;

	while (now_ns() < end) {
		ssize_t n = write(fd, buffer, sizeof(buffer));

		if (n < 0)
			fail("stream");
		bytes += n;
	}
	shutdown(fd, SHUT_WR);
	if (read(fd, buffer, 1) != 1)
		fail("stream acknowledgement");
	seconds = (now_ns() - start) / 1e9;
	printf("{\"bytes\":%lu,\"seconds\":%.6f,\"bytes_per_second\":%.0f,\"gbps\":%.3f}\n", bytes,
	       seconds, bytes / seconds, bytes * 8 / seconds / 1e9);
	return 0;
}

#endif
