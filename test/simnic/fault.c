// SPDX-License-Identifier: GPL-2.0
/* What goes wrong on request: injected errors, delays, eviction and reset. */
#include <linux/delay.h>

#include "flower.h"
#include "simnic.h"

const char *const simnic_op_names[SIMNIC_OP_COUNT] = { "add", "del", "stats", "mode", "sriov" };

/* Takes the operation's delay and returns the error that is due, 0 for none. May sleep. */
int simnic_fault(struct simnic *nic, enum simnic_op op)
{
	struct simnic_fault *fault = &nic->faults[op];
	u32 delay_us = READ_ONCE(nic->delay_us);
	int err = 0;

	if (delay_us && op <= SIMNIC_OP_STATS)
		fsleep(delay_us);
	if (!READ_ONCE(fault->left))
		return 0;
	spin_lock(&nic->fault_lock);
	if (fault->left) {
		fault->left--;
		err = fault->error;
	}
	spin_unlock(&nic->fault_lock);
	return err;
}

/* Links drop and the table is empty from here on, until simnic_reset_end(). */
void simnic_reset_begin(struct simnic *nic)
{
	WRITE_ONCE(nic->resetting, true);
	simnic_links_update(nic);
	simnic_table_flush(nic);
}

void simnic_reset_end(struct simnic *nic)
{
	WRITE_ONCE(nic->resetting, false);
	simnic_links_update(nic);
}

static void simnic_reset_work(struct work_struct *work)
{
	struct simnic *nic = container_of(work, struct simnic, reset_work);

	simnic_reset_begin(nic);
	/* Recovers at once unless the administrator turned auto_recover off. */
	devlink_health_report(nic->reporter, "fatal: the firmware was reset", "reset");
}

static void simnic_evict_work(struct work_struct *work)
{
	struct simnic *nic = container_of(to_delayed_work(work), struct simnic, evict_work);
	u32 every_ms = READ_ONCE(nic->evict_every_ms);

	simnic_table_evict(nic, 1);
	if (every_ms)
		queue_delayed_work(simnic_wq, &nic->evict_work, msecs_to_jiffies(every_ms));
}

/* Evicts a rule every so often; 0 ends it. */
void simnic_evict_schedule(struct simnic *nic, u32 every_ms)
{
	WRITE_ONCE(nic->evict_every_ms, every_ms);
	if (every_ms)
		mod_delayed_work(simnic_wq, &nic->evict_work, msecs_to_jiffies(every_ms));
	else
		cancel_delayed_work_sync(&nic->evict_work);
}

void simnic_fault_init(struct simnic *nic)
{
	spin_lock_init(&nic->fault_lock);
	INIT_WORK(&nic->reset_work, simnic_reset_work);
	INIT_DELAYED_WORK(&nic->evict_work, simnic_evict_work);
}

void simnic_fault_exit(struct simnic *nic)
{
	simnic_evict_schedule(nic, 0);
	cancel_work_sync(&nic->reset_work);
}
