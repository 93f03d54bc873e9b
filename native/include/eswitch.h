/* SPDX-License-Identifier: Apache-2.0
 *
 * libeswitch: the C ABI that the eswitchd daemon calls through koffi.
 *
 * Conventions
 *  - Every function returns 0 (or a count / fd, where said) or a negative errno.
 *  - One call carries one batch: a struct esw_batch_hdr, then `count` records of `record_size`
 *    bytes. Results come back in a second buffer of `count` struct esw_result, in order.
 *    No pointers inside buffers, no callbacks. All integers are host-endian unless named *_be.
 *  - A batch that is malformed (magic, version, record size, length, count) returns -EINVAL and
 *    touches nothing. A well-formed batch runs every record, in order; each has a result of its
 *    own and a failure does not stop the ones after it.
 *  - Operations are idempotent: creating what already exists as asked is success, deleting what is
 *    absent is success.
 *  - Links are named, never numbered, in batches (ifindexes are reused by the kernel); results and
 *    dumps carry the ifindex of the moment.
 *  - A netns path of "" means the namespace of the calling process.
 *  - Strings are NUL-terminated inside their fixed field; an unterminated one is -EINVAL.
 *  - Every function may be called from any thread; calls on the same lane must not overlap
 *    (the caller keeps one queue per lane: route, bpf, nft, devlink, flow).
 */
#ifndef ESWITCH_H
#define ESWITCH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ESW_ABI_VERSION 3u
#define ESW_BATCH_MAGIC 0x42575345u /* "ESWB" little-endian */
#define ESW_BATCH_MAX 65536u        /* records in one batch */
#define ESW_NAME_LEN 16             /* IFNAMSIZ */
#define ESW_ALTNAME_LEN 64
#define ESW_PATH_LEN 160
#define ESW_EXTACK_LEN 120
#define ESW_PROTO_MARK 0xE5 /* our rtm_protocol, ifa_proto and ndm protocol value */

struct esw_batch_hdr {
	uint32_t magic;
	uint16_t version;
	uint16_t record_size;
	uint32_t length; /* bytes, header included */
	uint32_t count;
};

/* Outcome of one record. `extack` is the kernel's own sentence (NLMSGERR_ATTR_MSG, or the head of
 * the verifier's log for BPF), "" if it gave none. */
struct esw_result {
	int32_t error;        /* 0 or -errno */
	uint32_t ifindex;     /* of the link acted on, 0 if none */
	char extack[ESW_EXTACK_LEN];
};

/* ---- self check -------------------------------------------------------------------------- */

uint32_t esw_abi_version(void);

/* Writes the layout table as text, one line per field:
 *   "esw_result size 128\nesw_result.error 0 4\n…"  (struct.field offset size)
 * TypeScript compares it with its own at load. Returns the length needed (without the NUL);
 * writes at most `cap` bytes. */
int esw_abi_layout(char *out, uint32_t cap);

/* ---- route lane: links -------------------------------------------------------------------- */

enum esw_link_verb {
	ESW_LINK_VETH = 1,   /* create the pair name <-> peer_name and apply the fields to both ends; `set` is
			      * not looked at: an mtu, MAC, altname, up or noaddrgen of zero leaves it alone */
	ESW_LINK_DELETE = 2, /* delete `name`, only if it carries `altname` (else -EEXIST: foreign) */
	ESW_LINK_SET = 3,    /* change the fields selected by `set` */
	/* Create `name` on the link `peer_name` and apply mtu, mac, altname, up and noaddrgen as VETH
	 * does. One of ours that stands on another link, or has another VLAN, is -EEXIST. */
	ESW_LINK_MACVLAN = 4, /* mode bridge */
	ESW_LINK_VLAN = 5,    /* 802.1Q, with `vlan_id` */
	ESW_LINK_UNMARK = 6,   /* take `altname` off `name` */
};

enum esw_link_set {
	ESW_SET_MTU = 1u << 0,
	ESW_SET_MAC = 1u << 1,
	ESW_SET_UP = 1u << 2,      /* to `up` (0/1) */
	ESW_SET_NAME = 1u << 3,    /* to `new_name`; the link is taken down and up again if it must */
	ESW_SET_NETNS = 1u << 4,   /* move to `to_netns` (with new_name in the same message if given) */
	ESW_SET_ALTNAME = 1u << 5, /* add `altname` (idempotent) */
	ESW_SET_NOADDRGEN = 1u << 6, /* IFLA_INET6_ADDR_GEN_MODE none: no link-local on this end */
};

