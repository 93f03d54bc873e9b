/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>

#include "batch.h"
#include "netlink.h"

bool esw_nl_msg_ok(const struct nlmsghdr *nlh, size_t left)
{
	return left >= NLMSG_HDRLEN && nlh->nlmsg_len >= NLMSG_HDRLEN && nlh->nlmsg_len <= left;
}

const struct nlmsghdr *esw_nl_msg_next(const struct nlmsghdr *nlh, size_t *left)
{
	size_t step = NLMSG_ALIGN((size_t)nlh->nlmsg_len);

	*left = step < *left ? *left - step : 0;
	return (const struct nlmsghdr *)((const char *)nlh + step);
}

const void *esw_nl_fixed(const struct nlmsghdr *nlh, size_t size)
{
	if (nlh->nlmsg_len < NLMSG_HDRLEN + NLMSG_ALIGN(size))
		return NULL;
	return mnl_nlmsg_get_payload(nlh);
}

bool esw_nl_bytes(const struct nlattr *attr, void *out, size_t size)
{
	if (mnl_attr_get_payload_len(attr) < size)
		return false;
	memcpy(out, mnl_attr_get_payload(attr), size);
	return true;
}

bool esw_nl_u8(const struct nlattr *attr, uint8_t *out)
{
	return esw_nl_bytes(attr, out, sizeof(*out));
}

bool esw_nl_u16(const struct nlattr *attr, uint16_t *out)
{
	return esw_nl_bytes(attr, out, sizeof(*out));
}

bool esw_nl_u32(const struct nlattr *attr, uint32_t *out)
{
	return esw_nl_bytes(attr, out, sizeof(*out));
}

bool esw_nl_u64(const struct nlattr *attr, uint64_t *out)
{
	return esw_nl_bytes(attr, out, sizeof(*out));
}

bool esw_nl_text(const struct nlattr *attr, char *out, size_t size)
{
	const char *text = mnl_attr_get_payload(attr);
	size_t len = strnlen(text, mnl_attr_get_payload_len(attr));

	if (len >= size)
		return false;
	memcpy(out, text, len);
	memset(out + len, 0, size - len);
	return true;
}

/* The extack sentence may be longer than our field: it is cut, not lost. */
static void extack_copy(struct esw_nl_ack *ack, const struct nlattr *attr)
{
	size_t len = mnl_attr_get_payload_len(attr);

	if (len > sizeof(ack->extack) - 1)
		len = sizeof(ack->extack) - 1;
	memset(ack->extack, 0, sizeof(ack->extack));
	memcpy(ack->extack, mnl_attr_get_payload(attr), len);
}

int esw_nl_parse_ack(const struct nlmsghdr *nlh, struct esw_nl_ack *ack)
{
	const struct nlmsgerr *err = esw_nl_fixed(nlh, sizeof(*err));
	const struct nlattr *attr;
	size_t skip = sizeof(*err);

	memset(ack, 0, sizeof(*ack));
	if (nlh->nlmsg_type != NLMSG_ERROR || !err)
		return -EBADMSG;
	if (err->error > 0 || err->error < -4095)
		return -EBADMSG;
	ack->error = err->error;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return 0;
	/* A kernel without NETLINK_CAP_ACK echoes the whole request before the attributes. */
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED)) {
		if (err->msg.nlmsg_len < NLMSG_HDRLEN || err->msg.nlmsg_len > nlh->nlmsg_len)
			return -EBADMSG;
		skip += NLMSG_ALIGN(err->msg.nlmsg_len) - NLMSG_HDRLEN;
	}
	esw_nl_for_each_attr(attr, nlh, skip) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			extack_copy(ack, attr);
	}
	return 0;
}
