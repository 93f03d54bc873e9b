/* SPDX-License-Identifier: Apache-2.0
 *
 * Text into a caller's buffer of fixed size: cut when full, terminated when there is any room.
 */
#ifndef ESW_TEXTBUF_H
#define ESW_TEXTBUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct esw_textbuf {
	char *out;    /* may be NULL when cap is 0 */
	uint32_t cap; /* bytes, terminator included */
	size_t len;   /* what all the text needs, without the terminator */
};

void esw_textbuf_add(struct esw_textbuf *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void esw_textbuf_vadd(struct esw_textbuf *text, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

#endif
