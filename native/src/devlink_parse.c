/* SPDX-License-Identifier: Apache-2.0 */
#include "devlink_parse.h"

#include <libmnl/libmnl.h>
#include <linux/devlink.h>
#include <string.h>

#include "genl.h"

bool esw_devlink_parse_handle(const struct nlmsghdr *nlh, char *bus, char *dev)
{
	const struct nlattr *attr;
	bool has_bus = false, has_dev = false;

	if (esw_genl_command(nlh) < 0)
		return false;
	esw_genl_for_each_attr(attr, nlh) {
		if (mnl_attr_get_type(attr) == DEVLINK_ATTR_BUS_NAME)
			has_bus = esw_nl_text(attr, bus, ESW_BUS_LEN);
		else if (mnl_attr_get_type(attr) == DEVLINK_ATTR_DEV_NAME)
			has_dev = esw_nl_text(attr, dev, ESW_DEV_LEN);
	}
	return has_bus && has_dev;
}

bool esw_devlink_parse_dev(const struct nlmsghdr *nlh, struct esw_devlink_rec *rec)
{
	const struct nlattr *attr;

	memset(rec, 0, sizeof(*rec));
	if (!esw_devlink_parse_handle(nlh, rec->bus, rec->dev))
		return false;
	esw_genl_for_each_attr(attr, nlh) {
		if (mnl_attr_get_type(attr) == DEVLINK_ATTR_RELOAD_FAILED)
			esw_nl_u8(attr, &rec->reload_failed);
	}
	return true;
}

void esw_devlink_parse_eswitch(const struct nlmsghdr *nlh, struct esw_devlink_rec *rec)
{
	const struct nlattr *attr;
	uint16_t mode;

	if (esw_genl_command(nlh) < 0)
		return;
	esw_genl_for_each_attr(attr, nlh) {
		switch (mnl_attr_get_type(attr)) {
		case DEVLINK_ATTR_ESWITCH_MODE:
			if (esw_nl_u16(attr, &mode)) {
				rec->mode = (uint8_t)mode;
				rec->has |= ESW_DEVLINK_HAS_MODE;
			}
			break;
		case DEVLINK_ATTR_ESWITCH_INLINE_MODE:
			if (esw_nl_u8(attr, &rec->inline_mode))
				rec->has |= ESW_DEVLINK_HAS_INLINE;
			break;
		case DEVLINK_ATTR_ESWITCH_ENCAP_MODE:
			if (esw_nl_u8(attr, &rec->encap))
				rec->has |= ESW_DEVLINK_HAS_ENCAP;
			break;
		default:
			break;
		}
	}
}

bool esw_devlink_parse_rate(const struct nlmsghdr *nlh, struct esw_devlink_rate *rate)
{
	const struct nlattr *attr;

	memset(rate, 0, sizeof(*rate));
	if (!esw_devlink_parse_handle(nlh, rate->bus, rate->dev))
		return false;
	esw_genl_for_each_attr(attr, nlh) {
		switch (mnl_attr_get_type(attr)) {
		case DEVLINK_ATTR_RATE_TYPE:
			esw_nl_u16(attr, &rate->type);
			break;
		case DEVLINK_ATTR_PORT_INDEX:
			esw_nl_u32(attr, &rate->port_index);
			break;
		case DEVLINK_ATTR_RATE_NODE_NAME:
			esw_nl_text(attr, rate->node, sizeof(rate->node));
			break;
		case DEVLINK_ATTR_RATE_PARENT_NODE_NAME:
			esw_nl_text(attr, rate->parent, sizeof(rate->parent));
			break;
		case DEVLINK_ATTR_RATE_TX_SHARE:
			esw_nl_u64(attr, &rate->tx_share);
			break;
		case DEVLINK_ATTR_RATE_TX_MAX:
			esw_nl_u64(attr, &rate->tx_max);
			break;
		default:
			break;
		}
	}
	return true;
}

static void parse_reporter(const struct nlattr *list, struct esw_devlink_health *health)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, list) {
		switch (mnl_attr_get_type(attr)) {
		case DEVLINK_ATTR_HEALTH_REPORTER_NAME:
			esw_nl_text(attr, health->name, sizeof(health->name));
			break;
		case DEVLINK_ATTR_HEALTH_REPORTER_STATE:
			esw_nl_u8(attr, &health->state);
			break;
		case DEVLINK_ATTR_HEALTH_REPORTER_ERR_COUNT:
			esw_nl_u64(attr, &health->errors);
			break;
		case DEVLINK_ATTR_HEALTH_REPORTER_RECOVER_COUNT:
			esw_nl_u64(attr, &health->recoveries);
			break;
		default:
			break;
		}
	}
}

bool esw_devlink_parse_health(const struct nlmsghdr *nlh, struct esw_devlink_health *health)
{
	const struct nlattr *attr;

	memset(health, 0, sizeof(*health));
	if (!esw_devlink_parse_handle(nlh, health->bus, health->dev))
		return false;
	esw_genl_for_each_attr(attr, nlh) {
		if (mnl_attr_get_type(attr) == DEVLINK_ATTR_HEALTH_REPORTER)
			parse_reporter(attr, health);
		else if (mnl_attr_get_type(attr) == DEVLINK_ATTR_PORT_INDEX)
			health->has_port = esw_nl_u32(attr, &health->port_index);
	}
	return health->name[0] != '\0';
}

bool esw_devlink_parse_event(const struct nlmsghdr *nlh, struct esw_devlink_event *event)
{
	memset(event, 0, sizeof(*event));
	if (!esw_devlink_parse_handle(nlh, event->bus, event->dev))
		return false;
	event->command = (uint32_t)esw_genl_command(nlh);
	/* A flash tells of its progress many times a second: nothing of the inventory changes by it. */
	return event->command != 0 && event->command != DEVLINK_CMD_FLASH_UPDATE_STATUS;
}
