/* SPDX-License-Identifier: Apache-2.0
 *
 * The flow lane of libeswitch: tc-flower rules on the ingress of clsact. Included by eswitch.h, whose
 * conventions hold.
 */
#ifndef ESWITCH_FLOWER_H
#define ESWITCH_FLOWER_H

#define ESW_FLOWER_ACTIONS_MAX 12

/* Every field of a match, in network byte order. Bit i of `fields` is the i-th of these: a field is
 * there because its bit is set, whatever its value (VLAN 0 and port 0 can be matched). */
struct esw_flower_key {
	uint8_t eth_dst[6];
	uint8_t eth_src[6];
	uint8_t vlan_id[2];
	uint8_t vlan_prio[1];
	uint8_t vlan_ethtype[2];
	uint8_t cvlan_id[2];
	uint8_t cvlan_prio[1];
	uint8_t cvlan_ethtype[2];
	uint8_t ip_proto[1];
	uint8_t ip_tos[1];
	uint8_t ip_ttl[1];
	uint8_t ip_flags[4]; /* TCA_FLOWER_KEY_FLAGS_* */
	uint8_t ipv4_src[4];
	uint8_t ipv4_dst[4];
	uint8_t ipv6_src[16];
	uint8_t ipv6_dst[16];
	uint8_t src_port[2]; /* TCP, UDP or SCTP, by ip_proto */
	uint8_t dst_port[2];
	uint8_t tcp_flags[2];
	uint8_t icmp_type[1]; /* of ICMP or ICMPv6, by ip_proto */
	uint8_t icmp_code[1];
	uint8_t enc_key_id[4];
	uint8_t enc_ipv4_src[4];
	uint8_t enc_ipv4_dst[4];
	uint8_t enc_ipv6_src[16];
	uint8_t enc_ipv6_dst[16];
	uint8_t enc_src_port[2];
	uint8_t enc_dst_port[2];
	uint8_t enc_ip_tos[1];
	uint8_t enc_ip_ttl[1];
	uint8_t pad;
};

enum esw_flower_act_kind {
	ESW_ACT_REDIRECT = 1, /* out of `link`; the packet's way ends */
	ESW_ACT_MIRROR = 2,
	ESW_ACT_PEDIT = 3, /* header field `number` to `value` where `mask` has ones */
	ESW_ACT_CSUM = 4,  /* `number`: TCA_CSUM_UPDATE_FLAG_* */
	ESW_ACT_TUNNEL_SET = 5,
	ESW_ACT_TUNNEL_UNSET = 6,
	ESW_ACT_VLAN_PUSH = 7,
	ESW_ACT_VLAN_MODIFY = 8,
	ESW_ACT_VLAN_POP = 9,
	ESW_ACT_POLICE = 10, /* `rate`, burst `number`; what exceeds is dropped */
	ESW_ACT_DROP = 11,
	ESW_ACT_PASS = 12,
	ESW_ACT_TRAP = 13,
	ESW_ACT_GOTO = 14, /* chain `number` */
};

/* Header fields of ESW_ACT_PEDIT. */
enum esw_pedit_field {
	ESW_PEDIT_ETH_DST = 0,
	ESW_PEDIT_ETH_SRC = 1,
	ESW_PEDIT_IPV4_SRC = 2,
	ESW_PEDIT_IPV4_DST = 3,
	ESW_PEDIT_IP_TTL = 4,
	ESW_PEDIT_IP_TOS = 5,
	ESW_PEDIT_IPV6_SRC = 6,
	ESW_PEDIT_IPV6_DST = 7,
	ESW_PEDIT_IPV6_HOPLIMIT = 8,
	ESW_PEDIT_TCP_SPORT = 9,
	ESW_PEDIT_TCP_DPORT = 10,
	ESW_PEDIT_UDP_SPORT = 11,
	ESW_PEDIT_UDP_DPORT = 12,
	ESW_PEDIT_FIELDS = 13,
};

/* One action. What a kind does not name is zero. */
struct esw_flower_act {
	uint32_t kind;
	uint32_t number; /* pedit: field; csum: flags; tunnel: VNI; police: bytes of burst; goto: chain;
			  * in dumps of redirect and mirror: ifindex, 0 if that link is gone */
	uint64_t rate;   /* police: bytes per second */
	uint16_t port;   /* tunnel: UDP destination port */
	uint16_t vlan_id;
	uint16_t tpid; /* vlan: 0x8100 or 0x88a8 */
	uint8_t vlan_prio;
	uint8_t family; /* tunnel: AF_INET or AF_INET6 */
	uint8_t tos;    /* tunnel: 0 is what the kernel takes when none is given; so with ttl */
	uint8_t ttl;
	uint8_t csum; /* tunnel: 1 fills the outer UDP checksum */
	uint8_t pad[5];
	uint8_t value[16]; /* pedit: in its first bytes; tunnel: source */
	uint8_t mask[16];  /* pedit; tunnel: destination */
	char link[ESW_NAME_LEN];
};

enum esw_flower_verb { ESW_FLOWER_PUT = 1, ESW_FLOWER_DELETE = 2 };

