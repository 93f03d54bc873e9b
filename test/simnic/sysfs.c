// SPDX-License-Identifier: GPL-2.0
/* The knobs: group "simnic" of the PF's device. */
#include "flower.h"
#include "simnic.h"

static const char *const simnic_quirk_names[SIMNIC_QUIRK_COUNT] = {
	"switchdev_needs_no_vfs", "switchdev_needs_vfs", "encap_mode_needs_no_flows", "no_switchdev",
	"no_inline_mode", "no_rates", "no_trap", "no_tunnel_ipv6", "exact_match_only", "mac_needs_rebind",
};

static const char *const simnic_counter_names[SIMNIC_COUNTERS] = {
	"hits", "misses", "drop_rule", "drop_police", "drop_rate", "drop_spoof", "drop_vlan", "drop_link",
	"drop_no_wire", "drop_no_function", "drop_no_target", "drop_mtu", "drop_malformed", "drop_no_memory",
	"drop_loop",
};

/* A knob that is one unsigned number. */
#define SIMNIC_NUMBER(_name)									\
static ssize_t _name##_show(struct device *dev, struct device_attribute *attr, char *buf)	\
{												\
	struct simnic *nic = dev_get_drvdata(dev);						\
												\
	return sysfs_emit(buf, "%u\n", READ_ONCE(nic->_name));					\
}												\
static ssize_t _name##_store(struct device *dev, struct device_attribute *attr,			\
			     const char *buf, size_t size)					\
{												\
	struct simnic *nic = dev_get_drvdata(dev);						\
	u32 value;										\
	int err = kstrtou32(buf, 0, &value);							\
												\
	if (!err)										\
		WRITE_ONCE(nic->_name, value);							\
	return err ?: size;									\
}												\
static DEVICE_ATTR_RW(_name)

SIMNIC_NUMBER(table_size);
SIMNIC_NUMBER(chain_max);
SIMNIC_NUMBER(prio_max);
SIMNIC_NUMBER(actions_max);
SIMNIC_NUMBER(encap_max);
SIMNIC_NUMBER(stats_every_ms);
SIMNIC_NUMBER(delay_us);
SIMNIC_NUMBER(reset_ms);

static ssize_t keys_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct simnic *nic = dev_get_drvdata(dev);

	return simnic_names_show(nic->keys, simnic_key_names, simnic_key_count, buf);
}

static ssize_t keys_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t size)
{
	struct simnic *nic = dev_get_drvdata(dev);

	return simnic_names_store(&nic->keys, simnic_key_names, simnic_key_count, buf) ?: size;
}
static DEVICE_ATTR_RW(keys);

static ssize_t actions_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct simnic *nic = dev_get_drvdata(dev);

	return simnic_names_show(nic->actions, simnic_action_names, simnic_action_count, buf);
}

static ssize_t actions_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t size)
{
	struct simnic *nic = dev_get_drvdata(dev);

	return simnic_names_store(&nic->actions, simnic_action_names, simnic_action_count, buf) ?: size;
}
static DEVICE_ATTR_RW(actions);

static ssize_t quirks_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct simnic *nic = dev_get_drvdata(dev);

	return simnic_names_show(nic->quirks, simnic_quirk_names, SIMNIC_QUIRK_COUNT, buf);
}

static ssize_t quirks_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t size)
{
	struct simnic *nic = dev_get_drvdata(dev);
	u64 quirks = nic->quirks;
	int err = simnic_names_store(&quirks, simnic_quirk_names, SIMNIC_QUIRK_COUNT, buf);

	if (!err)
		WRITE_ONCE(nic->quirks, (unsigned long)quirks);
	return err ?: size;
}
static DEVICE_ATTR_RW(quirks);

static ssize_t inject_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct simnic *nic = dev_get_drvdata(dev);
	ssize_t len = 0;
	int op;

	for (op = 0; op < SIMNIC_OP_COUNT; op++)
		len += sysfs_emit_at(buf, len, "%s %d %d\n", simnic_op_names[op], -nic->faults[op].error,
				     nic->faults[op].left);
	return len;
}

