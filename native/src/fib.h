/* SPDX-License-Identifier: Apache-2.0
 *
 * Generations of the forwarding table: an ARRAY_OF_MAPS with one slot.
 */
#ifndef ESW_FIB_H
#define ESW_FIB_H

#include <stdint.h>

#define ESW_FIB_MAP "fib"

struct esw_fib_shape {
	uint32_t key_size;
	uint32_t value_size;
	uint32_t max_entries;
	uint32_t flags; /* BPF_F_* */
};

/* fd of the live generation of the outer map, -ENOENT if the slot is empty, or -errno. */
int esw_fib_live(int outer_fd);
/* fd of a new, empty generation, or -errno. */
int esw_fib_create(const struct esw_fib_shape *shape);
/* Makes `inner_fd` the live generation. 0 or -errno. */
int esw_fib_install(int outer_fd, int inner_fd);

#endif
