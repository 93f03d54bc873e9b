/* SPDX-License-Identifier: Apache-2.0
 *
 * UDP flood and sink. The flood reports what it handed to the kernel; only the sink knows what was
 * delivered, so figures come from the sink.
 */
#ifndef TRAFFIC_UDP_H
#define TRAFFIC_UDP_H

#include <netinet/udp.h>

#include "clock.h"
#include "options.h"

#define UDP_BATCH 64
#define UDP_PAYLOAD_MAX 9000

static int udp_socket(const struct options *o)
{
	int fd = socket(o->addr.any.sa_family, SOCK_DGRAM, 0);

	if (fd < 0)
		fail("socket");
	return fd;
}

static void receive_timeout(int fd, double seconds)
{
	struct timeval t = {.tv_sec = (time_t)seconds,
			    .tv_usec = (suseconds_t)((seconds - (time_t)seconds) * 1e6)};

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)))
		fail("SO_RCVTIMEO");
}

/* Sends for `seconds`, in batches. ENOBUFS and refused ports do not stop it. */
static int udp_flood(const struct options *o)
{
	static uint8_t payload[UDP_PAYLOAD_MAX * 8];
	struct mmsghdr msgs[UDP_BATCH] = {0};
	unsigned train = o->gso ? UDP_BATCH : 1;
	struct iovec iov = {.iov_base = payload, .iov_len = udp_payload(o) * train};
	uint64_t sent = 0, failed = 0, start, end, t;
	int fd = udp_socket(o), size = udp_payload(o);

	if (iov.iov_len > 65000)
		iov.iov_len = 65000 / size * size;
	if (o->gso && setsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)))
		fail("UDP_SEGMENT");
	if (connect(fd, &o->addr.any, o->addr_len))
		fail("connect");
	for (int i = 0; i < UDP_BATCH; i++) {
		msgs[i].msg_hdr.msg_iov = &iov;
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	start = now_ns();
	end = start + o->seconds * 1e9;
	for (t = start; t < end; t = now_ns()) {
		int n = sendmmsg(fd, msgs, UDP_BATCH, 0);

		if (n > 0)
			sent += (uint64_t)n * (iov.iov_len / size);
		else if (errno == ENOBUFS || errno == ECONNREFUSED)
			failed++;
		else
			fail("sendmmsg");
	}
	printf("{\"sent\":%lu,\"failed_batches\":%lu,\"seconds\":%.6f,\"pps\":%.0f,\"payload\":%d}\n",
	       sent, failed, (t - start) / 1e9, sent / ((t - start) / 1e9), size);
	return 0;
}

/* Counts until nothing has come for `idle`; the time runs from the first packet to the last. Waits
 * for the first one without end. */
static int udp_sink(const struct options *o)
{
	static uint8_t payload[UDP_BATCH][UDP_PAYLOAD_MAX];
	struct mmsghdr msgs[UDP_BATCH] = {0};
	struct iovec iov[UDP_BATCH];
	uint64_t received = 0, bytes = 0, first = 0, last = 0;
	int fd = udp_socket(o), size = 8 << 20, one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, &o->addr.any, o->addr_len))
		fail("bind");
	for (int i = 0; i < UDP_BATCH; i++) {
		iov[i] = (struct iovec){.iov_base = payload[i], .iov_len = UDP_PAYLOAD_MAX};
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	for (;;) {
		int n = recvmmsg(fd, msgs, UDP_BATCH, MSG_WAITFORONE, NULL);

		if (n <= 0) {
			if (errno == EINTR)
				continue;
			break;
		}
		last = now_ns();
		if (!received) {
			first = last;
			receive_timeout(fd, o->idle_seconds);
		}
		received += n;
		for (int i = 0; i < n; i++)
			bytes += msgs[i].msg_len;
	}
	printf("{\"received\":%lu,\"bytes\":%lu,\"seconds\":%.6f,\"pps\":%.0f}\n", received, bytes,
	       (last - first) / 1e9, last > first ? received / ((last - first) / 1e9) : 0);
	return 0;
}

#endif
