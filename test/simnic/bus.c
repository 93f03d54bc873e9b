// SPDX-License-Identifier: GPL-2.0
/* The bus "simnic": devices, drivers and matching with the same rules as PCI. */
#include <linux/module.h>
#include <linux/slab.h>

#include "bus.h"

#define SIMNIC_VENDOR	0x51a1
#define SIMNIC_DEVICE	0x0001

static struct device *simnic_bus_root;
/* Serialises new_device and del_device. */
static DEFINE_MUTEX(simnic_bus_lock);

static void simnic_bus_release(struct device *dev)
{
	struct simnic_bus_dev *bus_dev = to_simnic_bus_dev(dev);

	kfree(bus_dev->driver_override);
	kfree(bus_dev->vfs);
	kfree(bus_dev);
}

static struct simnic_bus_dev *simnic_bus_alloc(int id, int vf)
{
	struct simnic_bus_dev *bus_dev = kzalloc(sizeof(*bus_dev), GFP_KERNEL);

	if (!bus_dev)
		return NULL;
	bus_dev->id = id;
	bus_dev->vf = vf;
	bus_dev->autoprobe = true;
	bus_dev->dev.bus = &simnic_bus;
	bus_dev->dev.parent = simnic_bus_root;
	bus_dev->dev.release = simnic_bus_release;
	bus_dev->dev.groups = vf < 0 ? simnic_bus_pf_groups : simnic_bus_vf_groups;
	device_initialize(&bus_dev->dev);
	return bus_dev;
}

static int simnic_bus_vf_add(struct simnic_bus_dev *pf, int vf)
{
	struct simnic_bus_dev *bus_dev = simnic_bus_alloc(pf->id, vf);
	char name[16];
	int err;

	if (!bus_dev)
		return -ENOMEM;
	bus_dev->pf = pf;
	bus_dev->vendor = pf->vendor;
	bus_dev->device = pf->device + 1;
	err = dev_set_name(&bus_dev->dev, "simnic%dvf%d", pf->id, vf);
	if (!err)
		err = device_add(&bus_dev->dev);
	if (err) {
		put_device(&bus_dev->dev);
		return err;
	}
	pf->vfs[vf] = bus_dev;
	snprintf(name, sizeof(name), "virtfn%d", vf);
	err = sysfs_create_link(&pf->dev.kobj, &bus_dev->dev.kobj, name);
	if (err)
		dev_warn(&pf->dev, "no link %s: %d\n", name, err);
	err = sysfs_create_link(&bus_dev->dev.kobj, &pf->dev.kobj, "physfn");
	if (err)
		dev_warn(&bus_dev->dev, "no link physfn: %d\n", err);
	return 0;
}

static void simnic_bus_vf_del(struct simnic_bus_dev *pf, int vf)
{
	struct simnic_bus_dev *bus_dev = pf->vfs[vf];
	char name[16];

	if (!bus_dev)
		return;
	snprintf(name, sizeof(name), "virtfn%d", vf);
	sysfs_remove_link(&pf->dev.kobj, name);
	sysfs_remove_link(&bus_dev->dev.kobj, "physfn");
	pf->vfs[vf] = NULL;
	device_unregister(&bus_dev->dev);
}

int simnic_bus_set_vfs(struct simnic_bus_dev *pf, int count)
{
	struct simnic *nic = dev_get_drvdata(&pf->dev);
	int err = 0, vf;

	if (count) {
		err = simnic_vfs_prepare(nic, count);
		if (err)
			return err;
		pf->num_vfs = count;
		for (vf = 0; vf < count && !err; vf++)
			err = simnic_bus_vf_add(pf, vf);
		if (!err) {
			kobject_uevent(&pf->dev.kobj, KOBJ_CHANGE);
			return 0;
		}
	}
	for (vf = pf->num_vfs - 1; vf >= 0; vf--)
		simnic_bus_vf_del(pf, vf);
	pf->num_vfs = 0;
	simnic_vfs_finish(nic);
	kobject_uevent(&pf->dev.kobj, KOBJ_CHANGE);
	return err;
}

static int simnic_bus_pf_probe(struct device *dev)
{
	return PTR_ERR_OR_ZERO(simnic_create(dev, "simnic", to_simnic_bus_dev(dev)->total_vfs,
					     NULL));
}

static int simnic_bus_pf_remove(struct device *dev)
{
	struct simnic_bus_dev *pf = to_simnic_bus_dev(dev);

	if (pf->num_vfs)
		simnic_bus_set_vfs(pf, 0);
	simnic_destroy(dev_get_drvdata(dev));
	return 0;
}

static int simnic_bus_vf_probe(struct device *dev)
{
	struct simnic_bus_dev *vf = to_simnic_bus_dev(dev);

	return simnic_vf_attach(dev_get_drvdata(&vf->pf->dev), vf->vf, dev);
}

static int simnic_bus_vf_remove(struct device *dev)
{
	struct simnic_bus_dev *vf = to_simnic_bus_dev(dev);

	simnic_vf_detach(dev_get_drvdata(&vf->pf->dev), vf->vf);
	return 0;
}

struct device_driver simnic_bus_pf_driver = {
	.name = "simnic",
	.bus = &simnic_bus,
	.owner = THIS_MODULE,
	.probe = simnic_bus_pf_probe,
	.remove = simnic_bus_pf_remove,
};

