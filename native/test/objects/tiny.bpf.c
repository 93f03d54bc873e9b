/* SPDX-License-Identifier: GPL-2.0
 *
 * A small object of the shape that the loader handles: plain maps, a forwarding table, a program.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

struct generation {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, 4);
	__uint(value_size, 8);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct generation);
} fib SEC(".maps");

static const volatile __u32 internal_constant = 7; /* .rodata: never pinned */

SEC("tc")
int tiny(struct __sk_buff *skb)
{
	__u32 key = 0;
	__u64 *count = bpf_map_lookup_elem(&counts, &key);
	void *live = bpf_map_lookup_elem(&fib, &key);

	(void)skb;
	if (count)
		*count += internal_constant;
	if (live && bpf_map_lookup_elem(live, &key) && bpf_map_lookup_elem(&numbers, &key))
		return 2; /* TC_ACT_SHOT */
	return -1; /* TCX_NEXT, TC_ACT_UNSPEC */
}

char LICENSE[] SEC("license") = "GPL";
