/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESW_VF_APPLY_H
#define ESW_VF_APPLY_H

#include "api.h"

/* NULL, or a sentence that says what is wrong with a record. */
const char *esw_vf_check(const struct esw_vf_op *op);

#endif
