// SPDX-License-Identifier: GPL-2.0
/* Module entry: the list of NICs and the order in which the parts come and go. */
#include <linux/module.h>
#include <linux/random.h>

#include "flower.h"
#include "simnic.h"

struct workqueue_struct *simnic_wq;
DEFINE_MUTEX(simnic_list_lock);
LIST_HEAD(simnic_list);

static bool pci;
module_param(pci, bool, 0444);
MODULE_PARM_DESC(pci, "Claim QEMU igb functions (8086:10c9, 8086:10ca) as virtual SmartNICs");

unsigned int simnic_seed;
module_param_named(seed, simnic_seed, uint, 0444);
MODULE_PARM_DESC(seed, "Makes MAC addresses the same every time; 0 (default): at random");

static int __init simnic_init(void)
{
	int err;

	/* Hosts on one network must differ. */
	while (!simnic_seed)
		simnic_seed = get_random_u32();

	simnic_wq = alloc_workqueue("simnic", WQ_UNBOUND, 0);
	if (!simnic_wq)
		return -ENOMEM;
	simnic_dissect_init();
	err = simnic_wire_init();
	if (err)
		goto free_wq;
	err = simnic_indirect_init();
	if (err)
		goto exit_wire;
	err = simnic_bus_init();
	if (err)
		goto exit_indirect;
	if (pci)
		err = simnic_pci_init();
	if (err)
		goto exit_bus;
	return 0;

exit_bus:
	simnic_bus_exit();
exit_indirect:
	simnic_indirect_exit();
exit_wire:
	simnic_wire_exit();
free_wq:
	destroy_workqueue(simnic_wq);
	return err;
}

static void __exit simnic_exit(void)
{
	if (pci)
		simnic_pci_exit();
	simnic_bus_exit();
	simnic_indirect_exit();
	simnic_wire_exit();
	/* Rules are freed by RCU callbacks that live in this module. */
	rcu_barrier();
	destroy_workqueue(simnic_wq);
}

module_init(simnic_init);
module_exit(simnic_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Virtual SmartNIC with SR-IOV, switchdev and flower offload");
