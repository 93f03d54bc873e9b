/* SPDX-License-Identifier: Apache-2.0
 *
 * tc-flower rules between our records and rtnetlink's attributes. Everything here works on bytes
 * alone: no socket, no state.
 *
 * A rule is normal when its fields have values within their masks, no field has an empty mask, and
 * actions hold nothing that their kind does not name. Records are made normal by esw_flower_check,
 * dumps are normal by themselves, so that two of them are compared byte by byte.
 */
#ifndef ESW_FLOWER_H
#define ESW_FLOWER_H

#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <stddef.h>

#include "api.h"

struct nlattr;

/* The fields of struct esw_flower_key, in its order. */
#define ESW_FLOWER_FIELDS(X)                                                                      \
	X(eth_dst) X(eth_src) X(vlan_id) X(vlan_prio) X(vlan_ethtype) X(cvlan_id) X(cvlan_prio)  \
	X(cvlan_ethtype) X(ip_proto) X(ip_tos) X(ip_ttl) X(ip_flags) X(ipv4_src) X(ipv4_dst)     \
	X(ipv6_src) X(ipv6_dst) X(src_port) X(dst_port) X(tcp_flags) X(icmp_type) X(icmp_code)   \
	X(enc_key_id) X(enc_ipv4_src) X(enc_ipv4_dst) X(enc_ipv6_src) X(enc_ipv6_dst)            \
	X(enc_src_port) X(enc_dst_port) X(enc_ip_tos) X(enc_ip_ttl)

#define ESW_FLOWER_ENUM(name) ESW_FIELD_##name,
enum esw_flower_field_id { ESW_FLOWER_FIELDS(ESW_FLOWER_ENUM) ESW_FIELD_COUNT };

/* Where a field is in struct esw_flower_key, and its name. */
struct esw_flower_place {
	const char *name;
	uint8_t offset;
	uint8_t len;
};
extern const struct esw_flower_place esw_flower_places[ESW_FIELD_COUNT];

#define ESW_FIELD_BIT(name) (1u << ESW_FIELD_##name)

/* ---- fields (flower_field.c) ----------------------------------------------------------------- */

/* All bits that the kernel keeps of a field: twelve of a VLAN ID. */
void esw_flower_full_mask(enum esw_flower_field_id id, uint8_t *mask);
/* Whether the kernel has no mask for a field. */
bool esw_flower_is_exact(enum esw_flower_field_id id);
/* Adds every field to the options of a filter. */
void esw_flower_put_fields(struct nlmsghdr *nlh, const struct esw_flower_op *op);
/* Takes one attribute of a filter's options; false if it is not a field. `masked`: bits of the fields
 * whose mask was seen. */
bool esw_flower_parse_field(const struct nlattr *attr, struct esw_flower_full *rule,
			    uint32_t *masked);

/* ---- actions (flower_put.c, flower_action.c, flower_pedit.c, flower_police.c) ------------------ */

enum esw_flower_tc_kind {
	ESW_TC_MIRRED, ESW_TC_PEDIT, ESW_TC_CSUM, ESW_TC_TUNNEL, ESW_TC_VLAN, ESW_TC_POLICE,
	ESW_TC_GACT, ESW_TC_KINDS,
};
extern const char *const esw_flower_tc_names[ESW_TC_KINDS];

/* Adds TCA_FLOWER_ACT. In `op` the links of redirect and mirror are resolved: `number` is the
 * ifindex. */
void esw_flower_put_actions(struct nlmsghdr *nlh, const struct esw_flower_op *op);

enum esw_flower_depth {
	ESW_FLOWER_TERSE,    /* of the first action, only counters and cookie: what terse dumps have */
	ESW_FLOWER_COUNTERS, /* and its time, and of all actions where they send to */
	ESW_FLOWER_ALL,
};
/* Takes TCA_FLOWER_ACT: cookie, counters and, with ESW_FLOWER_ALL, the actions. What cannot be said
 * sets ESW_REC_UNKNOWN. */
void esw_flower_parse_actions(const struct nlattr *nest, enum esw_flower_depth depth,
			      struct esw_flower_full *rule);

/* One tc pedit action of `count` consecutive ESW_ACT_PEDIT. */
void esw_flower_put_pedit(struct nlmsghdr *nlh, const struct esw_flower_act *acts, uint32_t count);
/* Its options, as up to `room` ESW_ACT_PEDIT; their number, or -1 if they cannot be said so. */
int esw_flower_parse_pedit(const struct nlattr *options, struct esw_flower_act *acts, uint32_t room);
/* Bytes of a header field, 0 if there is no such. */
uint32_t esw_flower_pedit_len(uint32_t field);

void esw_flower_put_police(struct nlmsghdr *nlh, const struct esw_flower_act *act);
bool esw_flower_parse_police(const struct nlattr *options, struct esw_flower_act *act);
/* The burst that the kernel can hold at that rate (it keeps ticks of 64 ns), 0 if none. */
uint32_t esw_flower_police_burst(uint64_t rate, uint32_t burst);

/* ---- whole rules (flower_msg.c, flower_check.c) ------------------------------------------------ */

struct esw_nl_txn;

/* Begins a message of `type` about the rule's identity; what it says of the rule itself comes with
 * RTM_NEWTFILTER only. */
void esw_flower_begin(struct esw_nl_txn *txn, uint16_t type, uint16_t flags, uint32_t ifindex,
		      const struct esw_flower_op *op);

/* Parses RTM_NEWTFILTER. 0; -ENOENT for what is no flower rule; -EBADMSG. `rule->name` and links of
 * actions are left empty. */
int esw_flower_parse(const struct nlmsghdr *nlh, const uint8_t *owner, enum esw_flower_depth depth,
		     struct esw_flower_full *rule);

/* Makes a record normal. NULL, or a sentence that says what is wrong with it. */
const char *esw_flower_check(struct esw_flower_op *op);

/* NULL if the rule is as asked, else the name of what differs. `op` is normal and resolved. */
const char *esw_flower_differs(const struct esw_flower_op *op, const struct esw_flower_full *rule);

#endif
