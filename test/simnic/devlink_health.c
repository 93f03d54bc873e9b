// SPDX-License-Identifier: GPL-2.0
/* The health reporter "fw": a reset of the NIC is reported as fatal and recovered from. */
#include <linux/delay.h>

#include "simnic.h"

static int simnic_health_recover(struct devlink_health_reporter *reporter, void *context,
				 struct netlink_ext_ack *extack)
{
	struct simnic *nic = devlink_health_reporter_priv(reporter);

	msleep(nic->reset_ms);
	simnic_reset_end(nic);
	return 0;
}

static int simnic_health_dump(struct devlink_health_reporter *reporter, struct devlink_fmsg *fmsg,
			      void *context, struct netlink_ext_ack *extack)
{
	struct simnic *nic = devlink_health_reporter_priv(reporter);

	devlink_fmsg_string_pair_put(fmsg, "cause", context ?: "none");
	devlink_fmsg_u32_pair_put(fmsg, "flows", nic->flow_count);
	return 0;
}

static int simnic_health_diagnose(struct devlink_health_reporter *reporter, struct devlink_fmsg *fmsg,
				  struct netlink_ext_ack *extack)
{
	struct simnic *nic = devlink_health_reporter_priv(reporter);

	devlink_fmsg_bool_pair_put(fmsg, "resetting", nic->resetting);
	devlink_fmsg_string_pair_put(fmsg, "firmware", nic->fw_running);
	return 0;
}

static const struct devlink_health_reporter_ops simnic_health_ops = {
	.name = "fw",
	.recover = simnic_health_recover,
	.dump = simnic_health_dump,
	.diagnose = simnic_health_diagnose,
};

int simnic_health_register(struct simnic *nic)
{
	nic->reporter = devl_health_reporter_create(nic->devlink, &simnic_health_ops, 0, nic);
	return PTR_ERR_OR_ZERO(nic->reporter);
}

void simnic_health_unregister(struct simnic *nic)
{
	devl_health_reporter_destroy(nic->reporter);
}