enum esw_flower_flags {
	ESW_FLOWER_SKIP_SW = 1u << 0,
	ESW_FLOWER_SKIP_HW = 1u << 1,
	/* The NIC's sentence arrives for rules without skip_sw, too, as the extack of a success. */
	ESW_FLOWER_VERBOSE = 1u << 2,
	/* The kernel's echo of the new rule is compared with what was asked, and says whether hardware
	 * has it. A difference is -EILSEQ, with the name of what differs; the rule stays. */
	ESW_FLOWER_ECHO = 1u << 3,
};

/* Bytes of the cookie that all our actions carry: magic 0xE5 0x57, schema, kind, owner (4, big-endian),
 * fingerprint (8, big-endian). The first eight say whose a rule is. */
#define ESW_COOKIE_MAGIC 0xE557
#define ESW_COOKIE_LEN 16
#define ESW_COOKIE_OWNER_LEN 8

struct esw_flower_op {
	uint32_t verb;
	uint32_t flags;
	char name[ESW_NAME_LEN]; /* of the link on whose ingress the rule is */
	uint32_t chain;
	uint32_t handle;   /* not 0 */
	uint16_t prio;     /* not 0; one protocol per prio */
	uint16_t protocol; /* ETH_P_* */
	uint32_t fields;   /* bits: which of key and mask count */
	uint8_t cookie[ESW_COOKIE_LEN];
	struct esw_flower_key key;
	struct esw_flower_key mask;
	uint32_t action_count;
	uint32_t pad;
	struct esw_flower_act actions[ESW_FLOWER_ACTIONS_MAX];
};

/* Of one esw_flower_op. */
struct esw_flower_result {
	int32_t error;
	uint32_t ifindex;
	uint32_t flags; /* ESW_REC_IN_HW, ESW_REC_NOT_IN_HW, or neither: not known without ECHO */
	uint32_t pad;
	char extack[ESW_EXTACK_LEN];
};

/* Creates rules, or replaces those of the same (link, chain, prio, protocol, handle); deletes by that
 * identity, where absent is success. Rules whose first cookie does not start with the eight owner
 * bytes of the record's are refused with -EEXIST. A link without clsact gets one, and an empty
 * directory `dir`/links/NAME_qdisc says so (`dir` "": no such mark); when a delete leaves such a link
 * without filters the qdisc goes, too. A rule that is there as asked is left alone with its counters,
 * unless it should be in hardware and is not.
 * Puts and deletes that follow each other take effect in order. Neighbouring records of one verb are
 * spread over `sockets` threads (1..8): order holds for one identity, not between rules. */
int esw_flower_apply(const void *batch, uint32_t len, void *results, uint32_t cap, uint32_t sockets,
		     const char *dir);

/* The identity of one rule. */
struct esw_flower_ref {
	char name[ESW_NAME_LEN];
	uint32_t chain;
	uint32_t handle;
	uint16_t prio;
	uint16_t protocol;
	uint32_t pad;
};

/* Deletes as esw_flower_apply does, by records of identities alone; `owner`: the eight bytes that our
 * cookies start with. Where many go from one link it is dumped once, rather than each looked at. */
int esw_flower_delete(const void *batch, uint32_t len, void *results, uint32_t cap, uint32_t sockets,
		      const char *dir, const uint8_t *owner);

enum esw_flower_rec_flags {
	ESW_REC_IN_HW = 1u << 0,
	ESW_REC_SKIP_SW = 1u << 1,
	ESW_REC_SKIP_HW = 1u << 2,
	ESW_REC_OURS = 1u << 3,
	ESW_REC_UNKNOWN = 1u << 4,  /* it has parts that these records cannot say; esw_flower_read only */
	ESW_REC_DANGLING = 1u << 5, /* it sends to a link that is gone; full dumps only */
	ESW_REC_NOT_IN_HW = 1u << 6,
};

#define ESW_IDLE_UNKNOWN 0xffffffffu

/* One rule, by its identity, cookie and counters. */
struct esw_flower_rec {
	uint64_t fingerprint; /* 0 for rules of others */
	uint64_t hw_packets;
	uint64_t hw_bytes;
	uint64_t sw_packets;
	uint64_t sw_bytes;
	uint32_t ifindex;
	uint32_t chain;
	uint32_t handle;
	uint32_t idle_ms; /* since a packet matched last; ESW_IDLE_UNKNOWN in terse dumps */
	uint32_t in_hw_count;
	uint16_t prio;
	uint16_t protocol;
	uint16_t flags;
	uint16_t pad;
	uint32_t pad2;
};

/* The same with keys and actions. */
struct esw_flower_full {
	struct esw_flower_rec rec;
	char name[ESW_NAME_LEN];
	uint8_t cookie[ESW_COOKIE_LEN];
	uint32_t fields;
	uint32_t action_count;
	struct esw_flower_key key;
	struct esw_flower_key mask;
	struct esw_flower_act actions[ESW_FLOWER_ACTIONS_MAX];
};

/* Rules on the ingress of `count` links, whose names follow each other in `names` (ESW_NAME_LEN bytes
 * each). Links that are gone or have no clsact have none. `owner`: the eight bytes that our cookies
 * start with. `terse` asks the kernel for identity, flags, cookie and counters only: no idle_ms, no
 * ESW_REC_DANGLING. Returns the number of records there are, as every dump. */
int esw_flower_dump(const char *names, uint32_t count, const uint8_t *owner, uint32_t terse, void *out,
		    uint32_t cap);
/* As esw_flower_full. */
int esw_flower_read(const char *names, uint32_t count, const uint8_t *owner, void *out, uint32_t cap);

#endif
