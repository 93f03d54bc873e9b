/* SPDX-License-Identifier: Apache-2.0
 *
 * Parsers of address, route and neighbour messages. true if the message is one that a dump
 * reports; false for what is not (another family, a malformed message, a local route).
 */
#ifndef ESW_RT_PARSE_H
#define ESW_RT_PARSE_H

#include <linux/netlink.h>
#include <stdbool.h>

#include "api.h"

bool esw_addr_parse(const struct nlmsghdr *nlh, struct esw_addr_rec *rec);
/* Unicast routes only: the record has no type, and a local or broadcast route is none of ours. Of
 * a multipath route the first next hop is reported. */
bool esw_route_parse(const struct nlmsghdr *nlh, struct esw_route_rec *rec);
bool esw_neigh_parse(const struct nlmsghdr *nlh, struct esw_neigh_rec *rec);

#endif
