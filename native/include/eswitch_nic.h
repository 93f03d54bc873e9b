/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of the ABI that is about NICs: devlink, SR-IOV attributes, what a link tells of its device.
 * Included by eswitch.h, whose conventions hold here too, with one exception: netdevs of NICs are named
 * by ifindex. Their names are what udev, operators and the kernel change behind everybody's back, and
 * an ifindex belongs to the device for as long as that lives.
 *
 * Without devlink in the kernel every esw_devlink_* function returns -ENOENT.
 */
#ifndef ESWITCH_NIC_H
#define ESWITCH_NIC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ESW_BUS_LEN 32
#define ESW_DEV_LEN 64   /* devlink handles are bus/dev */
#define ESW_LABEL_LEN 64 /* names of versions, resources, parameters, rate nodes, reporters */
#define ESW_VALUE_LEN 128

/* ---- devlink dumps ----------------------------------------------------------------------------
 *
 * Each returns the number of records there are and writes as many whole ones as fit in `cap` bytes. */

/* An instance, and its eswitch where it has one. */
#define ESW_DEVLINK_HAS_MODE 1u
#define ESW_DEVLINK_HAS_INLINE 2u
#define ESW_DEVLINK_HAS_ENCAP 4u
struct esw_devlink_rec {
	char bus[ESW_BUS_LEN];
	char dev[ESW_DEV_LEN];
	int32_t error; /* of asking for the eswitch: 0 or -errno */
	uint8_t has;   /* ESW_DEVLINK_HAS_* */
	uint8_t mode;  /* 0 legacy, 1 switchdev */
	uint8_t inline_mode; /* 0 none, 1 link, 2 network, 3 transport */
	uint8_t encap;       /* 0 or 1 */
	uint8_t reload_failed;
	uint8_t pad[3];
};
int esw_devlink_dump(void *out, uint32_t cap);

enum esw_info_kind {
	ESW_INFO_DRIVER = 1,
	ESW_INFO_SERIAL = 2,
	ESW_INFO_BOARD_SERIAL = 3,
	ESW_INFO_FIXED = 4, /* versions, named in `name` */
	ESW_INFO_RUNNING = 5,
	ESW_INFO_STORED = 6,
};
struct esw_devlink_info {
	char bus[ESW_BUS_LEN];
	char dev[ESW_DEV_LEN];
	char name[ESW_LABEL_LEN];
	char value[ESW_VALUE_LEN];
	uint32_t kind; /* enum esw_info_kind */
};
int esw_devlink_info_dump(void *out, uint32_t cap);

#define ESW_PORT_HAS_CONTROLLER 1u
#define ESW_PORT_HAS_PF 2u
#define ESW_PORT_HAS_VF 4u
#define ESW_PORT_HAS_SF 8u
#define ESW_PORT_HAS_HW_ADDR 16u
#define ESW_PORT_HAS_STATE 32u
struct esw_devlink_port {
	char bus[ESW_BUS_LEN];
	char dev[ESW_DEV_LEN];
	uint32_t index;
	uint32_t ifindex; /* 0: no netdev in the calling namespace */
	uint32_t controller;
	uint32_t sf;
	uint16_t flavour; /* enum devlink_port_flavour */
	uint16_t pf;
	uint16_t vf;
	uint8_t has; /* ESW_PORT_HAS_* */
	uint8_t external;
	uint8_t hw_addr[6];
	uint8_t state;   /* of the function: 0 inactive, 1 active */
	uint8_t opstate; /* 0 detached, 1 attached */
	char ifname[16];
};
int esw_devlink_port_dump(void *out, uint32_t cap);

struct esw_devlink_rate {
	char bus[ESW_BUS_LEN];
	char dev[ESW_DEV_LEN];
	char node[ESW_LABEL_LEN];   /* nodes only */
	char parent[ESW_LABEL_LEN]; /* "" = none */
	uint32_t port_index;        /* leaves only */
	uint16_t type;              /* 0 leaf, 1 node */
	uint16_t pad;
	uint64_t tx_share; /* bytes/s */
	uint64_t tx_max;   /* bytes/s, 0 = no limit */
};
int esw_devlink_rate_dump(void *out, uint32_t cap);

