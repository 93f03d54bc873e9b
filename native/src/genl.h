/* SPDX-License-Identifier: Apache-2.0
 *
 * Generic netlink: families and groups by name, requests and dumps with their header.
 */
#ifndef ESW_GENL_H
#define ESW_GENL_H

#include <linux/genetlink.h>

#include "netlink.h"

struct esw_genl_family {
	uint16_t id;
	uint32_t group; /* of the multicast group asked for, 0 if the family has none of that name */
};

/* Reads the answer to CTRL_CMD_GETFAMILY. False if it has no family id. `group_name` may be NULL. */
bool esw_genl_parse_family(const struct nlmsghdr *nlh, const char *group_name,
			   struct esw_genl_family *family);

/* Opens a socket in the calling namespace and looks the family up. 0, -ENOENT if the kernel has no
 * such family, or -errno; the socket is closed again then. */
int esw_genl_open(struct esw_nl *nl, const char *name, const char *group_name,
		  struct esw_genl_family *family);

/* As esw_nl_txn_begin. */
struct nlmsghdr *esw_genl_begin(struct esw_nl_txn *txn, const struct esw_genl_family *family,
				uint8_t command);

/* Dumps what `command` gives, without further attributes. `each` as in struct esw_nl_dump. */
struct esw_genl_dump {
	uint8_t command;
	int (*each)(void *ctx, const struct nlmsghdr *nlh);
	void (*reset)(void *ctx);
	void *ctx;
};
int esw_genl_dump(struct esw_nl *nl, const struct esw_genl_family *family,
		  const struct esw_genl_dump *dump);

/* The command of a message, or -1 if it is too short for a header. */
int esw_genl_command(const struct nlmsghdr *nlh);

#define esw_genl_for_each_attr(attr, nlh)                                                         \
	esw_nl_for_each_attr(attr, nlh, sizeof(struct genlmsghdr))

#endif
