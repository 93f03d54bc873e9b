/* SPDX-License-Identifier: GPL-2.0
 *
 * Map definitions. The sizes are defaults: the loader may override max_entries before the first
 * pin. Records and meanings are in esw_maps.h.
 */
#ifndef ESW_TABLES_H
#define ESW_TABLES_H

#include <bpf/bpf_helpers.h>

#include "esw_maps.h"

#define ESW_PORTS_MAX 16384
#define ESW_NETS_MAX 65536 /* every number a network can have; 1.5 MiB */
#define ESW_SUBNETS_MAX 16384
#define ESW_FIB_MAX 65536
/* Every port drops router solicitations and multicast reports when it comes up, so two or three
 * reasons per port are the rule. */
#define ESW_DROPS_MAX (4 * ESW_PORTS_MAX)
/* Allocated as a whole, 16 bytes for each CPU and entry: the busy pairs are what matters. */
#define ESW_PAIRS_MAX 8192

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ESW_PORTS_MAX);
	__type(key, __u32);
	__type(value, struct esw_port);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ESW_NETS_MAX);
	__type(key, __u32);
	__type(value, struct esw_net);
} nets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, ESW_SUBNETS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct esw_subnet_key);
	__type(value, struct esw_subnet);
} subnets SEC(".maps");

/* One generation of the forwarding table. The slot of "fib" is empty after a load: whoever fills
 * the table creates the generation and stores it there. Its max_entries may differ. */
struct fib_generation {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ESW_FIB_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct esw_fib_key)); /* clang leaves types out of inner maps' BTF */
	__uint(value_size, sizeof(struct esw_fib));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct fib_generation);
} fib SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ESW_PORTS_MAX);
	__type(key, __u32);
	__type(value, struct esw_stats);
} stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, ESW_DROPS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct esw_drop_key);
	__type(value, struct esw_drop);
} drops SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, ESW_PAIRS_MAX);
	__type(key, struct esw_pair_key);
	__type(value, struct esw_pair);
} pairs SEC(".maps");

/* What was decided for one (port, source, destination): see flow.h. Private to the programs. The
 * fields that an IPv4 packet needs come first. The size is that of version 1 of the maps: an upgrade
 * takes the pinned map over. */
struct esw_flow {
	__u64 tick; /* jiffies when it was decided */
	const void *generation; /* of the forwarding table it was decided with */
	__u32 in_ifindex;
	__u32 in_slot;
	__u32 out_ifindex;
	__u32 out_slot;
	__u8 in_mac[6];
	__u8 out_dst[6]; /* MACs to write */
	__u8 out_src[6];
	__u16 type; /* Ethernet type, 0 = empty */
	__u32 src[4]; /* IPv4: the first word */
	__u32 dst[4];
	__u32 flags; /* ESW_FLOW_*; 0 for a veth pair's port and destination */
};

_Static_assert(sizeof(struct esw_flow) == 88, "pinned maps keep their record sizes");

#define ESW_FLOW_TRANSMIT 1u
#define ESW_FLOW_COUNT_PAIR 2u
#define ESW_FLOW_BITS 10

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1 << ESW_FLOW_BITS);
	__type(key, __u32);
	__type(value, struct esw_flow);
} flows SEC(".maps");

static __always_inline struct esw_net *net_lookup(__u32 net)
{
	struct esw_net *found = bpf_map_lookup_elem(&nets, &net);

	return found && (found->flags & ESW_NET_PRESENT) ? found : NULL;
}

static __always_inline void *fib_generation(void)
{
	__u32 slot = 0;

	return bpf_map_lookup_elem(&fib, &slot);
}

static __always_inline struct esw_fib *fib_lookup(const struct esw_fib_key *key)
{
	void *generation = fib_generation();

	return generation ? bpf_map_lookup_elem(generation, key) : NULL;
}

#endif
