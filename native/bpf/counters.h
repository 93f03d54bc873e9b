/* SPDX-License-Identifier: GPL-2.0
 *
 * Counters. A packet is counted once on each side it is seen: rx of the port it came from if it
 * was accepted (forwarded or answered), tx of the port it went to, or one drop reason. Bytes
 * include the Ethernet header; a GSO super-packet is one packet, as in `ip -s link`.
 */
#ifndef ESW_COUNTERS_H
#define ESW_COUNTERS_H

#include "parse.h"
#include "tables.h"

#define TC_ACT_SHOT 2
#define ESW_SLOT_NONE 0xffffffffu

/* Plain additions are enough: the values are per CPU and the hook runs with bottom halves off. */
static __always_inline void count_rx(__u32 slot, __u32 bytes)
{
	struct esw_stats *s = bpf_map_lookup_elem(&stats, &slot);

	if (s) {
		s->rx_packets++;
		s->rx_bytes += bytes;
	}
}

static __always_inline void count_tx(__u32 slot, __u32 bytes)
{
	struct esw_stats *s = bpf_map_lookup_elem(&stats, &slot);

	if (s) {
		s->tx_packets++;
		s->tx_bytes += bytes;
	}
}

/* `type`: the packet's Ethernet type. */
static __noinline void count_pair(__u32 src, __u32 dst, __u16 type, __u32 bytes)
{
	struct esw_pair_key key = {.src = src, .dst = dst};
	struct esw_pair *p;

	key.family = type == bpf_htons(ETHERTYPE_IPV4) ? 4 : 6;
	p = bpf_map_lookup_elem(&pairs, &key);
	if (!p) {
		struct esw_pair zero = {};

		bpf_map_update_elem(&pairs, &key, &zero, BPF_NOEXIST);
		p = bpf_map_lookup_elem(&pairs, &key);
	}
	if (p) {
		p->packets++;
		p->bytes += bytes;
	}
}

/* Counts a drop and returns the verdict. A full "drops" map loses the count, never the verdict. */
static __noinline int drop(struct __sk_buff *skb, __u32 slot, __u32 reason)
{
	struct esw_drop_key key = {.slot = slot, .reason = reason};
	struct esw_drop *d = bpf_map_lookup_elem(&drops, &key);

	if (!d) {
		struct esw_drop zero = {};

		bpf_map_update_elem(&drops, &key, &zero, BPF_NOEXIST);
		d = bpf_map_lookup_elem(&drops, &key);
	}
	if (d) {
		d->packets++;
		d->bytes += skb->len;
	}
	return TC_ACT_SHOT;
}

#endif
