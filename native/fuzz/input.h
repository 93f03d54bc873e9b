/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes of the fuzzer as a stream of netlink messages. The copy is as large as the input and not a
 * byte larger, so that the sanitizer sees a read beyond it.
 */
#ifndef ESW_FUZZ_INPUT_H
#define ESW_FUZZ_INPUT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void each_message(const uint8_t *data, size_t size,
				void (*parse)(const struct nlmsghdr *nlh))
{
	uint8_t *copy = malloc(size ? size : 1);
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)copy;
	size_t left = size;

	if (!copy)
		return;
	memcpy(copy, data, size);
	for (; esw_nl_msg_ok(nlh, left); nlh = esw_nl_msg_next(nlh, &left))
		parse(nlh);
	free(copy);
}

#endif