/* "<op> <errno> <count>": the next `count` operations fail with that error. */
static ssize_t inject_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t size)
{
	struct simnic *nic = dev_get_drvdata(dev);
	int error, left, op;
	char name[8];

	if (sscanf(buf, "%7s %d %d", name, &error, &left) != 3)
		return -EINVAL;
	op = match_string(simnic_op_names, SIMNIC_OP_COUNT, name);
	if (op < 0 || error <= 0 || error > MAX_ERRNO || left < 0)
		return -EINVAL;
	spin_lock(&nic->fault_lock);
	nic->faults[op].error = -error;
	WRITE_ONCE(nic->faults[op].left, left);
	spin_unlock(&nic->fault_lock);
	return size;
}
static DEVICE_ATTR_RW(inject);

static ssize_t evict_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t size)
{
	u32 count;
	int err = kstrtou32(buf, 0, &count);

	if (!err)
		simnic_table_evict(dev_get_drvdata(dev), count);
	return err ?: size;
}
static DEVICE_ATTR_WO(evict);

static ssize_t evict_every_ms_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct simnic *nic = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", nic->evict_every_ms);
}

static ssize_t evict_every_ms_store(struct device *dev, struct device_attribute *attr, const char *buf,
				    size_t size)
{
	u32 every_ms;
	int err = kstrtou32(buf, 0, &every_ms);

	if (!err)
		simnic_evict_schedule(dev_get_drvdata(dev), every_ms);
	return err ?: size;
}
static DEVICE_ATTR_RW(evict_every_ms);

static ssize_t reset_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t size)
{
	struct simnic *nic = dev_get_drvdata(dev);
	u32 value;
	int err = kstrtou32(buf, 0, &value);

	if (!err && value != 1)
		err = -EINVAL;
	if (!err)
		queue_work(simnic_wq, &nic->reset_work);
	return err ?: size;
}
static DEVICE_ATTR_WO(reset);

static ssize_t wire_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return simnic_wire_show(dev_get_drvdata(dev), buf);
}

static ssize_t wire_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t size)
{
	char name[64];
	int err;

	if (size >= sizeof(name))
		return -EINVAL;
	strscpy(name, buf, sizeof(name));
	err = simnic_wire_set(dev_get_drvdata(dev), strim(name));
	return err ?: size;
}
static DEVICE_ATTR_RW(wire);

/* One "name value" a line. */
static ssize_t stats_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct simnic *nic = dev_get_drvdata(dev);
	ssize_t len = sysfs_emit(buf, "rules %u\n", READ_ONCE(nic->flow_count));
	int i;

	for (i = 0; i < SIMNIC_COUNTERS; i++)
		len += sysfs_emit_at(buf, len, "%s %lld\n", simnic_counter_names[i],
				     atomic64_read(&nic->counters[i]));
	return len;
}
static DEVICE_ATTR_RO(stats);

static struct attribute *simnic_attrs[] = {
	&dev_attr_table_size.attr,
	&dev_attr_chain_max.attr,
	&dev_attr_prio_max.attr,
	&dev_attr_actions_max.attr,
	&dev_attr_encap_max.attr,
	&dev_attr_stats_every_ms.attr,
	&dev_attr_keys.attr,
	&dev_attr_actions.attr,
	&dev_attr_quirks.attr,
	&dev_attr_inject.attr,
	&dev_attr_delay_us.attr,
	&dev_attr_evict.attr,
	&dev_attr_evict_every_ms.attr,
	&dev_attr_reset.attr,
	&dev_attr_reset_ms.attr,
	&dev_attr_wire.attr,
	&dev_attr_stats.attr,
	NULL,
};

const struct attribute_group simnic_sysfs_group = {
	.name = "simnic",
	.attrs = simnic_attrs,
};
