// SPDX-License-Identifier: GPL-2.0
/*
 * PCI front end: takes QEMU's igb functions as empty shells, so that SR-IOV, VF binding and vfio are the
 * kernel's own. Of the registers, only the PF's address is read.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/unaligned.h>

#include "simnic.h"

#define SIMNIC_PCI_PF	0x10c9
#define SIMNIC_PCI_VF	0x10ca
/* Receive address 0 of a PF: low four bytes, high two. */
#define SIMNIC_PCI_RAL	0x5400
#define SIMNIC_PCI_RAH	0x5404

static struct pci_driver simnic_pci_driver;

static struct simnic *simnic_pci_nic(struct pci_dev *pdev)
{
	return pci_iov_get_pf_drvdata(pdev, &simnic_pci_driver);
}

/* The address that QEMU gave the function, where an igb keeps it. */
static bool simnic_pci_mac(struct pci_dev *pdev, u8 *mac)
{
	void __iomem *registers = pci_iomap(pdev, 0, 0);

	if (!registers)
		return false;
	put_unaligned_le32(ioread32(registers + SIMNIC_PCI_RAL), mac);
	put_unaligned_le16(ioread32(registers + SIMNIC_PCI_RAH), mac + 4);
	pci_iounmap(pdev, registers);
	return is_valid_ether_addr(mac);
}

static int simnic_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct simnic *nic;
	u8 mac[ETH_ALEN];
	int err;

	err = pci_enable_device(pdev);
	if (err)
		return err;
	if (pdev->is_virtfn) {
		nic = simnic_pci_nic(pdev);
		err = IS_ERR_OR_NULL(nic) ? -ENODEV :
					    simnic_vf_attach(nic, pci_iov_vf_id(pdev), &pdev->dev);
	} else {
		nic = simnic_create(&pdev->dev, "simnic_pci", pci_sriov_get_totalvfs(pdev),
				    simnic_pci_mac(pdev, mac) ? mac : NULL);
		err = PTR_ERR_OR_ZERO(nic);
	}
	if (err)
		pci_disable_device(pdev);
	return err;
}

static int simnic_pci_sriov(struct pci_dev *pdev, int count)
{
	struct simnic *nic = pci_get_drvdata(pdev);
	int err;

	if (!count) {
		if (pci_vfs_assigned(pdev))
			return -EPERM;
		pci_disable_sriov(pdev);
		simnic_vfs_finish(nic);
		return 0;
	}
	err = simnic_vfs_prepare(nic, count);
	if (err)
		return err;
	/* Probes the VFs, which takes rtnl: no devlink lock is held here. */
	err = pci_enable_sriov(pdev, count);
	if (err) {
		simnic_vfs_finish(nic);
		return err;
	}
	return count;
}

static void simnic_pci_remove(struct pci_dev *pdev)
{
	if (pdev->is_virtfn) {
		simnic_vf_detach(simnic_pci_nic(pdev), pci_iov_vf_id(pdev));
	} else {
		struct simnic *nic = pci_get_drvdata(pdev);

		if (pci_num_vf(pdev)) {
			pci_disable_sriov(pdev);
			simnic_vfs_finish(nic);
		}
		simnic_destroy(nic);
	}
	pci_disable_device(pdev);
}

static const struct pci_device_id simnic_pci_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_INTEL, SIMNIC_PCI_PF) },
	{ PCI_DEVICE(PCI_VENDOR_ID_INTEL, SIMNIC_PCI_VF) },
	{ }
};

static struct pci_driver simnic_pci_driver = {
	.name = "simnic_pci",
	.id_table = simnic_pci_ids,
	.probe = simnic_pci_probe,
	.remove = simnic_pci_remove,
	.sriov_configure = simnic_pci_sriov,
};

int simnic_pci_init(void)
{
	return pci_register_driver(&simnic_pci_driver);
}

void simnic_pci_exit(void)
{
	pci_unregister_driver(&simnic_pci_driver);
}
