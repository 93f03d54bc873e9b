/* SPDX-License-Identifier: GPL-2.0 */
/* The module's own bus: PF devices made by hand, VF devices made by sriov_numvfs. */
#ifndef SIMNIC_BUS_H
#define SIMNIC_BUS_H

#include "simnic.h"

struct simnic_bus_dev {
	struct device dev;
	const char *driver_override;
	int id;
	/* Number of a VF, SIMNIC_UPLINK for a PF. */
	int vf;
	u16 vendor;
	u16 device;
	int total_vfs;
	/* Of a PF, under its device lock. */
	int num_vfs;
	bool autoprobe;
	struct simnic_bus_dev **vfs;
	/* Of a VF. */
	struct simnic_bus_dev *pf;
};

#define to_simnic_bus_dev(device) container_of(device, struct simnic_bus_dev, dev)

extern const struct bus_type simnic_bus;
extern struct device_driver simnic_bus_pf_driver;
extern const struct attribute_group *simnic_bus_pf_groups[];
extern const struct attribute_group *simnic_bus_vf_groups[];

/* Makes `count` VF devices, or removes all for 0; the PF's device lock is held. */
int simnic_bus_set_vfs(struct simnic_bus_dev *pf, int count);

#endif
