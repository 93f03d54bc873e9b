// SPDX-License-Identifier: GPL-2.0
/* Attributes of devices on the module's own bus: the names and rules of a PCI function's. */
#include <linux/slab.h>

#include "bus.h"

static ssize_t sriov_totalvfs_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", to_simnic_bus_dev(dev)->total_vfs);
}
static DEVICE_ATTR_RO(sriov_totalvfs);

static ssize_t sriov_numvfs_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	int count;

	device_lock(dev);
	count = to_simnic_bus_dev(dev)->num_vfs;
	device_unlock(dev);
	return sysfs_emit(buf, "%d\n", count);
}

static int simnic_bus_numvfs(struct simnic_bus_dev *pf, int count)
{
	if (count == pf->num_vfs)
		return 0;
	if (pf->dev.driver != &simnic_bus_pf_driver)
		return -ENOENT;
	if (count && pf->num_vfs) {
		dev_warn(&pf->dev, "%d VFs already enabled. Disable before enabling %d VFs\n", pf->num_vfs,
			 count);
		return -EBUSY;
	}
	return simnic_bus_set_vfs(pf, count);
}

static ssize_t sriov_numvfs_store(struct device *dev, struct device_attribute *attr, const char *buf,
				  size_t size)
{
	struct simnic_bus_dev *pf = to_simnic_bus_dev(dev);
	u16 count;
	int err;

	err = kstrtou16(buf, 0, &count);
	if (err)
		return err;
	if (count > pf->total_vfs)
		return -ERANGE;
	device_lock(dev);
	err = simnic_bus_numvfs(pf, count);
	device_unlock(dev);
	return err ?: size;
}
static DEVICE_ATTR_RW(sriov_numvfs);

static ssize_t sriov_drivers_autoprobe_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", to_simnic_bus_dev(dev)->autoprobe);
}

static ssize_t sriov_drivers_autoprobe_store(struct device *dev, struct device_attribute *attr,
					     const char *buf, size_t size)
{
	int err = kstrtobool(buf, &to_simnic_bus_dev(dev)->autoprobe);

	return err ?: size;
}
static DEVICE_ATTR_RW(sriov_drivers_autoprobe);

static ssize_t driver_override_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	ssize_t len;

	device_lock(dev);
	len = sysfs_emit(buf, "%s\n", to_simnic_bus_dev(dev)->driver_override);
	device_unlock(dev);
	return len;
}

static ssize_t driver_override_store(struct device *dev, struct device_attribute *attr, const char *buf,
				     size_t size)
{
	int err = driver_set_override(dev, &to_simnic_bus_dev(dev)->driver_override, buf, size);

	return err ?: size;
}
static DEVICE_ATTR_RW(driver_override);

static ssize_t vendor_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "0x%04x\n", to_simnic_bus_dev(dev)->vendor);
}
static DEVICE_ATTR_RO(vendor);

static ssize_t device_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "0x%04x\n", to_simnic_bus_dev(dev)->device);
}
static DEVICE_ATTR_RO(device);

static ssize_t class_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "0x020000\n");
}
static DEVICE_ATTR_RO(class);

static ssize_t reset_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t size)
{
	struct simnic_bus_dev *vf = to_simnic_bus_dev(dev);
	unsigned long value;
	int err;

	err = kstrtoul(buf, 0, &value);
	if (err || value != 1)
		return err ?: -EINVAL;
	err = simnic_vf_reset(dev_get_drvdata(&vf->pf->dev), vf->vf);
	return err ?: size;
}
static DEVICE_ATTR_WO(reset);

static struct attribute *simnic_bus_pf_attrs[] = {
	&dev_attr_sriov_totalvfs.attr,
	&dev_attr_sriov_numvfs.attr,
	&dev_attr_sriov_drivers_autoprobe.attr,
	&dev_attr_driver_override.attr,
	&dev_attr_vendor.attr,
	&dev_attr_device.attr,
	&dev_attr_class.attr,
	NULL,
};

static struct attribute *simnic_bus_vf_attrs[] = {
	&dev_attr_reset.attr,
	&dev_attr_driver_override.attr,
	&dev_attr_vendor.attr,
	&dev_attr_device.attr,
	&dev_attr_class.attr,
	NULL,
};

static const struct attribute_group simnic_bus_pf_group = { .attrs = simnic_bus_pf_attrs };
static const struct attribute_group simnic_bus_vf_group = { .attrs = simnic_bus_vf_attrs };

const struct attribute_group *simnic_bus_pf_groups[] = { &simnic_bus_pf_group, NULL };
const struct attribute_group *simnic_bus_vf_groups[] = { &simnic_bus_vf_group, NULL };
