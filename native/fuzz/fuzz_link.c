/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"
#include "link_parse.h"

static void check(const struct esw_link_view *view)
{
	const struct esw_link_rec *rec = &view->rec;

	if (!memchr(rec->name, 0, sizeof(rec->name)) || !memchr(rec->kind, 0, sizeof(rec->kind)) ||
	    !memchr(rec->altname, 0, sizeof(rec->altname)))
		abort();
}

static void parse(const struct nlmsghdr *nlh)
{
	struct esw_link_view view;

	if (esw_link_parse(nlh, "eswitchd.", ESW_ALTNAME_PREFIX, &view) == 0)
		check(&view);
	if (esw_link_parse(nlh, "eswitchd.ewr0", ESW_ALTNAME_EXACT, &view) == 0)
		check(&view);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	each_message(data, size, parse);
	return 0;
}
