/* SPDX-License-Identifier: Apache-2.0 */
#include "textbuf.h"

#include <stdio.h>

void esw_textbuf_vadd(struct esw_textbuf *text, const char *format, va_list args)
{
	size_t room = text->out && text->len < text->cap ? text->cap - text->len : 0;
	int need = vsnprintf(room ? text->out + text->len : NULL, room, format, args);

	if (need > 0)
		text->len += (size_t)need;
}

void esw_textbuf_add(struct esw_textbuf *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	esw_textbuf_vadd(text, format, args);
	va_end(args);
}
