/* SPDX-License-Identifier: GPL-2.0 */
/*
 * simnic: a virtual SmartNIC. One core (struct simnic and its ports) below two front ends: a bus of its
 * own (bus.c) and a PCI driver for QEMU's igb functions (pci.c).
 *
 * Locks, outermost first: devlink instance lock, rtnl, simnic_link_mutex, simnic.table_lock. The data path
 * takes none of them: it reads under RCU, with bottom halves off.
 */
#ifndef SIMNIC_H
#define SIMNIC_H

#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/etherdevice.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/rhashtable.h>
#include <linux/rtnetlink.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/devlink.h>
#include <net/flow_offload.h>

#define SIMNIC_MAX_VFS		128
#define SIMNIC_UPLINK		(-1)
#define SIMNIC_TUNNEL		(-2)
#define SIMNIC_MAX_MTU		9600
#define SIMNIC_TABLE_SIZE	65536
#define SIMNIC_VERSION_LEN	32
#define SIMNIC_SERIAL_LEN	32

struct simnic;

/* Limits of real families that a test switches on by name (sysfs attribute "quirks"). */
enum simnic_quirk {
	SIMNIC_QUIRK_SWITCHDEV_NEEDS_NO_VFS,
	SIMNIC_QUIRK_SWITCHDEV_NEEDS_VFS,
	SIMNIC_QUIRK_ENCAP_MODE_NEEDS_NO_FLOWS,
	SIMNIC_QUIRK_NO_SWITCHDEV,
	SIMNIC_QUIRK_NO_INLINE_MODE,
	SIMNIC_QUIRK_NO_RATES,
	SIMNIC_QUIRK_NO_TRAP,
	SIMNIC_QUIRK_NO_TUNNEL_IPV6,
	SIMNIC_QUIRK_EXACT_MATCH_ONLY,
	SIMNIC_QUIRK_MAC_NEEDS_REBIND,
	SIMNIC_QUIRK_COUNT,
};

/* Operations that a test makes fail (sysfs attribute "inject"). */
enum simnic_op {
	SIMNIC_OP_ADD,
	SIMNIC_OP_DEL,
	SIMNIC_OP_STATS,
	SIMNIC_OP_MODE,
	SIMNIC_OP_SRIOV,
	SIMNIC_OP_COUNT,
};

enum simnic_counter {
	SIMNIC_HITS,
	SIMNIC_MISSES,
	SIMNIC_DROP_RULE,
	SIMNIC_DROP_POLICE,
	SIMNIC_DROP_RATE,
	SIMNIC_DROP_SPOOF,
	SIMNIC_DROP_VLAN,
	SIMNIC_DROP_LINK,
	SIMNIC_DROP_NO_WIRE,
	SIMNIC_DROP_NO_FUNCTION,
	SIMNIC_DROP_NO_TARGET,
	SIMNIC_DROP_MTU,
	SIMNIC_DROP_MALFORMED,
	SIMNIC_DROP_NO_MEMORY,
	SIMNIC_DROP_LOOP,
	SIMNIC_COUNTERS,
};

/* Token bucket in bytes; rate 0 lets everything pass. */
struct simnic_bucket {
	spinlock_t lock;
	u64 rate;
	u64 burst;
	u64 tokens;
	u64 last_ns;
};

/* What the PF's `ip link set … vf` and devlink's port functions configure. */
struct simnic_vf_config {
	u8 mac[ETH_ALEN];
	u16 vlan;
	u8 qos;
	__be16 vlan_proto;
	bool spoofchk;
	bool trusted;
	bool active;
	int link_state;
	u32 min_tx_rate;
	u32 max_tx_rate;
};

/*
 * One port of the embedded switch; lives as long as its NIC. `func` is the netdev at the function's side
 * (the PF's own for the uplink), `rep` the one that stands for the port in switchdev mode.
 */
struct simnic_port {
	struct simnic *nic;
	int vf;
	struct net_device __rcu *func;
	struct net_device __rcu *rep;
	struct devlink_port dl_port;
	bool dl_registered;
	/* Whether frames pass; kept by simnic_links_update(). */
	bool link;
	struct simnic_vf_config config;
	struct simnic_bucket tx_limit;
	struct simnic_bucket *rate_parent;
	struct rhashtable groups;
	struct xarray chains;
};

struct simnic_fault {
	int error;
	int left;
};

struct simnic {
	struct list_head node;
	struct device *dev;
	struct devlink *devlink;
	const char *driver;
	char serial[SIMNIC_SERIAL_LEN];
	char fw_running[SIMNIC_VERSION_LEN];
	char fw_stored[SIMNIC_VERSION_LEN];
	u8 mac[ETH_ALEN];
	/* Addresses of the VFs but for the last byte. */
	u8 vf_mac[ETH_ALEN];
	int total_vfs;
	int num_vfs;

