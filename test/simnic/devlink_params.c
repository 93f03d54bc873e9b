// SPDX-License-Identifier: GPL-2.0
/* devlink parameters, one of each configuration mode, and the resource "flows". */
#include "simnic.h"

#define SIMNIC_RESOURCE_FLOWS	1
#define SIMNIC_FLOWS_MAX	(1 << 20)
#define SIMNIC_MAX_MACS		128

enum {
	SIMNIC_PARAM_STEERING = DEVLINK_PARAM_GENERIC_ID_MAX + 1,
};

static int simnic_steering_get(struct devlink *devlink, u32 id, struct devlink_param_gset_ctx *ctx)
{
	struct simnic *nic = devlink_priv(devlink);

	strscpy(ctx->val.vstr, nic->steering, sizeof(ctx->val.vstr));
	return 0;
}

static int simnic_steering_set(struct devlink *devlink, u32 id, struct devlink_param_gset_ctx *ctx,
			       struct netlink_ext_ack *extack)
{
	struct simnic *nic = devlink_priv(devlink);

	strscpy(nic->steering, ctx->val.vstr, sizeof(nic->steering));
	return 0;
}

static int simnic_steering_validate(struct devlink *devlink, u32 id, union devlink_param_value value,
				    struct netlink_ext_ack *extack)
{
	struct simnic *nic = devlink_priv(devlink);

	if (strcmp(value.vstr, "dmfs") && strcmp(value.vstr, "smfs")) {
		NL_SET_ERR_MSG_MOD(extack, "Bad parameter: supported values are [\"dmfs\", \"smfs\"]");
		return -EINVAL;
	}
	if (simnic_is_switchdev(nic)) {
		NL_SET_ERR_MSG_MOD(extack, "the steering mode cannot change in switchdev mode");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int simnic_sriov_get(struct devlink *devlink, u32 id, struct devlink_param_gset_ctx *ctx)
{
	struct simnic *nic = devlink_priv(devlink);

	ctx->val.vbool = nic->sriov_enabled;
	return 0;
}

static int simnic_sriov_set(struct devlink *devlink, u32 id, struct devlink_param_gset_ctx *ctx,
			    struct netlink_ext_ack *extack)
{
	struct simnic *nic = devlink_priv(devlink);

	nic->sriov_enabled = ctx->val.vbool;
	return 0;
}

static int simnic_max_macs_validate(struct devlink *devlink, u32 id, union devlink_param_value value,
				    struct netlink_ext_ack *extack)
{
	if (value.vu32 >= 1 && value.vu32 <= SIMNIC_MAX_MACS)
		return 0;
	NL_SET_ERR_MSG_MOD(extack, "max_macs must be from 1 to 128");
	return -EINVAL;
}

static const struct devlink_param simnic_params[] = {
	DEVLINK_PARAM_DRIVER(SIMNIC_PARAM_STEERING, "flow_steering_mode", DEVLINK_PARAM_TYPE_STRING,
			     BIT(DEVLINK_PARAM_CMODE_RUNTIME), simnic_steering_get, simnic_steering_set,
			     simnic_steering_validate),
	DEVLINK_PARAM_GENERIC(ENABLE_SRIOV, BIT(DEVLINK_PARAM_CMODE_PERMANENT), simnic_sriov_get,
			      simnic_sriov_set, NULL),
	DEVLINK_PARAM_GENERIC(MAX_MACS, BIT(DEVLINK_PARAM_CMODE_DRIVERINIT), NULL, NULL,
			      simnic_max_macs_validate),
};

int simnic_params_register(struct simnic *nic)
{
	union devlink_param_value value = { .vu32 = SIMNIC_MAX_MACS };
	int err;

	err = devl_params_register(nic->devlink, simnic_params, ARRAY_SIZE(simnic_params));
	if (err)
		return err;
	nic->max_macs = SIMNIC_MAX_MACS;
	devl_param_driverinit_value_set(nic->devlink, DEVLINK_PARAM_GENERIC_ID_MAX_MACS, value);
	return 0;
}

void simnic_params_unregister(struct simnic *nic)
{
	devl_params_unregister(nic->devlink, simnic_params, ARRAY_SIZE(simnic_params));
}

void simnic_params_reload(struct simnic *nic)
{
	union devlink_param_value value;

	if (!devl_param_driverinit_value_get(nic->devlink, DEVLINK_PARAM_GENERIC_ID_MAX_MACS, &value))
		nic->max_macs = value.vu32;
}

static u64 simnic_flows_occupied(void *priv)
{
	struct simnic *nic = priv;

	return READ_ONCE(nic->flow_count);
}

int simnic_resources_register(struct simnic *nic)
{
	struct devlink_resource_size_params size;
	int err;

	devlink_resource_size_params_init(&size, 1, SIMNIC_FLOWS_MAX, 1, DEVLINK_RESOURCE_UNIT_ENTRY);
	err = devl_resource_register(nic->devlink, "flows", nic->table_size, SIMNIC_RESOURCE_FLOWS,
				     DEVLINK_RESOURCE_ID_PARENT_TOP, &size);
	if (err)
		return err;
	devl_resource_occ_get_register(nic->devlink, SIMNIC_RESOURCE_FLOWS, simnic_flows_occupied, nic);
	return 0;
}

/* `devlink resource set` takes effect here. */
void simnic_resources_reload(struct simnic *nic)
{
	u64 size;

	if (!devl_resource_size_get(nic->devlink, SIMNIC_RESOURCE_FLOWS, &size))
		WRITE_ONCE(nic->table_size, size);
}
