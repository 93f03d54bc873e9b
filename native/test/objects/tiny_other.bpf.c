/* SPDX-License-Identifier: GPL-2.0
 *
 * The same map name as in tiny.bpf.c with another value size: must be refused where that is pinned.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u32);
} numbers SEC(".maps");

SEC("tc")
int tiny(struct __sk_buff *skb)
{
	__u32 key = skb->ifindex;

	return bpf_map_lookup_elem(&numbers, &key) ? 2 : -1;
}

char LICENSE[] SEC("license") = "GPL";
