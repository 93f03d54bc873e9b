/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESW_DEVLINK_APPLY_H
#define ESW_DEVLINK_APPLY_H

#include "api.h"

/* NULL, or a sentence that says what is wrong with a record. */
const char *esw_devlink_check(const struct esw_devlink_op *op);

#endif