struct esw_link_op {
	uint32_t verb;
	uint32_t set;
	char netns[ESW_PATH_LEN]; /* where `name` is */
	char name[ESW_NAME_LEN];
	char new_name[ESW_NAME_LEN];
	char to_netns[ESW_PATH_LEN];
	char altname[ESW_ALTNAME_LEN]; /* for VETH: of `name`; the peer gets peer_altname */
	uint8_t mac[6];
	uint8_t up;
	uint8_t peer_up;
	uint32_t mtu; /* bytes, both ends of a VETH */
	char peer_name[ESW_NAME_LEN]; /* MACVLAN, VLAN: the link below */
	/* VETH only: */
	char peer_altname[ESW_ALTNAME_LEN];
	uint8_t peer_mac[6];
	uint8_t noaddrgen; /* 1: no IPv6 link-local on `name` */
	uint8_t pad[3];
	uint16_t vlan_id;  /* VLAN only: 1 to 4094 */
	uint32_t txqueues; /* VETH: queues of each end, 0 = kernel's default */
};

int esw_link_apply(const void *batch, uint32_t len, void *results, uint32_t cap);

/* One link as the kernel shows it. */
struct esw_link_rec {
	uint32_t ifindex;
	uint32_t peer_ifindex; /* IFLA_LINK (a veth's peer, the link below), 0 if none */
	int32_t peer_netnsid;  /* IFLA_LINK_NETNSID, -1 if the peer is in this namespace */
	uint32_t flags;        /* IFF_* */
	uint32_t mtu;
	uint8_t mac[6];
	uint8_t operstate; /* IF_OPER_* */
	uint8_t pad;
	char name[ESW_NAME_LEN];
	char kind[ESW_NAME_LEN];       /* IFLA_INFO_KIND, "" if none */
	char altname[ESW_ALTNAME_LEN]; /* first altname that starts with `mark`, "" if none */
	uint16_t vlan_id;              /* IFLA_VLAN_ID, 0 if none */
	uint16_t pad2;
};

/* Dumps links of `netns` as struct esw_link_rec. `mark` selects which altname is reported; with
 * `only_marked` non-zero, links without such an altname are left out. Returns the number of
 * records there are; writes as many whole ones as fit in `cap` bytes (call again with more).
 * NLM_F_DUMP_INTR is retried inside, at most 8 times, then -EAGAIN. */
int esw_link_dump(const char *netns, const char *mark, uint32_t only_marked, void *out, uint32_t cap);

/* ---- route lane: addresses, routes, neighbours --------------------------------------------- */

struct esw_addr_op {
	uint32_t verb; /* 1 add (replace), 2 delete */
	char netns[ESW_PATH_LEN];
	char name[ESW_NAME_LEN];
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t prefixlen;
	uint8_t nodad; /* IPv6: IFA_F_NODAD */
	uint8_t pad;
	uint8_t addr[16]; /* IPv4 in the first four bytes, network order */
};
int esw_addr_apply(const void *batch, uint32_t len, void *results, uint32_t cap);

struct esw_addr_rec {
	uint32_t ifindex;
	uint8_t family;
	uint8_t prefixlen;
	uint8_t scope;
	uint8_t proto; /* IFA_PROTO, 0 where the kernel (< 5.18) has none */
	uint32_t flags; /* IFA_F_* */
	uint8_t addr[16];
};
int esw_addr_dump(const char *netns, void *out, uint32_t cap);

struct esw_route_op {
	uint32_t verb; /* 1 add (replace), 2 delete */
	char netns[ESW_PATH_LEN];
	char oif[ESW_NAME_LEN]; /* "" = none */
	uint8_t family;
	uint8_t prefixlen;
	uint8_t has_gateway;
	uint8_t protocol; /* RTPROT_*, ESW_PROTO_MARK for ours */
	uint32_t table;   /* RT_TABLE_MAIN = 254 */
	uint32_t metric;
	uint8_t dst[16];
	uint8_t gateway[16];
	uint8_t scope_link; /* 1: RT_SCOPE_LINK */
	uint8_t type;       /* RTN_*, 0 = RTN_UNICAST */
	uint8_t pad[2];
};
int esw_route_apply(const void *batch, uint32_t len, void *results, uint32_t cap);

