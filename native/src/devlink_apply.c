/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/devlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "batch.h"
#include "devlink_apply.h"
#include "genl.h"

/* A mode change with many VFs takes tens of seconds on real NICs, a flash minutes. */
#define PATIENCE_S 300
#define FLASH_PATIENCE_S 1800

const char *esw_devlink_check(const struct esw_devlink_op *op)
{
	if (!ESW_FIELD_OK(op->bus) || !ESW_FIELD_OK(op->dev) || !ESW_FIELD_OK(op->name) ||
	    !ESW_FIELD_OK(op->text))
		return "a string is not terminated";
	if (!op->bus[0] || !op->dev[0])
		return "the instance has no name";
	switch (op->verb) {
	case ESW_DEVLINK_MODE:
	case ESW_DEVLINK_ENCAP:
	case ESW_DEVLINK_FUNCTION_STATE:
		return op->value <= 1 ? NULL : "the value is neither 0 nor 1";
	case ESW_DEVLINK_INLINE:
		return op->value <= DEVLINK_ESWITCH_INLINE_MODE_TRANSPORT ? NULL :
									    "unknown inline mode";
	case ESW_DEVLINK_FUNCTION_MAC:
		return NULL;
	case ESW_DEVLINK_RATE_DELETE:
		return op->name[0] ? NULL : "the rate node has no name";
	case ESW_DEVLINK_FLASH:
		return op->text[0] ? NULL : "the file has no name";
	case ESW_DEVLINK_RELOAD:
		return op->value == 1 || op->value == 2 ? NULL : "unknown reload action";
	case ESW_DEVLINK_PARAM:
		if (!op->name[0] || op->cmode > DEVLINK_PARAM_CMODE_MAX)
			return "the parameter has no name or an unknown mode";
		return op->type && op->type <= ESW_PARAM_BOOL && op->type != 4 ?
			       NULL : "unknown parameter type";
	default:
		return "unknown verb";
	}
}

static uint8_t command_of(uint32_t verb)
{
	switch (verb) {
	case ESW_DEVLINK_FUNCTION_MAC:
	case ESW_DEVLINK_FUNCTION_STATE:
		return DEVLINK_CMD_PORT_SET;
	case ESW_DEVLINK_RATE_DELETE:
		return DEVLINK_CMD_RATE_DEL;
	case ESW_DEVLINK_PARAM:
		return DEVLINK_CMD_PARAM_SET;
	case ESW_DEVLINK_FLASH:
		return DEVLINK_CMD_FLASH_UPDATE;
	case ESW_DEVLINK_RELOAD:
		return DEVLINK_CMD_RELOAD;
	default:
		return DEVLINK_CMD_ESWITCH_SET;
	}
}

static void put_function(struct nlmsghdr *nlh, const struct esw_devlink_op *op)
{
	struct nlattr *nest;

	mnl_attr_put_u32(nlh, DEVLINK_ATTR_PORT_INDEX, op->port_index);
	nest = mnl_attr_nest_start(nlh, DEVLINK_ATTR_PORT_FUNCTION);
	if (op->verb == ESW_DEVLINK_FUNCTION_MAC)
		mnl_attr_put(nlh, DEVLINK_PORT_FUNCTION_ATTR_HW_ADDR, sizeof(op->mac), op->mac);
	else
		mnl_attr_put_u8(nlh, DEVLINK_PORT_FN_ATTR_STATE, op->value);
	mnl_attr_nest_end(nlh, nest);
}

static void put_param(struct nlmsghdr *nlh, const struct esw_devlink_op *op)
{
	mnl_attr_put_strz(nlh, DEVLINK_ATTR_PARAM_NAME, op->name);
	mnl_attr_put_u8(nlh, DEVLINK_ATTR_PARAM_TYPE, op->type);
	mnl_attr_put_u8(nlh, DEVLINK_ATTR_PARAM_VALUE_CMODE, op->cmode);
	switch (op->type) {
	case ESW_PARAM_U8:
		mnl_attr_put_u8(nlh, DEVLINK_ATTR_PARAM_VALUE_DATA, (uint8_t)op->number);
		break;
	case ESW_PARAM_U16:
		mnl_attr_put_u16(nlh, DEVLINK_ATTR_PARAM_VALUE_DATA, (uint16_t)op->number);
		break;
	case ESW_PARAM_U32:
		mnl_attr_put_u32(nlh, DEVLINK_ATTR_PARAM_VALUE_DATA, (uint32_t)op->number);
		break;
	case ESW_PARAM_STRING:
		mnl_attr_put_strz(nlh, DEVLINK_ATTR_PARAM_VALUE_DATA, op->text);
		break;
	default:
		if (op->number)
			mnl_attr_put(nlh, DEVLINK_ATTR_PARAM_VALUE_DATA, 0, NULL);
		break;
	}
}

