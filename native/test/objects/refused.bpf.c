/* SPDX-License-Identifier: GPL-2.0
 *
 * Reads a map value without the NULL check: the verifier refuses it.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u32);
} wild SEC(".maps");

SEC("tc")
int refused(struct __sk_buff *skb)
{
	__u32 key = skb->ifindex;
	__u32 *value = bpf_map_lookup_elem(&wild, &key);

	return (int)*value;
}

char LICENSE[] SEC("license") = "GPL";
