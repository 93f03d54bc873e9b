/* SPDX-License-Identifier: Apache-2.0
 *
 * The bare cost of a filter dump: asks the kernel for all filters on a link's clsact ingress, reads the
 * answer to its end and looks at nothing in it.
 *
 *   esw_filters LINK terse|full ROUNDS     prints microseconds, one line per round
 */
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct request {
	struct nlmsghdr nlh;
	struct tcmsg tcm;
	struct nlattr attr;
	struct nla_bitfield32 flags;
};

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int read_to_end(int fd)
{
	static uint32_t buf[65536 / sizeof(uint32_t)];

	for (;;) {
		ssize_t len = recv(fd, buf, sizeof(buf), 0);
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;

		if (len <= 0)
			return -1;
		for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
			if (nlh->nlmsg_type == NLMSG_DONE)
				return 0;
			if (nlh->nlmsg_type == NLMSG_ERROR)
				return -1;
		}
	}
}

int main(int argc, char **argv)
{
	struct request req = {
		.nlh = { .nlmsg_type = RTM_GETTFILTER, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.tcm = { .tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS) },
		.attr = { .nla_len = sizeof(req.attr) + sizeof(req.flags), .nla_type = TCA_DUMP_FLAGS },
		.flags = { .value = TCA_DUMP_FLAGS_TERSE, .selector = TCA_DUMP_FLAGS_TERSE },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	if (argc != 4 || fd < 0) {
		fputs("usage: esw_filters LINK terse|full ROUNDS\n", stderr);
		return 2;
	}
	req.tcm.tcm_ifindex = (int)if_nametoindex(argv[1]);
	req.nlh.nlmsg_len = strcmp(argv[2], "terse") == 0 ? sizeof(req) :
							    NLMSG_LENGTH(sizeof(struct tcmsg));
	for (int round = 0; round < atoi(argv[3]); round++) {
		double start = now_us();

		if (send(fd, &req, req.nlh.nlmsg_len, 0) < 0 || read_to_end(fd) < 0) {
			perror("esw_filters");
			return 1;
		}
		printf("%.0f\n", now_us() - start);
	}
	close(fd);
	return 0;
}
