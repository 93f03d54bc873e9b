/* SPDX-License-Identifier: Apache-2.0 */
#include "netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "batch.h"
#include "netns.h"

#define RECV_BYTES (4 << 20)
#define RECV_TIMEOUT_S 30

static void set_option(int fd, int level, int name, int value)
{
	/* All of these are refinements that old kernels may lack. */
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

int esw_nl_open(struct esw_nl *nl, const char *netns, int protocol)
{
	struct timeval patience = { .tv_sec = RECV_TIMEOUT_S };
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int fd;

	memset(nl, 0, sizeof(*nl));
	nl->fd = -1;
	fd = esw_netns_socket(netns, AF_NETLINK, SOCK_RAW, protocol);
	if (fd < 0)
		return fd;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	set_option(fd, SOL_SOCKET, SO_RCVBUF, RECV_BYTES);
	set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECV_BYTES);
	set_option(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
	set_option(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
	set_option(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	nl->recv_buf = malloc(ESW_NL_RECV_MAX);
	if (!nl->recv_buf) {
		close(fd);
		return -ENOMEM;
	}
	nl->fd = fd;
	return 0;
}

void esw_nl_close(struct esw_nl *nl)
{
	if (nl->fd >= 0)
		close(nl->fd);
	free(nl->recv_buf);
	nl->fd = -1;
	nl->recv_buf = NULL;
}

int esw_nl_ifindex(const struct esw_nl *nl, const char *name)
{
	struct ifreq ifr;

	memset(&ifr, 0, sizeof(ifr));
	esw_text_copy(ifr.ifr_name, sizeof(ifr.ifr_name), name);
	if (ioctl(nl->fd, SIOCGIFINDEX, &ifr) < 0)
		return -errno;
	return ifr.ifr_ifindex;
}

/* ---- queueing -------------------------------------------------------------------------------- */

void esw_nl_txn_init(struct esw_nl_txn *txn, struct esw_nl *nl)
{
	memset(txn, 0, sizeof(*txn));
	txn->nl = nl;
}

void esw_nl_txn_free(struct esw_nl_txn *txn)
{
	free(txn->buf);
	free(txn->reqs);
	txn->buf = NULL;
	txn->reqs = NULL;
}

void esw_nl_txn_reset(struct esw_nl_txn *txn)
{
	txn->len = 0;
	txn->count = 0;
}

struct nlmsghdr *esw_nl_txn_begin(struct esw_nl_txn *txn, uint16_t type, uint16_t flags,
				  const void *fixed, size_t size)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(txn->scratch);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	txn->keep_ack = false;
	memcpy(mnl_nlmsg_put_extra_header(nlh, size), fixed, size);
	return nlh;
}

void esw_nl_txn_keep_ack(struct esw_nl_txn *txn)
{
	txn->keep_ack = true;
}

static int grow(void **ptr, size_t need, size_t *cap)
{
	size_t next = *cap ? *cap : 4096;
	void *mem;

	if (need <= *cap)
		return 0;
	while (next < need)
		next *= 2;
	mem = realloc(*ptr, next);
	if (!mem)
		return -ENOMEM;
	*ptr = mem;
	*cap = next;
	return 0;
}

int esw_nl_txn_push(struct esw_nl_txn *txn, uint32_t tag)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)txn->scratch;
	size_t size = NLMSG_ALIGN(nlh->nlmsg_len);
	size_t reqs_cap = txn->room * sizeof(*txn->reqs);

	if (grow((void **)&txn->buf, txn->len + size, &txn->cap) < 0 ||
	    grow((void **)&txn->reqs, (txn->count + 1) * sizeof(*txn->reqs), &reqs_cap) < 0)
		return -ENOMEM;
	txn->room = reqs_cap / sizeof(*txn->reqs);
	nlh->nlmsg_seq = ++txn->nl->seq;
	memcpy(txn->buf + txn->len, nlh, size);
	txn->reqs[txn->count++] = (struct esw_nl_req){
		.offset = txn->len, .length = size, .tag = tag, .keep_ack = txn->keep_ack,
	};
	txn->len += size;
	return 0;
}

/* ---- running --------------------------------------------------------------------------------- */

static int send_all(int fd, const void *buf, size_t len)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t sent;

	do {
		sent = sendto(fd, buf, len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return (size_t)sent == len ? 0 : -EIO;
}

/* One datagram from the kernel: its length or -errno. */
static int receive(struct esw_nl *nl)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = nl->recv_buf, .iov_len = ESW_NL_RECV_MAX };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1,
	};
	ssize_t got;

	do {
		got = recvmsg(nl->fd, &msg, 0);
		/* Any process may send to our port: only the kernel is listened to. */
	} while ((got < 0 && errno == EINTR) || (got >= 0 && from.nl_pid != 0));
	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (msg.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	return got;
}

struct window {
	struct esw_nl_req *reqs;
	uint32_t first_seq, count, open;
};

static void answer(struct window *win, const struct nlmsghdr *nlh, esw_nl_reply_fn reply, void *ctx)
{
	uint32_t slot = nlh->nlmsg_seq - win->first_seq;
	struct esw_nl_req *req;
	struct esw_nl_ack ack;

	if (slot >= win->count || win->reqs[slot].done)
		return;
	req = &win->reqs[slot];
	if (nlh->nlmsg_type != NLMSG_ERROR) {
		if (reply && nlh->nlmsg_type >= NLMSG_MIN_TYPE)
			reply(ctx, req, nlh);
		return;
	}
	req->error = esw_nl_parse_ack(nlh, &ack) < 0 ? -EBADMSG : ack.error;
	memcpy(req->extack, ack.extack, sizeof(req->extack));
	req->done = true;
	win->open--;
}

