/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <nftables/libnftables.h>
#include <pthread.h>

#include "textbuf.h"
#include "api.h"

/* libnftables keeps parser and lookup tables of its own in static memory. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int run(const char *commands, uint32_t json, struct esw_textbuf *text)
{
	struct nft_ctx *ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	const char *part;
	int ret;

	if (!ctx)
		return -ENOMEM;
	if (json)
		nft_ctx_output_set_flags(ctx, NFT_CTX_OUTPUT_JSON);
	if (nft_ctx_buffer_output(ctx) || nft_ctx_buffer_error(ctx)) {
		nft_ctx_free(ctx);
		return -ENOMEM;
	}
	ret = nft_run_cmd_from_buffer(ctx, commands);
	part = nft_ctx_get_output_buffer(ctx);
	esw_textbuf_add(text, "%s", part ? part : "");
	part = nft_ctx_get_error_buffer(ctx);
	esw_textbuf_add(text, "%s", part ? part : "");
	nft_ctx_free(ctx);
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
