/* SPDX-License-Identifier: Apache-2.0 */
#include "event.h"
#include "input.h"
#include "rt_parse.h"
#include "tc.h"

static void parse(const struct nlmsghdr *nlh)
{
	struct esw_addr_rec addr;
	struct esw_route_rec route;
	struct esw_neigh_rec neigh;
	struct esw_event event;
	struct esw_tc_filter filter;
	struct esw_tc_qdisc qdisc;

	/* Each on every message: a kernel may answer with any type. */
	(void)esw_addr_parse(nlh, &addr);
	(void)esw_route_parse(nlh, &route);
	(void)esw_neigh_parse(nlh, &neigh);
	(void)esw_tc_parse_qdisc(nlh, &qdisc);
	if (esw_event_parse(nlh, &event) && !memchr(event.name, 0, sizeof(event.name)))
		abort();
	if (esw_tc_parse_filter(nlh, &filter) == 0 && !memchr(filter.name, 0, sizeof(filter.name)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	each_message(data, size, parse);
	return 0;
}
