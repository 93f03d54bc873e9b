/* SPDX-License-Identifier: Apache-2.0
 *
 * rtnetlink transactions. A transaction is a queue of request messages; running it sends many per
 * sendmsg and matches the kernel's answers by sequence number, so a batch costs a few round trips
 * however many records it has. Parsers work on bytes alone and are fuzzed without a socket.
 */
#ifndef ESW_NETLINK_H
#define ESW_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api.h"

#define ESW_NL_MSG_MAX 8192u      /* largest request we build */
#define ESW_NL_RECV_MAX 65536u    /* receive buffer: the kernel's dump buffers are at most 32 KiB */
#define ESW_NL_WINDOW 128u        /* requests in flight: their answers must fit the socket buffer */
#define ESW_NL_WINDOW_BYTES 131072u /* of requests: they must fit the send buffer */
#define ESW_NL_DUMP_RETRIES 8

struct esw_nl {
	int fd;
	uint32_t seq;
	uint8_t *recv_buf;
};

/* One queued request and its outcome. */
struct esw_nl_req {
	uint32_t offset; /* of the message in the transaction's buffer */
	uint32_t length;
	uint32_t tag;    /* the caller's own */
	int32_t error;   /* 0 or -errno, valid after the run */
	bool done;
	bool keep_ack;
	char extack[ESW_EXTACK_LEN];
};

struct esw_nl_txn {
	struct esw_nl *nl;
	uint8_t *buf;
	size_t len, cap;
	struct esw_nl_req *reqs;
	uint32_t count, room;
	/* The kernel handles the requests of one send in order and answers every refusal, so that one
	 * ack, of the last, tells that those without an answer succeeded. For requests whose success
	 * has nothing to say; esw_nl_txn_keep_ack excepts one. */
	bool few_acks;
	bool keep_ack; /* of the message begun last */
	uint32_t scratch[ESW_NL_MSG_MAX / sizeof(uint32_t)];
};

/* Receives answers that are not acks (the object a GET asked for). */
typedef void (*esw_nl_reply_fn)(void *ctx, const struct esw_nl_req *req, const struct nlmsghdr *nlh);

/* Opens a netlink socket of `protocol` in the namespace at `netns`. 0 or -errno. */
int esw_nl_open(struct esw_nl *nl, const char *netns, int protocol);
void esw_nl_close(struct esw_nl *nl);

void esw_nl_txn_init(struct esw_nl_txn *txn, struct esw_nl *nl);
void esw_nl_txn_free(struct esw_nl_txn *txn);
/* Empties the queue, keeps the memory. */
void esw_nl_txn_reset(struct esw_nl_txn *txn);

/* Starts a message in the transaction's scratch buffer: header, then `size` bytes of `fixed`
 * (ifinfomsg and the like). The caller adds attributes with libmnl, then pushes it. Attributes
 * are of bounded size (fields of the ABI), far below ESW_NL_MSG_MAX. */
struct nlmsghdr *esw_nl_txn_begin(struct esw_nl_txn *txn, uint16_t type, uint16_t flags,
				  const void *fixed, size_t size);
/* The message begun last wants its ack even with `few_acks`: a success may carry a sentence. */
void esw_nl_txn_keep_ack(struct esw_nl_txn *txn);
/* Queues the message begun last. 0 or -ENOMEM. */
int esw_nl_txn_push(struct esw_nl_txn *txn, uint32_t tag);

/* Sends everything queued and waits for each ack. 0, or -errno if the socket failed (requests
 * without an answer carry the same error then). */
int esw_nl_txn_run(struct esw_nl_txn *txn, esw_nl_reply_fn reply, void *ctx);

/* One request, its ack awaited. `extack` (ESW_EXTACK_LEN bytes) may be NULL. */
int esw_nl_request(struct esw_nl_txn *txn, char *extack);