struct esw_route_rec {
	uint32_t oif;
	uint32_t table;
	uint32_t metric;
	uint8_t family;
	uint8_t prefixlen;
	uint8_t protocol;
	uint8_t has_gateway;
	uint8_t dst[16];
	uint8_t gateway[16];
};
/* `protocol` 0 = all. */
int esw_route_dump(const char *netns, uint32_t protocol, void *out, uint32_t cap);

struct esw_neigh_op {
	uint32_t verb; /* 1 add (replace), 2 delete */
	char netns[ESW_PATH_LEN];
	char name[ESW_NAME_LEN];
	uint8_t family;
	uint8_t permanent; /* NUD_PERMANENT, else NUD_REACHABLE */
	uint8_t mac[6];
	uint8_t addr[16];
};
int esw_neigh_apply(const void *batch, uint32_t len, void *results, uint32_t cap);

struct esw_neigh_rec {
	uint32_t ifindex;
	uint16_t state; /* NUD_* */
	uint8_t family;
	uint8_t protocol; /* NDA_PROTOCOL, 0 if none */
	uint8_t mac[6];
	uint8_t pad[2];
	uint8_t addr[16];
};
int esw_neigh_dump(const char *netns, void *out, uint32_t cap);

/* Tells the stations of link `name` in `netns` that address `addr` (4 or 16 bytes, network order) is at
 * `mac` from now on: an ARP announcement, or an unsolicited neighbour advertisement. The link must be up. */
int esw_announce(const char *netns, const char *name, const void *mac, uint32_t mac_len,
		 const void *addr, uint32_t addr_len);

/* ---- events --------------------------------------------------------------------------------- */

struct esw_event {
	uint16_t kind; /* RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, …; 0 = events were lost (ENOBUFS) */
	uint16_t family;
	uint32_t ifindex;
	uint32_t flags;
	char name[ESW_NAME_LEN]; /* links only */
	uint32_t pad;
};

/* Opens an rtnetlink event stream (link, address, route changes of the calling namespace) and
 * starts one thread that writes struct esw_event records to a socketpair. Returns the fd to read
 * (SOCK_STREAM, non-blocking; give it to net.Socket). Closing that fd ends the thread. */
int esw_event_open(uint32_t groups);
#define ESW_EVENT_LINK 1u
#define ESW_EVENT_ADDR 2u
#define ESW_EVENT_ROUTE 4u

/* ---- BPF ------------------------------------------------------------------------------------ */

/* Loads the object file `object` into the pin directory `dir` (on a bpffs): maps are pinned as
 * dir/maps/NAME, programs as dir/progs/NAME. Maps already pinned there are reused (their contents
 * stay); programs are always loaded afresh and pinned by rename, so a pin is never absent.
 * `sizes` is "" or "map=entries,…" and overrides max_entries of maps not pinned yet.
 * On failure `log` holds the head of libbpf's and the verifier's text. */
int esw_bpf_load(const char *object, const char *dir, const char *sizes, char *log, uint32_t cap);

struct esw_hook_op {
	uint32_t verb; /* 1 attach (replaces our own older program in place), 2 detach */
	uint32_t mode; /* 0 auto (tcx, else clsact), 1 tcx, 2 clsact */
	uint32_t egress; /* 0 ingress, 1 egress */
	char name[ESW_NAME_LEN];
	char program[ESW_NAME_LEN * 4]; /* pinned as dir/progs/NAME */
	char dir[ESW_PATH_LEN];         /* links are pinned as dir/links/NAME_ingress (bpffs allows no dots) */
};
/* tcx links are pinned, so they outlive the daemon; attaching when the pinned link exists updates
 * the program in it atomically. clsact: qdisc, then filter prio ESW_TC_PRIO handle 1, replaced in
 * place; detach removes the filter, and the qdisc if no other filter is left and it is ours. */
#define ESW_TC_PRIO 0xE5
int esw_hook_apply(const void *batch, uint32_t len, void *results, uint32_t cap);

struct esw_hook_rec {
	uint32_t ifindex;
	uint32_t prog_id; /* attached program */
	uint8_t egress;
	uint8_t mode; /* 1 tcx, 2 clsact */
	uint8_t foreign_before; /* programs of others that run before ours on this hook */
	uint8_t ours;           /* 1: our link / filter */
	uint32_t pad;
};
/* The state of the hooks of `count` links, ifindexes in `ifindexes`; `dir` as above. One record
 * per (link, direction) on which one of our programs is attached. Returns the number of records. */
int esw_hook_dump(const char *dir, const uint32_t *ifindexes, uint32_t count, void *out, uint32_t cap);

