/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <nftables/libnftables.h>
#include <pthread.h>
#include <sys/stat.h>

#include "textbuf.h"
#include "api.h"

/* libnftables keeps parser and lookup tables of its own in static memory. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Kept from call to call: closing the socket after a deletion waits for an RCU grace period
 * (nft_rcv_nl_event flushes the destroy work), 10 to 20 ms. The socket belongs to the network
 * namespace it was opened in, so a caller from another one gets a new context. */
static struct nft_ctx *kept;
static struct stat kept_netns;

static struct nft_ctx *context(void)
{
	struct stat netns;

	if (stat("/proc/thread-self/ns/net", &netns) < 0)
		netns = (struct stat){ 0 };
	if (kept && (netns.st_ino != kept_netns.st_ino || netns.st_dev != kept_netns.st_dev ||
		     !netns.st_ino)) {
		nft_ctx_free(kept);
		kept = NULL;
	}
	if (!kept)
		kept = nft_ctx_new(NFT_CTX_DEFAULT);
	kept_netns = netns;
	return kept;
}

static int run(const char *commands, uint32_t json, struct esw_textbuf *text)
{
	struct nft_ctx *ctx = context();
	const char *part;
	int ret;

	if (!ctx)
		return -ENOMEM;
	nft_ctx_output_set_flags(ctx, json ? NFT_CTX_OUTPUT_JSON : 0);
	/* Empties the buffers where they exist already. */
	if (nft_ctx_buffer_output(ctx) || nft_ctx_buffer_error(ctx))
		return -ENOMEM;
	ret = nft_run_cmd_from_buffer(ctx, commands);
	part = nft_ctx_get_output_buffer(ctx);
	esw_textbuf_add(text, "%s", part ? part : "");
	part = nft_ctx_get_error_buffer(ctx);
	esw_textbuf_add(text, "%s", part ? part : "");
	return ret ? -EIO : 0;
}

int esw_nft_run(const char *commands, uint32_t json, char *out, uint32_t cap)
{
	struct esw_textbuf text = { .out = out, .cap = cap };
	int ret;

	if (!commands || (cap && !out))
		return -EINVAL;
	if (cap)
		out[0] = '\0';
	pthread_mutex_lock(&lock);
	ret = run(commands, json, &text);
	pthread_mutex_unlock(&lock);
	return ret;
}
