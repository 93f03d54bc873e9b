/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct stream {
	struct esw_nl nl;
	const struct esw_stream_kind *kind;
	int out;
};

/* Writes a whole record, waiting for room. False when the reader is gone. */
static bool write_record(int fd, const void *record, size_t left)
{
	const uint8_t *at = record;

	while (left) {
		struct pollfd room = { .fd = fd, .events = POLLOUT };
		ssize_t sent = send(fd, at, left, MSG_NOSIGNAL);

		if (sent >= 0) {
			at += sent;
			left -= (size_t)sent;
		} else if (errno == EAGAIN) {
			if (poll(&room, 1, -1) < 0 && errno != EINTR)
				return false;
		} else if (errno != EINTR) {
			return false;
		}
	}
	return true;
}

/* Forwards one datagram. False when the stream has come to its end. */
static bool forward(struct stream *stream)
{
	uint64_t record[ESW_STREAM_RECORD_MAX / sizeof(uint64_t)] = { 0 };
	const uint32_t size = stream->kind->record_size;
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)stream->nl.recv_buf;
	struct sockaddr_nl from = { 0 };
	socklen_t from_len = sizeof(from);
	ssize_t got = recvfrom(stream->nl.fd, stream->nl.recv_buf, ESW_NL_RECV_MAX, MSG_TRUNC,
			       (struct sockaddr *)&from, &from_len);
	size_t left;

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (got < 0 && errno != ENOBUFS)
		return false;
	if (got < 0 || got > (ssize_t)ESW_NL_RECV_MAX)
		return write_record(stream->out, record, size);
	if (from.nl_pid != 0)
		return true; /* not the kernel */
	for (left = (size_t)got; esw_nl_msg_ok(nlh, left); nlh = esw_nl_msg_next(nlh, &left)) {
		if (stream->kind->parse(nlh, record) && !write_record(stream->out, record, size))
			return false;
	}
	return true;
}

static void *run(void *arg)
{
	struct stream *stream = arg;
	struct pollfd fds[2] = {
		{ .fd = stream->nl.fd, .events = POLLIN },
		{ .fd = stream->out, .events = POLLRDHUP },
	};
	bool more = true;

	while (more) {
		int ready = poll(fds, 2, -1);

		if (ready < 0)
			more = errno == EINTR;
		else if (fds[1].revents)
			more = false;
		else if (fds[0].revents)
			more = forward(stream);
	}
	close(stream->out);
	esw_nl_close(&stream->nl);
	free(stream);
	return NULL;
}

static int start_thread(struct stream *stream)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int err = pthread_attr_init(&attr);

	if (err)
		return -err;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	/* The process's signals belong to the runtime's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, &attr, run, stream);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}

int esw_stream_join(const struct esw_nl *nl, uint32_t group)
{
	int value = (int)group;

	return setsockopt(nl->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &value, sizeof(value)) < 0 ?
		       -errno : 0;
}

int esw_stream_start(struct esw_nl *nl, const struct esw_stream_kind *kind)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	int pair[2], err = stream ? 0 : -ENOMEM;

	if (!err && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		err = -errno;
	if (err) {
		free(stream);
		esw_nl_close(nl);
		return err;
	}
	*stream = (struct stream){ .nl = *nl, .kind = kind, .out = pair[1] };
	err = start_thread(stream);
	if (err) {
		close(pair[0]);
		close(pair[1]);
		esw_nl_close(&stream->nl);
		free(stream);
		return err;
	}
	return pair[0];
}