/* Asks for the last ack only, and for those that may say something. */
static void thin_acks(struct esw_nl_txn *txn, struct window *win)
{
	for (uint32_t i = 0; i + 1 < win->count; i++) {
		if (!win->reqs[i].keep_ack)
			((struct nlmsghdr *)(txn->buf + win->reqs[i].offset))->nlmsg_flags &=
				(uint16_t)~NLM_F_ACK;
	}
}

static int run_window(struct esw_nl_txn *txn, struct window *win, esw_nl_reply_fn reply, void *ctx)
{
	const struct esw_nl_req *last = &win->reqs[win->count - 1];
	uint32_t offset = win->reqs[0].offset;
	int err;

	if (txn->few_acks)
		thin_acks(txn, win);
	err = send_all(txn->nl->fd, txn->buf + offset, last->offset + last->length - offset);
	while (!err && (txn->few_acks ? !last->done : win->open != 0)) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)txn->nl->recv_buf;
		int len = receive(txn->nl);
		size_t left;

		if (len < 0) {
			err = len;
			break;
		}
		left = (size_t)len;
		for (; esw_nl_msg_ok(nlh, left); nlh = esw_nl_msg_next(nlh, &left))
			answer(win, nlh, reply, ctx);
	}
	for (uint32_t i = 0; !err && i < win->count; i++)
		win->reqs[i].done = true;
	return err;
}

/* Requests from `start` on that may be sent at once. */
static uint32_t window_count(const struct esw_nl_txn *txn, uint32_t start)
{
	uint32_t bytes = 0, count = 0;

	while (start + count < txn->count && count < ESW_NL_WINDOW) {
		bytes += txn->reqs[start + count].length;
		if (count && bytes > ESW_NL_WINDOW_BYTES)
			break;
		count++;
	}
	return count;
}

int esw_nl_txn_run(struct esw_nl_txn *txn, esw_nl_reply_fn reply, void *ctx)
{
	uint32_t start = 0;
	int err = 0;

	while (start < txn->count && !err) {
		struct window win = { .reqs = txn->reqs + start };

		win.count = win.open = window_count(txn, start);
		win.first_seq = ((struct nlmsghdr *)(txn->buf + win.reqs[0].offset))->nlmsg_seq;
		err = run_window(txn, &win, reply, ctx);
		start += win.count;
	}
	for (uint32_t i = 0; err && i < txn->count; i++) {
		if (!txn->reqs[i].done)
			txn->reqs[i].error = err;
	}
	return err;
}

int esw_nl_request(struct esw_nl_txn *txn, char *extack)
{
	int err;

	esw_nl_txn_reset(txn);
	err = esw_nl_txn_push(txn, 0);
	if (!err)
		err = esw_nl_txn_run(txn, NULL, NULL);
	if (err)
		return err;
	if (extack)
		memcpy(extack, txn->reqs[0].extack, ESW_EXTACK_LEN);
	return txn->reqs[0].error;
}

/* ---- dumps ----------------------------------------------------------------------------------- */

/* Feeds one datagram of a dump. 1 = more to come, 0 = done, or -errno. */
static int dump_feed(struct esw_nl *nl, const struct esw_nl_dump *dump, size_t left,
		     bool *interrupted)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)nl->recv_buf;
	struct esw_nl_ack ack;

	for (; esw_nl_msg_ok(nlh, left); nlh = esw_nl_msg_next(nlh, &left)) {
		int32_t status = 0;
		int err;

		if (nlh->nlmsg_seq != nl->seq)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			*interrupted = true;
		if (nlh->nlmsg_type == NLMSG_DONE) {
			if (esw_nl_fixed(nlh, sizeof(status)))
				memcpy(&status, mnl_nlmsg_get_payload(nlh), sizeof(status));
			return status < 0 ? status : 0;
		}
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return esw_nl_parse_ack(nlh, &ack) < 0 ? -EBADMSG : ack.error;
		err = dump->each(dump->ctx, nlh);
		if (err)
			return err;
	}
	return 1;
}

static int dump_once(struct esw_nl *nl, const struct esw_nl_dump *dump, bool *interrupted)
{
	uint32_t scratch[ESW_NL_MSG_MAX / sizeof(uint32_t)] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(scratch);
	int err;

	nlh->nlmsg_type = dump->type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = ++nl->seq;
	memcpy(mnl_nlmsg_put_extra_header(nlh, dump->fixed_size), dump->fixed, dump->fixed_size);
	if (dump->attributes)
		dump->attributes(nlh, dump->ctx);
	err = send_all(nl->fd, nlh, nlh->nlmsg_len);
	if (err)
		return err;
	do {
		int len = receive(nl);

		err = len < 0 ? len : dump_feed(nl, dump, (size_t)len, interrupted);
	} while (err > 0);
	return err;
}

int esw_nl_dump(struct esw_nl *nl, const struct esw_nl_dump *dump)
{
	for (int attempt = 0; attempt < ESW_NL_DUMP_RETRIES; attempt++) {
		bool interrupted = false;
		int err;

		dump->reset(dump->ctx);
		err = dump_once(nl, dump, &interrupted);
		if (err)
			return err;
		if (!interrupted)
			return 0;
	}
	return -EAGAIN;
}
