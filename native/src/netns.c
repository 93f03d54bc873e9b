/* SPDX-License-Identifier: Apache-2.0 */
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Not /proc/self: that is the main thread's, and the caller is usually a pool thread. */
static const char *const own_netns = "/proc/thread-self/ns/net";

int esw_netns_fd(const char *path)
{
	/* O_NONBLOCK: a FIFO at a path given by a client must not block the lane. */
	int fd = open(path[0] ? path : own_netns, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

int esw_netns_socket(const char *path, int domain, int type, int protocol)
{
	int target, home, fd, err = 0;

	if (!path[0]) {
		fd = socket(domain, type | SOCK_CLOEXEC, protocol);
		return fd < 0 ? -errno : fd;
	}
	target = esw_netns_fd(path);
	if (target < 0)
		return target;
	home = esw_netns_fd("");
	if (home < 0) {
		close(target);
		return home;
	}
	fd = -1;
	if (setns(target, CLONE_NEWNET) < 0) {
		err = -errno;
	} else {
		fd = socket(domain, type | SOCK_CLOEXEC, protocol);
		if (fd < 0)
			err = -errno;
		if (setns(home, CLONE_NEWNET) < 0)
			abort();
	}
	close(home);
	close(target);
	return err ? err : fd;
}