	u16 eswitch_mode;
	u8 inline_mode;
	enum devlink_eswitch_encap_mode encap_mode;
	char steering[16];
	bool sriov_enabled;
	u32 max_macs;

	struct simnic_port uplink;
	struct simnic_port tunnel;
	struct simnic_port *vfs;

	/* Flow table; all of it under table_lock, read by the data path under RCU. */
	struct mutex table_lock;
	struct rhltable flows;
	struct list_head flow_list;
	struct list_head encaps;
	struct delayed_work encap_work;
	u32 flow_count;
	u32 table_size;
	u32 tunnel_flows;
	/* Highest number that a rule may have, 0 for any. */
	u32 chain_max;
	u32 prio_max;
	u32 actions_max;
	u32 encap_max;
	u32 encap_count;
	/* How often hardware's counters are read, 0 for every time. */
	u32 stats_every_ms;
	u64 keys;
	u64 actions;
	unsigned long quirks;

	struct simnic_fault faults[SIMNIC_OP_COUNT];
	spinlock_t fault_lock;
	u32 delay_us;
	u32 evict_every_ms;
	struct delayed_work evict_work;
	u32 reset_ms;
	bool resetting;
	struct work_struct reset_work;
	struct devlink_health_reporter *reporter;

	struct simnic __rcu *wire_peer;
	struct net_device __rcu *wire_dev;
	netdevice_tracker wire_tracker;

	atomic64_t counters[SIMNIC_COUNTERS];
};

static inline void simnic_count(struct simnic *nic, enum simnic_counter counter)
{
	atomic64_inc(&nic->counters[counter]);
}

static inline void simnic_drop(struct simnic *nic, struct sk_buff *skb, enum simnic_counter reason)
{
	simnic_count(nic, reason);
	kfree_skb(skb);
}

static inline bool simnic_has_quirk(const struct simnic *nic, enum simnic_quirk quirk)
{
	return test_bit(quirk, &nic->quirks);
}

static inline bool simnic_is_switchdev(const struct simnic *nic)
{
	return READ_ONCE(nic->eswitch_mode) == DEVLINK_ESWITCH_MODE_SWITCHDEV;
}

/* main.c: the list of NICs */
extern struct workqueue_struct *simnic_wq;
extern struct mutex simnic_list_lock;
extern struct list_head simnic_list;
extern unsigned int simnic_seed;

/* nic.c */
struct simnic *simnic_create(struct device *dev, const char *driver, int total_vfs, const u8 *mac);
void simnic_destroy(struct simnic *nic);
int simnic_uplink_create(struct simnic *nic);
void simnic_uplink_destroy(struct simnic *nic);

/* vf.c: the front ends call prepare before VF devices appear and finish once they are gone */
int simnic_vfs_prepare(struct simnic *nic, int count);
void simnic_vfs_finish(struct simnic *nic);
struct simnic_port *simnic_vf_port(struct simnic *nic, int vf);
int simnic_vf_attach(struct simnic *nic, int vf, struct device *dev);
void simnic_vf_detach(struct simnic *nic, int vf);
int simnic_vf_reset(struct simnic *nic, int vf);

/* port.c */
extern struct mutex simnic_link_mutex;
int simnic_port_init(struct simnic_port *port, struct simnic *nic, int vf);
void simnic_port_exit(struct simnic_port *port);
void simnic_links_update(struct simnic *nic);
void simnic_deliver(struct simnic_port *port, struct sk_buff *skb);
void simnic_slow_path(struct simnic_port *port, struct sk_buff *skb);

/* netdev_*.c, ethtool.c */
extern const struct ethtool_ops simnic_ethtool_ops;
void simnic_netdev_setup(struct net_device *dev, struct simnic *nic);
struct net_device *simnic_pf_netdev_create(struct simnic *nic);
struct net_device *simnic_vf_netdev_create(struct simnic_port *port, struct device *dev);
struct net_device *simnic_rep_netdev_create(struct simnic_port *port);
void simnic_netdev_destroy(struct net_device *dev);
struct simnic_port *simnic_pf_port(const struct net_device *dev);
struct simnic_port *simnic_rep_port(const struct net_device *dev);
struct simnic_port *simnic_func_port(const struct net_device *dev);
int simnic_change_mtu(struct net_device *dev, int mtu);

/* netdev_vf_config.c */
int simnic_set_vf_mac(struct net_device *dev, int vf, u8 *mac);
int simnic_set_vf_vlan(struct net_device *dev, int vf, u16 vlan, u8 qos, __be16 proto);
int simnic_set_vf_rate(struct net_device *dev, int vf, int min_rate, int max_rate);
int simnic_set_vf_spoofchk(struct net_device *dev, int vf, bool on);
int simnic_set_vf_trust(struct net_device *dev, int vf, bool on);
int simnic_set_vf_link_state(struct net_device *dev, int vf, int state);
int simnic_get_vf_config(struct net_device *dev, int vf, struct ifla_vf_info *info);
int simnic_port_set_mac(struct simnic_port *port, const u8 *mac);

