/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESW_EVENT_H
#define ESW_EVENT_H

#include <linux/netlink.h>
#include <stdbool.h>

#include "api.h"

/* Turns a notification into an event; false if it is none that callers want. */
bool esw_event_parse(const struct nlmsghdr *nlh, struct esw_event *event);

#endif