static struct device_driver simnic_bus_vf_driver = {
	.name = "simnic_vf",
	.bus = &simnic_bus,
	.owner = THIS_MODULE,
	.probe = simnic_bus_vf_probe,
	.remove = simnic_bus_vf_remove,
};

static int simnic_bus_stub_probe(struct device *dev)
{
	return 0;
}

/* Stands for a pass-through driver such as vfio-pci: takes a VF only by driver_override. */
static struct device_driver simnic_bus_stub_driver = {
	.name = "simnic_stub",
	.bus = &simnic_bus,
	.owner = THIS_MODULE,
	.probe = simnic_bus_stub_probe,
};

static int simnic_bus_match(struct device *dev, const struct device_driver *driver)
{
	const struct simnic_bus_dev *bus_dev = to_simnic_bus_dev(dev);

	if (bus_dev->driver_override)
		return !strcmp(bus_dev->driver_override, driver->name);
	if (bus_dev->vf < 0)
		return driver == &simnic_bus_pf_driver;
	return driver == &simnic_bus_vf_driver && bus_dev->pf->autoprobe;
}

static int simnic_bus_num_vf(struct device *dev)
{
	return to_simnic_bus_dev(dev)->num_vfs;
}

static ssize_t new_device_store(const struct bus_type *bus, const char *buf, size_t count)
{
	unsigned int vendor = SIMNIC_VENDOR, device = SIMNIC_DEVICE;
	struct simnic_bus_dev *pf;
	int id, total_vfs, err;

	err = sscanf(buf, "%d %d %x:%x", &id, &total_vfs, &vendor, &device);
	if (err != 2 && err != 4)
		return -EINVAL;
	if (id < 0 || total_vfs < 0 || total_vfs > SIMNIC_MAX_VFS || vendor > U16_MAX || device > U16_MAX)
		return -ERANGE;
	pf = simnic_bus_alloc(id, SIMNIC_UPLINK);
	if (!pf)
		return -ENOMEM;
	pf->total_vfs = total_vfs;
	pf->vendor = vendor;
	pf->device = device;
	pf->vfs = kcalloc(total_vfs + 1, sizeof(*pf->vfs), GFP_KERNEL);
	err = pf->vfs ? dev_set_name(&pf->dev, "simnic%d", id) : -ENOMEM;
	mutex_lock(&simnic_bus_lock);
	/* device_add() would log a trace for a name that is taken. */
	if (!err) {
		struct device *taken = bus_find_device_by_name(&simnic_bus, NULL, dev_name(&pf->dev));

		err = taken ? -EEXIST : device_add(&pf->dev);
		put_device(taken);
	}
	mutex_unlock(&simnic_bus_lock);
	if (err)
		put_device(&pf->dev);
	return err ?: count;
}
static BUS_ATTR_WO(new_device);

static ssize_t del_device_store(const struct bus_type *bus, const char *buf, size_t count)
{
	struct device *dev;
	char name[32];
	int id, err;

	err = kstrtoint(buf, 0, &id);
	if (err)
		return err;
	snprintf(name, sizeof(name), "simnic%d", id);
	mutex_lock(&simnic_bus_lock);
	dev = bus_find_device_by_name(&simnic_bus, NULL, name);
	if (dev) {
		device_unregister(dev);
		put_device(dev);
	}
	mutex_unlock(&simnic_bus_lock);
	return dev ? count : -ENOENT;
}
static BUS_ATTR_WO(del_device);

static struct attribute *simnic_bus_attrs[] = {
	&bus_attr_new_device.attr,
	&bus_attr_del_device.attr,
	NULL,
};
ATTRIBUTE_GROUPS(simnic_bus);

const struct bus_type simnic_bus = {
	.name = "simnic",
	.bus_groups = simnic_bus_groups,
	.match = simnic_bus_match,
	.num_vf = simnic_bus_num_vf,
};

static struct device_driver *const simnic_bus_drivers[] = {
	&simnic_bus_pf_driver, &simnic_bus_vf_driver, &simnic_bus_stub_driver,
};

int simnic_bus_init(void)
{
	int err, i;

	simnic_bus_root = root_device_register("simnic");
	if (IS_ERR(simnic_bus_root))
		return PTR_ERR(simnic_bus_root);
	err = bus_register(&simnic_bus);
	if (err)
		goto free_root;
	for (i = 0; i < ARRAY_SIZE(simnic_bus_drivers); i++) {
		err = driver_register(simnic_bus_drivers[i]);
		if (err)
			goto unregister;
	}
	return 0;

unregister:
	while (i-- > 0)
		driver_unregister(simnic_bus_drivers[i]);
	bus_unregister(&simnic_bus);
free_root:
	root_device_unregister(simnic_bus_root);
	return err;
}

static int simnic_bus_is_pf(struct device *dev, const void *data)
{
	return to_simnic_bus_dev(dev)->vf < 0;
}

void simnic_bus_exit(void)
{
	struct device *dev;
	int i;

	while ((dev = bus_find_device(&simnic_bus, NULL, NULL, simnic_bus_is_pf))) {
		device_unregister(dev);
		put_device(dev);
	}
	for (i = ARRAY_SIZE(simnic_bus_drivers) - 1; i >= 0; i--)
		driver_unregister(simnic_bus_drivers[i]);
	bus_unregister(&simnic_bus);
	root_device_unregister(simnic_bus_root);
}
