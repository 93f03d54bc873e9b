/* SPDX-License-Identifier: Apache-2.0
 *
 * Parsers of what rtnetlink and ethtool tell about NICs, each of one message.
 */
#ifndef ESW_NIC_PARSE_H
#define ESW_NIC_PARSE_H

#include <linux/netlink.h>
#include <stdbool.h>

#include "api.h"

typedef void (*esw_vf_add_fn)(void *ctx, const struct esw_vf_rec *rec);

/* Hands the VFs of a link (IFLA_VFINFO_LIST of an RTM_NEWLINK) to `add`. */
void esw_vf_parse(const struct nlmsghdr *nlh, esw_vf_add_fn add, void *ctx);

/* False for a link without an Ethernet address, and for what is no RTM_NEWLINK. */
bool esw_nic_link_parse(const struct nlmsghdr *nlh, struct esw_nic_link *link);

/* A change of a link with a device below it; false for others. */
bool esw_nic_event_parse(const struct nlmsghdr *nlh, struct esw_nic_event *event);

/* The answer to ETHTOOL_MSG_FEATURES_GET, of which hw-tc-offload is kept. */
bool esw_offload_parse(const struct nlmsghdr *nlh, struct esw_offload_rec *rec);

#endif
