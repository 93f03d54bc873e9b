/* SPDX-License-Identifier: Apache-2.0
 *
 * act_police keeps the burst as the time that it takes at the rate, in ticks of 64 ns.
 */
#include <libmnl/libmnl.h>
#include <linux/pkt_cls.h>
#include <string.h>

#include "flower.h"
#include "netlink.h"

#define NS_PER_S 1000000000ull
#define NS_PER_TICK 64ull
#define RTAB_BYTES 1024
#define CELL_LOG 3 /* any that the kernel takes: it computes from the rate, not from the table */
#define LINKLAYER_ETHERNET 1

static uint64_t ticks_of(uint64_t rate, uint32_t burst)
{
	uint64_t ns = (uint64_t)(((unsigned __int128)burst * NS_PER_S + rate / 2) / rate);

	return (ns + NS_PER_TICK / 2) / NS_PER_TICK;
}

static uint64_t bytes_of(uint64_t rate, uint32_t ticks)
{
	return (uint64_t)(((unsigned __int128)ticks * NS_PER_TICK * rate + NS_PER_S / 2) / NS_PER_S);
}

uint32_t esw_flower_police_burst(uint64_t rate, uint32_t burst)
{
	uint64_t ticks = rate ? ticks_of(rate, burst) : 0, bytes;

	if (!ticks || ticks > UINT32_MAX)
		return 0;
	bytes = bytes_of(rate, (uint32_t)ticks);
	return bytes > UINT32_MAX ? 0 : (uint32_t)bytes;
}

void esw_flower_put_police(struct nlmsghdr *nlh, const struct esw_flower_act *act)
{
	static const uint8_t rtab[RTAB_BYTES];
	struct tc_police parms = {
		.action = TC_ACT_SHOT,
		.burst = (uint32_t)ticks_of(act->rate, act->number),
		/* none: the default would drop what GRO has put together */
		.mtu = UINT32_MAX,
		.rate = {
			.rate = act->rate > UINT32_MAX ? UINT32_MAX : (uint32_t)act->rate,
			.cell_log = CELL_LOG, .linklayer = LINKLAYER_ETHERNET,
		},
	};

	mnl_attr_put(nlh, TCA_POLICE_TBF, sizeof(parms), &parms);
	mnl_attr_put(nlh, TCA_POLICE_RATE, sizeof(rtab), rtab);
	if (act->rate > UINT32_MAX)
		mnl_attr_put_u64(nlh, TCA_POLICE_RATE64, act->rate);
	mnl_attr_put_u32(nlh, TCA_POLICE_RESULT, TC_ACT_PIPE);
}

bool esw_flower_parse_police(const struct nlattr *options, struct esw_flower_act *act)
{
	uint32_t result = TC_ACT_OK;
	bool other = false, found = false;
	struct tc_police parms;
	const struct nlattr *attr;

	memset(&parms, 0, sizeof(parms));
	esw_nl_for_each_nested(attr, options) {
		switch (esw_nl_type(attr)) {
		case TCA_POLICE_TBF:
			found = esw_nl_bytes(attr, &parms, sizeof(parms));
			break;
		case TCA_POLICE_RATE64:
			esw_nl_bytes(attr, &act->rate, sizeof(act->rate));
			break;
		case TCA_POLICE_RESULT:
			esw_nl_u32(attr, &result);
			break;
		case TCA_POLICE_PEAKRATE64:
		case TCA_POLICE_AVRATE:
		case TCA_POLICE_PKTRATE64:
			other = true;
			break;
		default:
			break;
		}
	}
	if (!act->rate)
		act->rate = parms.rate.rate;
	act->number = (uint32_t)bytes_of(act->rate, parms.burst);
	return found && !other && act->rate && parms.action == TC_ACT_SHOT &&
	       result == TC_ACT_PIPE && parms.mtu == UINT32_MAX && !parms.peakrate.rate;
}
