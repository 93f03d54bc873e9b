/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening sockets in other network namespaces.
 */
#ifndef ESW_NETNS_H
#define ESW_NETNS_H

/* fd of the namespace at `path` ("" = the caller's), close-on-exec, or -errno. */
int esw_netns_fd(const char *path);

/* socket(2) inside the namespace at `path` ("" = the caller's). The calling thread visits the
 * namespace and is back on return; if it cannot return the process is aborted, because a thread
 * of the pool left in a container's namespace would act on the wrong host. fd or -errno. */
int esw_netns_socket(const char *path, int domain, int type, int protocol);

#endif
