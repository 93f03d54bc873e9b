/* SPDX-License-Identifier: Apache-2.0
 *
 * rtnetlink notifications, as fixed records on a socketpair. A slow reader makes the thread wait
 * and the kernel's queue overflow, which comes out as one "events were lost" record: memory stays
 * bounded and nothing is lost unnoticed.
 */
#include "event.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link_parse.h"
#include "netlink.h"

#define GROUPS_ALL (ESW_EVENT_LINK | ESW_EVENT_ADDR | ESW_EVENT_ROUTE)

struct stream {
	struct esw_nl nl;
	int out;
};

static bool parse_link(const struct nlmsghdr *nlh, struct esw_event *event)
{
	const struct ifinfomsg *ifi = esw_nl_fixed(nlh, sizeof(*ifi));
	const struct nlattr *attr;

	/* A bridge speaks of its ports in the same messages: leaving one is no deletion. */
	if (!ifi || ifi->ifi_family != AF_UNSPEC)
		return false;
	event->ifindex = (uint32_t)ifi->ifi_index;
	event->flags = ifi->ifi_flags;
	esw_nl_for_each_attr(attr, nlh, sizeof(*ifi)) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			esw_nl_text(attr, event->name, sizeof(event->name));
	}
	return true;
}

static bool parse_addr(const struct nlmsghdr *nlh, struct esw_event *event)
{
	const struct ifaddrmsg *ifa = esw_nl_fixed(nlh, sizeof(*ifa));

	if (!ifa)
		return false;
	event->family = ifa->ifa_family;
	event->ifindex = ifa->ifa_index;
	event->flags = ifa->ifa_flags;
	return true;
}

static bool parse_route(const struct nlmsghdr *nlh, struct esw_event *event)
{
	const struct rtmsg *rtm = esw_nl_fixed(nlh, sizeof(*rtm));
	const struct nlattr *attr;

	if (!rtm)
		return false;
	event->family = rtm->rtm_family;
	event->flags = rtm->rtm_flags;
	esw_nl_for_each_attr(attr, nlh, sizeof(*rtm)) {
		if (mnl_attr_get_type(attr) == RTA_OIF)
			esw_nl_u32(attr, &event->ifindex);
	}
	return true;
}

bool esw_event_parse(const struct nlmsghdr *nlh, struct esw_event *event)
{
	memset(event, 0, sizeof(*event));
	event->kind = nlh->nlmsg_type;
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return parse_link(nlh, event);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return parse_addr(nlh, event);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return parse_route(nlh, event);
	default:
		return false;
	}
}

/* Writes a whole record, waiting for room. False when the reader is gone. */
static bool write_event(int fd, const struct esw_event *event)
{
	const uint8_t *at = (const uint8_t *)event;
	size_t left = sizeof(*event);

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
	const struct esw_event lost = { .kind = 0 };
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)stream->nl.recv_buf;
	struct sockaddr_nl from = { 0 };
	socklen_t from_len = sizeof(from);
	struct esw_event event;
	ssize_t got = recvfrom(stream->nl.fd, stream->nl.recv_buf, ESW_NL_RECV_MAX, MSG_TRUNC,
			       (struct sockaddr *)&from, &from_len);
	size_t left;

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (got < 0 && errno != ENOBUFS)
		return false;
	if (got < 0 || got > (ssize_t)ESW_NL_RECV_MAX)
		return write_event(stream->out, &lost);
	if (from.nl_pid != 0)
		return true; /* not the kernel */
	for (left = (size_t)got; esw_nl_msg_ok(nlh, left); nlh = esw_nl_msg_next(nlh, &left)) {
		if (esw_event_parse(nlh, &event) && !write_event(stream->out, &event))
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

static int join(const struct esw_nl *nl, uint32_t groups)
{
	static const struct {
		uint32_t bit;
		int group;
	} table[] = {
		{ ESW_EVENT_LINK, RTNLGRP_LINK },
		{ ESW_EVENT_ADDR, RTNLGRP_IPV4_IFADDR }, { ESW_EVENT_ADDR, RTNLGRP_IPV6_IFADDR },
		{ ESW_EVENT_ROUTE, RTNLGRP_IPV4_ROUTE }, { ESW_EVENT_ROUTE, RTNLGRP_IPV6_ROUTE },
	};

	for (size_t i = 0; i < ESW_ARRAY_SIZE(table); i++) {
		if ((groups & table[i].bit) &&
		    setsockopt(nl->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &table[i].group,
			       sizeof(table[i].group)) < 0)
			return -errno;
	}
	return 0;
}

int esw_event_open(uint32_t groups)
{
	struct stream *stream;
	int pair[2], err;

	if (!groups || (groups & ~GROUPS_ALL))
		return -EINVAL;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return -ENOMEM;
	err = esw_nl_open(&stream->nl, "", NETLINK_ROUTE);
	if (!err)
		err = join(&stream->nl, groups);
	if (!err && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		err = -errno;
	if (err) {
		if (stream->nl.recv_buf)
			esw_nl_close(&stream->nl);
		free(stream);
		return err;
	}
	stream->out = pair[1];
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
