/* SPDX-License-Identifier: Apache-2.0
 *
 * libbpf has one print callback for the whole process; ours writes to the sink of the calling
 * thread, so loads on several threads keep their texts apart.
 */
#ifndef ESW_BPF_LOG_H
#define ESW_BPF_LOG_H

#include "textbuf.h"

/* Sends the calling thread's libbpf warnings to `sink` from now on; NULL drops them. */
void esw_bpf_log_to(struct esw_textbuf *sink);

#endif
