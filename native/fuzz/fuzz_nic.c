/* SPDX-License-Identifier: Apache-2.0 */
#include "devlink_parse.h"
#include "genl.h"
#include "input.h"
#include "nic_parse.h"

#define TERMINATED(field)                                                                         \
	do {                                                                                      \
		if (!memchr((field), 0, sizeof(field)))                                           \
			abort();                                                                  \
	} while (0)

static void got_info(void *ctx, const void *record)
{
	const struct esw_devlink_info *info = record;

	(void)ctx;
	TERMINATED(info->name);
	TERMINATED(info->value);
}

static void got_param(void *ctx, const void *record)
{
	const struct esw_devlink_param *param = record;

	(void)ctx;
	TERMINATED(param->name);
	TERMINATED(param->text);
}

static void got_resource(void *ctx, const void *record)
{
	const struct esw_devlink_resource *resource = record;

	(void)ctx;
	TERMINATED(resource->name);
}

static void got_vf(void *ctx, const struct esw_vf_rec *rec)
{
	(void)ctx;
	if (!(rec->has & ESW_VF_MAC))
		abort();
}

/* Each on every message: a kernel may answer with any type. */
static void parse(const struct nlmsghdr *nlh)
{
	struct esw_genl_family family;
	struct esw_devlink_rec rec;
	struct esw_devlink_port port;
	struct esw_devlink_rate rate;
	struct esw_devlink_health health;
	struct esw_devlink_event event;
	struct esw_nic_link link;
	struct esw_nic_event change;
	struct esw_offload_rec offload;

	(void)esw_genl_parse_family(nlh, "config", &family);
	if (esw_devlink_parse_dev(nlh, &rec)) {
		esw_devlink_parse_eswitch(nlh, &rec);
		TERMINATED(rec.bus);
		TERMINATED(rec.dev);
	}
	if (esw_devlink_parse_port(nlh, &port))
		TERMINATED(port.ifname);
	if (esw_devlink_parse_rate(nlh, &rate)) {
		TERMINATED(rate.node);
		TERMINATED(rate.parent);
	}
	if (esw_devlink_parse_health(nlh, &health))
		TERMINATED(health.name);
	if (esw_devlink_parse_event(nlh, &event))
		TERMINATED(event.dev);
	esw_devlink_parse_info(nlh, got_info, NULL);
	esw_devlink_parse_param(nlh, got_param, NULL);
	esw_devlink_parse_resource(nlh, got_resource, NULL);
	esw_vf_parse(nlh, got_vf, NULL);
	if (esw_nic_link_parse(nlh, &link)) {
		TERMINATED(link.name);
		TERMINATED(link.altnames);
		TERMINATED(link.parent_dev);
		if (link.switch_id_len > sizeof(link.switch_id))
			abort();
	}
	if (esw_nic_event_parse(nlh, &change))
		TERMINATED(change.parent_dev);
	(void)esw_offload_parse(nlh, &offload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	each_message(data, size, parse);
	return 0;
}
