/* SPDX-License-Identifier: Apache-2.0
 *
 * Parsers of devlink messages, each of one message. Those that give one record return false for a
 * message that is none of theirs; those that give several hand them to `add`.
 */
#ifndef ESW_DEVLINK_PARSE_H
#define ESW_DEVLINK_PARSE_H

#include <linux/netlink.h>
#include <stdbool.h>

#include "api.h"

typedef void (*esw_devlink_add_fn)(void *ctx, const void *record);

/* The handle of any devlink message; false if it has none or one that is too long for us. */
bool esw_devlink_parse_handle(const struct nlmsghdr *nlh, char *bus, char *dev);

bool esw_devlink_parse_dev(const struct nlmsghdr *nlh, struct esw_devlink_rec *rec);
/* Adds to `rec` what the answer to DEVLINK_CMD_ESWITCH_GET says. */
void esw_devlink_parse_eswitch(const struct nlmsghdr *nlh, struct esw_devlink_rec *rec);
bool esw_devlink_parse_port(const struct nlmsghdr *nlh, struct esw_devlink_port *port);
bool esw_devlink_parse_rate(const struct nlmsghdr *nlh, struct esw_devlink_rate *rate);
bool esw_devlink_parse_health(const struct nlmsghdr *nlh, struct esw_devlink_health *health);
bool esw_devlink_parse_event(const struct nlmsghdr *nlh, struct esw_devlink_event *event);
/* struct esw_devlink_info, struct esw_devlink_param, struct esw_devlink_resource */
void esw_devlink_parse_info(const struct nlmsghdr *nlh, esw_devlink_add_fn add, void *ctx);
void esw_devlink_parse_param(const struct nlmsghdr *nlh, esw_devlink_add_fn add, void *ctx);
void esw_devlink_parse_resource(const struct nlmsghdr *nlh, esw_devlink_add_fn add, void *ctx);

#endif