/* Resources of one instance; none where the driver has none. */
struct esw_devlink_resource {
	char name[ESW_LABEL_LEN];
	uint64_t id;
	uint64_t parent; /* id, 0 = none */
	uint64_t size;
	uint64_t occupancy;
	uint32_t has_occupancy;
	uint32_t pad;
};
int esw_devlink_resource_dump(const char *bus, const char *dev, void *out, uint32_t cap);

/* One record per parameter and configuration mode that has a value. */
enum esw_param_type {
	ESW_PARAM_U8 = 1,
	ESW_PARAM_U16 = 2,
	ESW_PARAM_U32 = 3,
	ESW_PARAM_STRING = 5,
	ESW_PARAM_BOOL = 6,
};
struct esw_devlink_param {
	char bus[ESW_BUS_LEN];
	char dev[ESW_DEV_LEN];
	char name[ESW_LABEL_LEN];
	char text[ESW_VALUE_LEN]; /* ESW_PARAM_STRING */
	uint64_t number;          /* the others */
	uint8_t type;             /* enum esw_param_type, or another that is not read */
	uint8_t cmode;            /* 0 runtime, 1 driverinit, 2 permanent */
	uint8_t generic;
	uint8_t pad[5];
};
int esw_devlink_param_dump(void *out, uint32_t cap);

struct esw_devlink_health {
	char bus[ESW_BUS_LEN];
	char dev[ESW_DEV_LEN];
	char name[ESW_LABEL_LEN];
	uint64_t errors;
	uint64_t recoveries;
	uint32_t port_index;
	uint8_t has_port;
	uint8_t state; /* 0 healthy, 1 error */
	uint8_t pad[2];
};
int esw_devlink_health_dump(void *out, uint32_t cap);

/* ---- devlink lane: changes --------------------------------------------------------------------- */

enum esw_devlink_verb {
	ESW_DEVLINK_MODE = 1,   /* to `value` (0 legacy, 1 switchdev) */
	ESW_DEVLINK_INLINE = 2, /* to `value` */
	ESW_DEVLINK_ENCAP = 3,  /* to `value` (0, 1) */
	ESW_DEVLINK_FUNCTION_MAC = 4,   /* of port `port_index`, to `mac` */
	ESW_DEVLINK_FUNCTION_STATE = 5, /* of port `port_index`, to `value` (0 inactive, 1 active) */
	ESW_DEVLINK_RATE_DELETE = 6,    /* node `name` */
	ESW_DEVLINK_PARAM = 7,          /* `name` in `cmode` to `number` or `text`, by `type` */
	ESW_DEVLINK_FLASH = 8,          /* file `text` below /lib/firmware, component `name` ("" = all) */
	ESW_DEVLINK_RELOAD = 9,         /* action `value` (1 driver_reinit, 2 fw_activate) */
};
struct esw_devlink_op {
	uint32_t verb;
	uint32_t port_index;
	char bus[ESW_BUS_LEN];
	char dev[ESW_DEV_LEN];
	char name[ESW_LABEL_LEN];
	char text[ESW_VALUE_LEN];
	uint64_t number;
	uint8_t mac[6];
	uint8_t value;
	uint8_t type;
	uint8_t cmode;
	uint8_t pad[7];
};
/* Records run one after the other. A flash may take minutes; nothing else is held up by it. */
int esw_devlink_apply(const void *batch, uint32_t len, void *results, uint32_t cap);

/* ---- events ----------------------------------------------------------------------------------- */

struct esw_devlink_event {
	uint32_t command; /* enum devlink_command of the notification; 0 = events were lost */
	uint32_t pad;
	char bus[ESW_BUS_LEN];
	char dev[ESW_DEV_LEN];
};
/* As esw_event_open, with changes of instances, ports, rates, parameters and reporters. */
int esw_devlink_event_open(void);

