/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"
#include "netlink.h"

static void parse(const struct nlmsghdr *nlh)
{
	struct esw_nl_ack ack;

	if (esw_nl_parse_ack(nlh, &ack) == 0 &&
	    (ack.error > 0 || strnlen(ack.extack, sizeof(ack.extack)) == sizeof(ack.extack)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	each_message(data, size, parse);
	return 0;
}