/* Runs a dump. `reset` is called before each try, `each` for every message; a dump that the
 * kernel marks as interrupted is done again, at most ESW_NL_DUMP_RETRIES times, then -EAGAIN. */
struct esw_nl_dump {
	uint16_t type;
	const void *fixed;
	size_t fixed_size;
	void (*attributes)(struct nlmsghdr *nlh, void *ctx); /* adds them to the request; may be NULL */
	int (*each)(void *ctx, const struct nlmsghdr *nlh); /* 0 or -errno, which ends the dump */
	void (*reset)(void *ctx);
	void *ctx;
};
int esw_nl_dump(struct esw_nl *nl, const struct esw_nl_dump *dump);

/* Index of the link `name` in the namespace of the socket, or -errno. */
int esw_nl_ifindex(const struct esw_nl *nl, const char *name);

/* ---- pure parsers ---------------------------------------------------------------------------- */

struct esw_nl_ack {
	int32_t error;
	char extack[ESW_EXTACK_LEN];
};
/* Parses an NLMSG_ERROR message. 0 or -EBADMSG. */
int esw_nl_parse_ack(const struct nlmsghdr *nlh, struct esw_nl_ack *ack);

/* Walks the messages of a datagram. libmnl's mnl_nlmsg_ok (1.0.4) compares lengths as int, so that a
 * length of 2^31 or more passes; these do not. */
bool esw_nl_msg_ok(const struct nlmsghdr *nlh, size_t left);
const struct nlmsghdr *esw_nl_msg_next(const struct nlmsghdr *nlh, size_t *left);

/* Attributes, as libmnl reads them, without a call for each step: dumps have millions. */
static inline bool esw_nl_attr_ok(const struct nlattr *attr, const char *end)
{
	ptrdiff_t left = end - (const char *)attr;

	return left >= (ptrdiff_t)sizeof(*attr) && attr->nla_len >= sizeof(*attr) &&
	       attr->nla_len <= left;
}

static inline const struct nlattr *esw_nl_attr_next(const struct nlattr *attr)
{
	return (const struct nlattr *)((const char *)attr + NLA_ALIGN(attr->nla_len));
}

static inline uint16_t esw_nl_type(const struct nlattr *attr)
{
	return attr->nla_type & NLA_TYPE_MASK;
}

/* Walks the attributes behind a fixed header of `size` bytes that is known to be there. Ends at the
 * message's own end; libmnl's loop rounds that up. */
#define esw_nl_for_each_attr(attr, nlh, size)                                                     \
	for ((attr) = (const struct nlattr *)((const char *)(nlh) + NLMSG_HDRLEN +                \
					      NLMSG_ALIGN(size));                                 \
	     esw_nl_attr_ok((attr), (const char *)(nlh) + (nlh)->nlmsg_len);                      \
	     (attr) = esw_nl_attr_next(attr))

#define esw_nl_for_each_nested(attr, nest)                                                        \
	for ((attr) = (const struct nlattr *)((const char *)(nest) + NLA_HDRLEN);                 \
	     esw_nl_attr_ok((attr), (const char *)(nest) + (nest)->nla_len);                      \
	     (attr) = esw_nl_attr_next(attr))

/* The fixed header of a message, or NULL if the message is shorter. */
const void *esw_nl_fixed(const struct nlmsghdr *nlh, size_t size);

/* Attribute readers that check the length; false leaves `out` as it was. */
struct nlattr;
bool esw_nl_u8(const struct nlattr *attr, uint8_t *out);
bool esw_nl_u16(const struct nlattr *attr, uint16_t *out);
bool esw_nl_u32(const struct nlattr *attr, uint32_t *out);
bool esw_nl_u64(const struct nlattr *attr, uint64_t *out);
bool esw_nl_bytes(const struct nlattr *attr, void *out, size_t size);
/* Copies a string attribute, terminated; false if it does not fit with its terminator. */
bool esw_nl_text(const struct nlattr *attr, char *out, size_t size);

#endif
