/* SPDX-License-Identifier: Apache-2.0 */
#include "bpf_log.h"

#include <bpf/libbpf.h>
#include <pthread.h>

static _Thread_local struct esw_textbuf *thread_sink;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int print(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN && thread_sink)
		esw_textbuf_vadd(thread_sink, format, args);
	return 0;
}

static void install(void)
{
	libbpf_set_print(print);
}

void esw_bpf_log_to(struct esw_textbuf *sink)
{
	pthread_once(&once, install);
	thread_sink = sink;
}
