/* SPDX-License-Identifier: GPL-2.0 */
/* The flow table: keys, rules, actions. */
#ifndef SIMNIC_FLOWER_H
#define SIMNIC_FLOWER_H

#include <linux/refcount.h>
#include <net/ip_tunnels.h>

#include "simnic.h"

/* Default of the knob actions_max: what the kernel lets a rule have. */
#define SIMNIC_MAX_ACTIONS	32
#define SIMNIC_MAX_HOPS		16

/* Also the mask. Compared as words, so padding is always zero. */
struct simnic_key {
	union {
		struct {
			struct flow_dissector_key_control control;
			struct flow_dissector_key_control enc_control;
			struct flow_dissector_key_basic basic;
			struct flow_dissector_key_eth_addrs eth;
			struct flow_dissector_key_vlan vlan;
			struct flow_dissector_key_vlan cvlan;
			union {
				struct flow_dissector_key_ipv4_addrs ipv4;
				struct flow_dissector_key_ipv6_addrs ipv6;
			};
			union {
				struct flow_dissector_key_ipv4_addrs enc_ipv4;
				struct flow_dissector_key_ipv6_addrs enc_ipv6;
			};
			struct flow_dissector_key_ports ports;
			struct flow_dissector_key_ports enc_ports;
			struct flow_dissector_key_keyid enc_keyid;
			struct flow_dissector_key_icmp icmp;
			struct flow_dissector_key_tcp tcp;
			struct flow_dissector_key_ip ip;
			struct flow_dissector_key_ip enc_ip;
			/* First EtherType of the frame: what `protocol` of a tc filter means. */
			__be16 protocol;
		};
		u64 words[20];
	};
};

struct simnic_group_id {
	u32 chain;
	u32 prio;
	struct simnic_key mask;
};

/* Rules of one chain, priority and mask on one port. */
struct simnic_group {
	struct rhash_head node;
	struct list_head order;
	struct simnic_group_id id;
	struct rhltable rules;
	struct simnic_chain *chain;
	u32 count;
	struct rcu_work free_work;
};

struct simnic_chain {
	struct list_head groups;
	struct rcu_head rcu;
};

/* Where an encapsulated frame goes: refreshed as routes and neighbours change. */
struct simnic_path {
	struct rcu_head rcu;
	struct neighbour *neigh;
	struct in6_addr source;
};

struct simnic_encap {
	struct list_head node;
	struct simnic *nic;
	struct ip_tunnel_key key;
	bool ipv6;
	__be16 dst_port;
	struct simnic_path __rcu *path;
};

struct simnic_action {
	enum flow_action_id id;
	union {
		struct {
			struct simnic_port *port;
			struct simnic_encap *encap;
		} out;
		u32 chain;
		u32 csum_flags;
		struct {
			u16 vid;
			__be16 proto;
			u8 prio;
		} vlan;
		struct {
			enum flow_action_mangle_base htype;
			u32 offset;
			u32 mask;
			u32 val;
		} mangle;
		struct simnic_bucket *police;
	};
};

struct simnic_flow {
	struct rhlist_head by_cookie;
	struct rhlist_head by_key;
	struct list_head node;
	struct simnic_port *port;
	unsigned long cookie;
	struct simnic_key key;
	struct simnic_group_id group_id;
	struct simnic_group *group;
	bool in_table;
	atomic64_t packets;
	atomic64_t bytes;
	atomic64_t drops;
	unsigned long used;
	unsigned long read_at;
	u64 seen_packets;
	u64 seen_bytes;
	u64 seen_drops;
	struct rcu_head rcu;
	int action_count;
	struct simnic_action actions[];
};

/* A frame on its way through the tables. */
struct simnic_packet {
	struct sk_buff *skb;
	struct simnic_port *in;
	struct simnic_key key;
	/* Bytes of outer headers before the inner frame, 0 without a tunnel. */
	unsigned int tunnel_len;
};

enum simnic_verdict {
	SIMNIC_DONE,
	SIMNIC_GOTO,
	SIMNIC_SLOW,
	SIMNIC_MISS,
};

extern const char *const simnic_key_names[];
extern const int simnic_key_count;
extern const char *const simnic_action_names[];
extern const int simnic_action_count;

/* flower_block.c, flower_indirect.c */
int simnic_setup_tc(struct net_device *dev, enum tc_setup_type type, void *data);
int simnic_flow_command(struct simnic_port *port, struct flow_cls_offload *f, struct net_device *tunnel);
int simnic_indirect_init(void);
void simnic_indirect_exit(void);

/* flower_rule.c */
int simnic_flow_replace(struct simnic_port *port, struct flow_cls_offload *f, struct net_device *tunnel);
int simnic_flow_destroy(struct simnic_port *port, struct flow_cls_offload *f);
int simnic_flow_stats(struct simnic_port *port, struct flow_cls_offload *f);
void simnic_flow_free(struct simnic_flow *flow);

/* flower_keys.c */
int simnic_parse_match(struct simnic *nic, struct simnic_flow *flow, struct flow_cls_offload *f,
		       struct net_device *tunnel);

/* flower_actions.c */
int simnic_parse_actions(struct simnic_flow *flow, struct flow_cls_offload *f, struct net_device *tunnel);
struct simnic_port *simnic_target_port(const struct net_device *dev);

/* flower_table.c: all but lookup under table_lock */
int simnic_table_init(struct simnic *nic);
void simnic_table_exit(struct simnic *nic);
void simnic_table_drain(struct simnic *nic);
int simnic_table_insert(struct simnic_flow *flow);
void simnic_table_remove(struct simnic_flow *flow);
struct simnic_flow *simnic_table_find(struct simnic_port *port, unsigned long cookie);
struct simnic_flow *simnic_table_lookup(struct simnic_port *port, u32 chain, const struct simnic_key *key);
u32 simnic_table_evict(struct simnic *nic, u32 count);
void simnic_table_flush(struct simnic *nic);

/* dissect.c, action_exec.c, mangle.c */
void simnic_dissect_init(void);
void simnic_dissect(struct simnic_packet *packet);
bool simnic_dissect_tunnel(struct simnic_packet *packet);
enum simnic_verdict simnic_execute(struct simnic_flow *flow, struct simnic_packet *packet, u32 *chain);
bool simnic_vlan_push(struct sk_buff *skb, __be16 proto, u16 tci);
bool simnic_vlan_pop(struct sk_buff *skb);
bool simnic_mangle(struct sk_buff *skb, const struct simnic_action *action);
bool simnic_checksum(struct sk_buff *skb, u32 flags);
int simnic_l3_offset(const struct sk_buff *skb, __be16 *proto);

/* encap.c, encap_build.c, decap.c */
struct simnic_encap *simnic_encap_create(struct simnic *nic, const struct ip_tunnel_info *tunnel,
					 struct net_device *vxlan, struct netlink_ext_ack *extack);
void simnic_encap_unlink(struct simnic_encap *encap);
void simnic_encap_free(struct simnic_encap *encap);
void simnic_encap_refresh(struct work_struct *work);
bool simnic_encap_ready(struct simnic_encap *encap);
bool simnic_encap_build(struct simnic_encap *encap, struct sk_buff *skb, u32 hash);
void simnic_decap(struct simnic_packet *packet);

#endif