/* Program id pinned at dir/progs/name, or -ENOENT. */
int esw_prog_id(const char *dir, const char *name);

/* Map batches. `map` is a pin path. keys and values are packed arrays of the map's key_size and
 * value_size (value_size rounded up to 8 and × possible CPUs for per-CPU maps). Uses
 * BPF_MAP_*_BATCH where the kernel has it, else one call per element. `errors` gets one int32 per
 * element (0 or -errno); errors_len is its size in bytes. Returns 0 if the batch was well-formed.
 * Deleting an absent key is 0. */
int esw_map_update(const char *map, const void *keys, uint32_t key_size, const void *values,
		   uint32_t value_size, uint32_t count, int32_t *errors, uint32_t errors_len);
int esw_map_delete(const char *map, const void *keys, uint32_t key_size, uint32_t count,
		   int32_t *errors, uint32_t errors_len);
/* Whole map: writes up to what fits of keys and values, returns the number of elements there are
 * (call again with more room), or -errno. */
int esw_map_dump(const char *map, void *keys, uint32_t keys_cap, void *values, uint32_t values_cap);
/* key_size, value_size, max_entries, type, id, possible_cpus into out[6]. */
int esw_map_info(const char *map, uint32_t *out, uint32_t cap);

/* The forwarding table (an ARRAY_OF_MAPS "fib" with one slot whose inner map is the live
 * generation). esw_fib_swap builds a new inner map of `max_entries`, fills it, then replaces the
 * slot: packets see either the whole old table or the whole new one. The other calls act on the
 * live generation. `dir` is the pin directory. esw_fib_swap returns the id of the new inner map. */
int esw_fib_swap(const char *dir, const void *keys, uint32_t key_size, const void *values,
		 uint32_t value_size, uint32_t count, uint32_t max_entries);
int esw_fib_update(const char *dir, const void *keys, uint32_t key_size, const void *values,
		   uint32_t value_size, uint32_t count, int32_t *errors, uint32_t errors_len);
int esw_fib_delete(const char *dir, const void *keys, uint32_t key_size, uint32_t count,
		   int32_t *errors, uint32_t errors_len);
int esw_fib_dump(const char *dir, void *keys, uint32_t keys_cap, void *values, uint32_t values_cap);
/* Map id of the live generation (it changes with each swap), or -errno. */
int esw_fib_generation(const char *dir);

/* Mounts a bpffs at `path` (mkdir -p, mode 0700) unless one is there. 1 if it mounted, 0 if not. */
int esw_bpffs_mount(const char *path);
int esw_bpffs_unmount(const char *path);

/* ---- nftables ------------------------------------------------------------------------------- */

/* Runs `commands` (nft syntax, or JSON when `json` is non-zero) as one transaction through
 * libnftables. Output and error text (concatenated, NUL-terminated, cut to cap) go to `out`.
 * Returns 0 or -errno-like (-EIO when nft refused; `out` says why). */
int esw_nft_run(const char *commands, uint32_t json, char *out, uint32_t cap);

/* ---- flow rules ------------------------------------------------------------------------------ */

#include "eswitch_flower.h"

/* ---- probes --------------------------------------------------------------------------------- */

/* Answer of one probe. */
enum esw_answer { ESW_NO = 0, ESW_YES = 1, ESW_UNKNOWN = 2 /* the test could not be run */ };

/* Runs every probe in throw-away objects and writes text, one line each:
 *   "tcx yes\nredirect_peer yes\nmap_batch yes\nflower unknown Operation not permitted\n…"
 * (name, answer yes|no|unknown, and the reason when not yes). Names: bpf_syscall, bpffs,
 * sched_cls, tcx, clsact, redirect_peer, map_batch, map_in_map, percpu_hash, attach_cookie, veth,
 * altname, ifa_proto, nf_tables, nft_nat_inet, flower, vxlan, netkit, sriov, devlink.
 * Returns the length needed. Leaves nothing behind. */
int esw_probe(char *out, uint32_t cap);

/* koffi boundary benchmark: sums the `mtu` field of every esw_link_op of a batch (what a call
 * costs when C does nothing else). Returns the sum modulo 2^31 or -EINVAL. */
int esw_bench_sum(const void *batch, uint32_t len);
/* The same loop, run `rounds` times inside C over the same buffer; ns per record in *ns_x1000. */
int esw_bench_loop(const void *batch, uint32_t len, uint32_t rounds, uint64_t *ns_x1000);

#ifdef __cplusplus
}
#endif

#include "eswitch_nic.h"
#endif
