/* SPDX-License-Identifier: Apache-2.0
 *
 * esw_probe: runs the tables of probes on a thread of its own, which unshares the network
 * namespace first; when the thread ends, so does the namespace with all that was made in it.
 */
#include "probe.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "bpf_log.h"
#include "batch.h"
#include "textbuf.h"

static const char *const words[] = { [ESW_NO] = "no", [ESW_YES] = "yes", [ESW_UNKNOWN] = "unknown" };

static void first_line(char *out, size_t size, const char *text)
{
	size_t len = strcspn(text, "\r\n");

	len = len < size - 1 ? len : size - 1;
	memcpy(out, text, len);
	out[len] = '\0';
}

enum esw_answer esw_probe_answer(struct esw_probe_env *env, int error, const char *text)
{
	env->reason[0] = '\0';
	if (!error)
		return ESW_YES;
	if (text && text[0])
		first_line(env->reason, sizeof(env->reason), text);
	else
		esw_text_copy(env->reason, sizeof(env->reason), strerror(-error));
	switch (error) {
	case -EPERM:
	case -EACCES:
	case -ENOMEM:
	case -ENOBUFS:
	case -EMFILE:
	case -ENFILE:
	case -EAGAIN:
	case -ETIMEDOUT:
		return ESW_UNKNOWN;
	default:
		return ESW_NO;
	}
}

static void run_table(struct esw_probe_env *env, const struct esw_probe_entry *table,
		      unsigned int count, struct esw_textbuf *text)
{
	for (unsigned int i = 0; i < count; i++) {
		enum esw_answer answer;

		env->reason[0] = '\0';
		if (table[i].needs_netns && env->netns_error) {
			esw_probe_answer(env, env->netns_error, NULL);
			answer = ESW_UNKNOWN;
		} else {
			answer = table[i].run(env);
		}
		esw_textbuf_add(text, "%s %s%s%s\n", table[i].name, words[answer],
				env->reason[0] ? " " : "", env->reason);
	}
}

static void *run(void *arg)
{
	struct esw_probe_env env = { .nl = { .fd = -1 } };
	struct esw_textbuf *text = arg;

	esw_bpf_log_to(NULL);
	env.netns_error = unshare(CLONE_NEWNET) < 0 ? -errno : 0;
	if (!env.netns_error)
		env.netns_error = esw_nl_open(&env.nl, "", NETLINK_ROUTE);
	esw_nl_txn_init(&env.txn, &env.nl);
	run_table(&env, esw_probes_bpf, esw_probes_bpf_count, text);
	run_table(&env, esw_probes_net, esw_probes_net_count, text);
	esw_nl_txn_free(&env.txn);
	esw_nl_close(&env.nl);
	return NULL;
}

int esw_probe(char *out, uint32_t cap)
{
	struct esw_textbuf text = { .out = out, .cap = cap };
	pthread_t thread;
	int err;

	if (cap && !out)
		return -EINVAL;
	err = pthread_create(&thread, NULL, run, &text);
	if (err)
		return -err;
	pthread_join(thread, NULL);
	return (int)text.len;
}
