/* SPDX-License-Identifier: Apache-2.0
 *
 * The public ABI, exported. Everything else in the library has hidden visibility.
 */
#ifndef ESW_API_H
#define ESW_API_H

#pragma GCC visibility push(default)
#include "eswitch.h"
#pragma GCC visibility pop

#define ESW_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
