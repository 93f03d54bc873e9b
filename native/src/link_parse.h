/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESW_LINK_PARSE_H
#define ESW_LINK_PARSE_H

#include <linux/netlink.h>
#include <stdbool.h>

#include "api.h"

/* A link as one RTM_NEWLINK message shows it. */
struct esw_link_view {
	struct esw_link_rec rec; /* rec.altname: first altname that matched */
	uint32_t group;
	bool has_mac;
	bool has_altnames; /* any at all, matching or not */
	int addr_gen_mode; /* IN6_ADDR_GEN_MODE_*, -1 if not shown */
};

enum esw_altname_match { ESW_ALTNAME_EXACT, ESW_ALTNAME_PREFIX };

/* Parses an RTM_NEWLINK. `mark` selects the altname to report; "" selects none.
 * 0 or -EBADMSG. */
int esw_link_parse(const struct nlmsghdr *nlh, const char *mark, enum esw_altname_match match,
		   struct esw_link_view *view);

#endif