struct esw_nic_event {
	uint32_t kind; /* RTM_NEWLINK, RTM_DELLINK; 0 = events were lost */
	uint32_t ifindex;
	char parent_bus[ESW_BUS_LEN];
	char parent_dev[ESW_DEV_LEN];
};
/* The same for links that have a device below them: of all that happens to the links of a host with
 * many containers, what concerns NICs. */
int esw_nic_event_open(void);

/* ---- SR-IOV attributes of a PF ------------------------------------------------------------------ */

#define ESW_VF_MAC 1u
#define ESW_VF_VLAN 2u /* vlan, qos, vlan_proto */
#define ESW_VF_RATE 4u /* min_tx_rate, max_tx_rate */
#define ESW_VF_SPOOFCHK 8u
#define ESW_VF_TRUST 16u
#define ESW_VF_LINK_STATE 32u

struct esw_vf_rec {
	uint32_t ifindex; /* of the PF's netdev */
	uint32_t vf;
	uint32_t has; /* ESW_VF_*: what the PF shows */
	uint32_t min_tx_rate; /* Mbit/s */
	uint32_t max_tx_rate; /* Mbit/s, 0 = no limit */
	uint16_t vlan; /* 0 = none */
	uint16_t vlan_proto; /* ethertype, host order: 0x8100 or 0x88a8 */
	uint8_t qos;
	uint8_t spoofchk;
	uint8_t trust;
	uint8_t link_state; /* 0 auto, 1 enable, 2 disable */
	uint8_t mac[6];
	uint8_t pad[2];
};
/* VFs of every PF in the calling namespace. */
int esw_vf_dump(void *out, uint32_t cap);

struct esw_vf_op {
	uint32_t ifindex;
	uint32_t vf;
	uint32_t set; /* ESW_VF_*: what to change; in one message, so a refusal is of all of it */
	uint32_t min_tx_rate;
	uint32_t max_tx_rate;
	uint16_t vlan;
	uint16_t vlan_proto;
	uint8_t qos;
	uint8_t spoofchk;
	uint8_t trust;
	uint8_t link_state;
	uint8_t mac[6];
	uint8_t pad[2];
};
int esw_vf_apply(const void *batch, uint32_t len, void *results, uint32_t cap);

/* ---- links of devices --------------------------------------------------------------------------- */

#define ESW_ALTNAMES_LEN 256
#define ESW_SWITCH_ID_LEN 32

struct esw_nic_link {
	uint32_t ifindex;
	uint32_t flags; /* IFF_* */
	uint32_t mtu;
	uint8_t mac[6];
	uint8_t perm_mac[6]; /* zeros: none */
	char name[16];
	char kind[16]; /* IFLA_INFO_KIND, "" for a device's own */
	char port_name[ESW_BUS_LEN]; /* phys_port_name, "" if none */
	uint8_t switch_id[ESW_SWITCH_ID_LEN]; /* phys_switch_id */
	uint32_t switch_id_len;               /* bytes of it, 0 = none */
	char parent_bus[ESW_BUS_LEN];
	char parent_dev[ESW_DEV_LEN];
	char altnames[ESW_ALTNAMES_LEN]; /* separated by spaces; those that do not fit are left out */
};
/* Links of `netns` that have an Ethernet address, with what they tell of their device. */
int esw_nic_link_dump(const char *netns, void *out, uint32_t cap);

/* ---- ethtool ------------------------------------------------------------------------------------ */

/* State of hw-tc-offload of the links of `count` ifindexes, one record each. */
struct esw_offload_rec {
	uint32_t ifindex;
	int32_t error;   /* 0, or -errno when the link cannot be asked */
	uint8_t active;  /* on */
	uint8_t capable; /* can be changed by a user */
	uint8_t pad[2];
};
int esw_offload_dump(const uint32_t *ifindexes, uint32_t count, void *out, uint32_t cap);

struct esw_offload_op {
	uint32_t ifindex;
	uint32_t active; /* 0 or 1 */
};
int esw_offload_apply(const void *batch, uint32_t len, void *results, uint32_t cap);

#ifdef __cplusplus
}
#endif
#endif