static void build(struct nlmsghdr *nlh, const struct esw_devlink_op *op)
{
	mnl_attr_put_strz(nlh, DEVLINK_ATTR_BUS_NAME, op->bus);
	mnl_attr_put_strz(nlh, DEVLINK_ATTR_DEV_NAME, op->dev);
	switch (op->verb) {
	case ESW_DEVLINK_MODE:
		mnl_attr_put_u16(nlh, DEVLINK_ATTR_ESWITCH_MODE, op->value);
		break;
	case ESW_DEVLINK_INLINE:
		mnl_attr_put_u8(nlh, DEVLINK_ATTR_ESWITCH_INLINE_MODE, op->value);
		break;
	case ESW_DEVLINK_ENCAP:
		mnl_attr_put_u8(nlh, DEVLINK_ATTR_ESWITCH_ENCAP_MODE, op->value);
		break;
	case ESW_DEVLINK_FUNCTION_MAC:
	case ESW_DEVLINK_FUNCTION_STATE:
		put_function(nlh, op);
		break;
	case ESW_DEVLINK_RATE_DELETE:
		mnl_attr_put_strz(nlh, DEVLINK_ATTR_RATE_NODE_NAME, op->name);
		break;
	case ESW_DEVLINK_PARAM:
		put_param(nlh, op);
		break;
	case ESW_DEVLINK_FLASH:
		mnl_attr_put_strz(nlh, DEVLINK_ATTR_FLASH_UPDATE_FILE_NAME, op->text);
		if (op->name[0])
			mnl_attr_put_strz(nlh, DEVLINK_ATTR_FLASH_UPDATE_COMPONENT, op->name);
		break;
	default:
		mnl_attr_put_u8(nlh, DEVLINK_ATTR_RELOAD_ACTION, op->value);
		break;
	}
}

static void run_one(struct esw_nl *nl, const struct esw_genl_family *family,
		    const struct esw_batch *batch, uint32_t index)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	char extack[ESW_EXTACK_LEN] = "";
	struct esw_devlink_op op;
	struct esw_nl_txn txn;
	const char *text;
	int err;

	esw_batch_record(batch, index, &op);
	text = esw_devlink_check(&op);
	if (text) {
		esw_batch_result(batch, index, -EINVAL, 0, text);
		return;
	}
	if (op.verb == ESW_DEVLINK_FLASH)
		patience.tv_sec = FLASH_PATIENCE_S;
	(void)setsockopt(nl->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	esw_nl_txn_init(&txn, nl);
	build(esw_genl_begin(&txn, family, command_of(op.verb)), &op);
	err = esw_nl_request(&txn, extack);
	esw_nl_txn_free(&txn);
	/* Deleting what is absent is success. */
	if (op.verb == ESW_DEVLINK_RATE_DELETE && err == -ENODEV)
		err = 0;
	esw_batch_result(batch, index, err, 0, err ? extack : NULL);
}

int esw_devlink_apply(const void *buf, uint32_t len, void *results, uint32_t cap)
{
	struct esw_genl_family family;
	struct esw_batch batch;
	struct esw_nl nl;
	int err = esw_batch_open(&batch, buf, len, sizeof(struct esw_devlink_op), results, cap);

	if (err || !batch.count)
		return err;
	err = esw_genl_open(&nl, DEVLINK_GENL_NAME, NULL, &family);
	if (err)
		return err;
	for (uint32_t i = 0; i < batch.count; i++)
		run_one(&nl, &family, &batch, i);
	esw_nl_close(&nl);
	return 0;
}
