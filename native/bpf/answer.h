/* SPDX-License-Identifier: GPL-2.0
 *
 * Sends a packet, rewritten into the answer to itself, back out of the port it came from.
 */
#ifndef ESW_ANSWER_H
#define ESW_ANSWER_H

#include "counters.h"

static __always_inline int answer(struct __sk_buff *skb, __u32 slot, __u32 asked_bytes)
{
	count_rx(slot, asked_bytes);
	count_tx(slot, skb->len);
	return bpf_redirect(skb->ifindex, 0);
}

#endif