/* devlink_*.c */
extern const struct devlink_ops simnic_devlink_ops;
int simnic_eswitch_mode_get(struct devlink *devlink, u16 *mode);
int simnic_eswitch_mode_set(struct devlink *devlink, u16 mode, struct netlink_ext_ack *extack);
int simnic_eswitch_inline_get(struct devlink *devlink, u8 *mode);
int simnic_eswitch_inline_set(struct devlink *devlink, u8 mode, struct netlink_ext_ack *extack);
int simnic_eswitch_encap_get(struct devlink *devlink, enum devlink_eswitch_encap_mode *mode);
int simnic_eswitch_encap_set(struct devlink *devlink, enum devlink_eswitch_encap_mode mode,
			     struct netlink_ext_ack *extack);
void simnic_switchdev_leave(struct simnic *nic);
int simnic_rep_add(struct simnic_port *port);
void simnic_rep_del(struct simnic_port *port);
int simnic_dl_port_register(struct simnic_port *port);
void simnic_dl_port_unregister(struct simnic_port *port);
void simnic_switch_id_update(struct simnic *nic);
int simnic_rate_leaf_share(struct devlink_rate *rate, void *priv, u64 value, struct netlink_ext_ack *extack);
int simnic_rate_leaf_max(struct devlink_rate *rate, void *priv, u64 value, struct netlink_ext_ack *extack);
int simnic_rate_node_share(struct devlink_rate *rate, void *priv, u64 value, struct netlink_ext_ack *extack);
int simnic_rate_node_max(struct devlink_rate *rate, void *priv, u64 value, struct netlink_ext_ack *extack);
int simnic_rate_node_new(struct devlink_rate *node, void **priv, struct netlink_ext_ack *extack);
int simnic_rate_node_del(struct devlink_rate *node, void *priv, struct netlink_ext_ack *extack);
int simnic_rate_parent_set(struct devlink_rate *child, struct devlink_rate *parent, void *priv_child,
			   void *priv_parent, struct netlink_ext_ack *extack);
bool simnic_rate_pass(struct simnic_port *port, unsigned int len);
int simnic_params_register(struct simnic *nic);
void simnic_params_unregister(struct simnic *nic);
void simnic_params_reload(struct simnic *nic);
int simnic_resources_register(struct simnic *nic);
void simnic_resources_reload(struct simnic *nic);
int simnic_health_register(struct simnic *nic);
void simnic_health_unregister(struct simnic *nic);

/* fault.c */
extern const char *const simnic_op_names[SIMNIC_OP_COUNT];
int simnic_fault(struct simnic *nic, enum simnic_op op);
void simnic_reset_begin(struct simnic *nic);
void simnic_reset_end(struct simnic *nic);
void simnic_fault_init(struct simnic *nic);
void simnic_fault_exit(struct simnic *nic);
void simnic_evict_schedule(struct simnic *nic, u32 every_ms);

/* datapath.c, legacy.c, wire.c, bucket.c */
void simnic_vf_tx(struct simnic_port *port, struct sk_buff *skb);
void simnic_pf_tx(struct simnic *nic, struct sk_buff *skb);
void simnic_wire_rx(struct simnic *nic, struct sk_buff *skb);
void simnic_legacy_vf_tx(struct simnic_port *port, struct sk_buff *skb);
void simnic_legacy_pf_tx(struct simnic *nic, struct sk_buff *skb);
void simnic_legacy_wire_rx(struct simnic *nic, struct sk_buff *skb);
void simnic_wire_tx(struct simnic *nic, struct sk_buff *skb);
int simnic_wire_set(struct simnic *nic, const char *name);
void simnic_wire_cut(struct simnic *nic);
ssize_t simnic_wire_show(struct simnic *nic, char *buf);
bool simnic_wire_carrier(const struct simnic *nic);
int simnic_wire_init(void);
void simnic_wire_exit(void);
void simnic_bucket_init(struct simnic_bucket *bucket);
void simnic_bucket_set(struct simnic_bucket *bucket, u64 rate, u64 burst);
bool simnic_bucket_take(struct simnic_bucket *bucket, unsigned int len);

/* sysfs.c, sysfs_names.c */
extern const struct attribute_group simnic_sysfs_group;
ssize_t simnic_names_show(u64 bits, const char *const *names, int count, char *buf);
int simnic_names_store(u64 *bits, const char *const *names, int count, const char *text);

/* bus.c, pci.c: the front ends */
int simnic_bus_init(void);
void simnic_bus_exit(void);
int simnic_pci_init(void);
void simnic_pci_exit(void);

#endif
