/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages that give several records: information, parameters, resources.
 */
#include <libmnl/libmnl.h>
#include <linux/devlink.h>
#include <string.h>

#include "devlink_parse.h"
#include "genl.h"

/* Resources are nested; deeper than any driver does is not followed. */
#define DEPTH_MAX 8

static uint32_t info_kind(uint16_t type)
{
	switch (type) {
	case DEVLINK_ATTR_INFO_DRIVER_NAME:
		return ESW_INFO_DRIVER;
	case DEVLINK_ATTR_INFO_SERIAL_NUMBER:
		return ESW_INFO_SERIAL;
	case DEVLINK_ATTR_INFO_BOARD_SERIAL_NUMBER:
		return ESW_INFO_BOARD_SERIAL;
	case DEVLINK_ATTR_INFO_VERSION_FIXED:
		return ESW_INFO_FIXED;
	case DEVLINK_ATTR_INFO_VERSION_RUNNING:
		return ESW_INFO_RUNNING;
	case DEVLINK_ATTR_INFO_VERSION_STORED:
		return ESW_INFO_STORED;
	default:
		return 0;
	}
}

void esw_devlink_parse_info(const struct nlmsghdr *nlh, esw_devlink_add_fn add, void *ctx)
{
	struct esw_devlink_info info = { .kind = 0 };
	const struct nlattr *attr, *part;

	if (!esw_devlink_parse_handle(nlh, info.bus, info.dev))
		return;
	esw_genl_for_each_attr(attr, nlh) {
		memset(info.name, 0, sizeof(info.name));
		memset(info.value, 0, sizeof(info.value));
		info.kind = info_kind(mnl_attr_get_type(attr));
		if (!info.kind)
			continue;
		if (info.kind < ESW_INFO_FIXED) {
			esw_nl_text(attr, info.value, sizeof(info.value));
		} else {
			mnl_attr_for_each_nested(part, attr) {
				if (mnl_attr_get_type(part) == DEVLINK_ATTR_INFO_VERSION_NAME)
					esw_nl_text(part, info.name, sizeof(info.name));
				else if (mnl_attr_get_type(part) == DEVLINK_ATTR_INFO_VERSION_VALUE)
					esw_nl_text(part, info.value, sizeof(info.value));
			}
		}
		if (info.value[0])
			add(ctx, &info);
	}
}

/* The value of one configuration mode. A true flag is an attribute without bytes, a false one is no
 * attribute at all. */
static bool parse_value(const struct nlattr *list, struct esw_devlink_param *param)
{
	const struct nlattr *attr, *data = NULL;
	uint32_t u32 = 0;
	uint16_t u16 = 0;
	uint8_t u8 = 0;
	bool has_mode = false;

	param->number = 0;
	memset(param->text, 0, sizeof(param->text));
	mnl_attr_for_each_nested(attr, list) {
		if (mnl_attr_get_type(attr) == DEVLINK_ATTR_PARAM_VALUE_DATA)
			data = attr;
		else if (mnl_attr_get_type(attr) == DEVLINK_ATTR_PARAM_VALUE_CMODE)
			has_mode = esw_nl_u8(attr, &param->cmode);
	}
	if (!has_mode)
		return false;
	if (param->type == ESW_PARAM_BOOL) {
		param->number = data != NULL;
		return true;
	}
	if (!data)
		return false;
	switch (param->type) {
	case ESW_PARAM_U8:
		esw_nl_u8(data, &u8);
		param->number = u8;
		break;
	case ESW_PARAM_U16:
		esw_nl_u16(data, &u16);
		param->number = u16;
		break;
	case ESW_PARAM_U32:
		esw_nl_u32(data, &u32);
		param->number = u32;
		break;
	case ESW_PARAM_STRING:
		return esw_nl_text(data, param->text, sizeof(param->text));
	default:
		return false;
	}
	return true;
}

static void parse_param(const struct nlattr *list, struct esw_devlink_param *param,
			esw_devlink_add_fn add, void *ctx)
{
	const struct nlattr *attr, *value, *values = NULL;

	mnl_attr_for_each_nested(attr, list) {
		switch (mnl_attr_get_type(attr)) {
		case DEVLINK_ATTR_PARAM_NAME:
			esw_nl_text(attr, param->name, sizeof(param->name));
			break;
		case DEVLINK_ATTR_PARAM_TYPE:
			esw_nl_u8(attr, &param->type);
			break;
		case DEVLINK_ATTR_PARAM_GENERIC:
			param->generic = 1;
			break;
		case DEVLINK_ATTR_PARAM_VALUES_LIST:
			values = attr;
			break;
		default:
			break;
		}
	}
	if (!values || !param->name[0])
		return;
	mnl_attr_for_each_nested(value, values) {
		if (mnl_attr_get_type(value) == DEVLINK_ATTR_PARAM_VALUE && parse_value(value, param))
			add(ctx, param);
	}
}

void esw_devlink_parse_param(const struct nlmsghdr *nlh, esw_devlink_add_fn add, void *ctx)
{
	struct esw_devlink_param param = { .number = 0 };
	const struct nlattr *attr;

	if (!esw_devlink_parse_handle(nlh, param.bus, param.dev))
		return;
	esw_genl_for_each_attr(attr, nlh) {
		if (mnl_attr_get_type(attr) == DEVLINK_ATTR_PARAM)
			parse_param(attr, &param, add, ctx);
	}
}

static void parse_list(const struct nlattr *list, uint64_t parent, int depth, esw_devlink_add_fn add,
		       void *ctx);

static void parse_one(const struct nlattr *list, uint64_t parent, int depth, esw_devlink_add_fn add,
		      void *ctx)
{
	struct esw_devlink_resource resource = { .parent = parent };
	const struct nlattr *attr, *children = NULL;

	mnl_attr_for_each_nested(attr, list) {
		switch (mnl_attr_get_type(attr)) {
		case DEVLINK_ATTR_RESOURCE_NAME:
			esw_nl_text(attr, resource.name, sizeof(resource.name));
			break;
		case DEVLINK_ATTR_RESOURCE_ID:
			esw_nl_u64(attr, &resource.id);
			break;
		case DEVLINK_ATTR_RESOURCE_SIZE:
			esw_nl_u64(attr, &resource.size);
			break;
		case DEVLINK_ATTR_RESOURCE_OCC:
			resource.has_occupancy = esw_nl_u64(attr, &resource.occupancy);
			break;
		case DEVLINK_ATTR_RESOURCE_LIST:
			children = attr;
			break;
		default:
			break;
		}
	}
	if (resource.name[0])
		add(ctx, &resource);
	if (children)
		parse_list(children, resource.id, depth + 1, add, ctx);
}

static void parse_list(const struct nlattr *list, uint64_t parent, int depth, esw_devlink_add_fn add,
		       void *ctx)
{
	const struct nlattr *attr;

	if (depth >= DEPTH_MAX)
		return;
	mnl_attr_for_each_nested(attr, list) {
		if (mnl_attr_get_type(attr) == DEVLINK_ATTR_RESOURCE)
			parse_one(attr, parent, depth, add, ctx);
	}
}

void esw_devlink_parse_resource(const struct nlmsghdr *nlh, esw_devlink_add_fn add, void *ctx)
{
	const struct nlattr *attr;

	if (esw_genl_command(nlh) < 0)
		return;
	esw_genl_for_each_attr(attr, nlh) {
		if (mnl_attr_get_type(attr) == DEVLINK_ATTR_RESOURCE_LIST)
			parse_list(attr, 0, 0, add, ctx);
	}
}
