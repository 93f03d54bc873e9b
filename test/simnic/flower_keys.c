// SPDX-License-Identifier: GPL-2.0
/* Matches: one table of fields says what the NIC can look at and how to copy it out of the kernel's rule. */
#include <net/vxlan.h>

#include "flower.h"
#include "simnic.h"

struct simnic_field {
	enum flow_dissector_key_id id;
	u16 from;
	u16 to;
	u16 size;
};

#define SIMNIC_FIELD(_id, _type, _member, _to) {					\
	.id = FLOW_DISSECTOR_KEY_##_id,							\
	.from = offsetof(struct flow_dissector_key_##_type, _member),			\
	.to = offsetof(struct simnic_key, _to._member),					\
	.size = sizeof_field(struct flow_dissector_key_##_type, _member),		\
}
#define SIMNIC_WHOLE(_id, _type, _to) {							\
	.id = FLOW_DISSECTOR_KEY_##_id,							\
	.to = offsetof(struct simnic_key, _to),						\
	.size = sizeof(struct flow_dissector_key_##_type),				\
}

static const struct simnic_field simnic_fields[] = {
	SIMNIC_FIELD(BASIC, basic, n_proto, basic),
	SIMNIC_FIELD(BASIC, basic, ip_proto, basic),
	SIMNIC_FIELD(CONTROL, control, flags, control),
	SIMNIC_FIELD(ETH_ADDRS, eth_addrs, dst, eth),
	SIMNIC_FIELD(ETH_ADDRS, eth_addrs, src, eth),
	SIMNIC_WHOLE(VLAN, vlan, vlan),
	SIMNIC_WHOLE(CVLAN, vlan, cvlan),
	SIMNIC_FIELD(IPV4_ADDRS, ipv4_addrs, src, ipv4),
	SIMNIC_FIELD(IPV4_ADDRS, ipv4_addrs, dst, ipv4),
	SIMNIC_FIELD(IPV6_ADDRS, ipv6_addrs, src, ipv6),
	SIMNIC_FIELD(IPV6_ADDRS, ipv6_addrs, dst, ipv6),
	SIMNIC_FIELD(PORTS, ports, src, ports),
	SIMNIC_FIELD(PORTS, ports, dst, ports),
	SIMNIC_FIELD(TCP, tcp, flags, tcp),
	SIMNIC_FIELD(ICMP, icmp, type, icmp),
	SIMNIC_FIELD(ICMP, icmp, code, icmp),
	SIMNIC_FIELD(IP, ip, tos, ip),
	SIMNIC_FIELD(IP, ip, ttl, ip),
	SIMNIC_WHOLE(ENC_KEYID, keyid, enc_keyid),
	SIMNIC_FIELD(ENC_CONTROL, control, flags, enc_control),
	SIMNIC_FIELD(ENC_IPV4_ADDRS, ipv4_addrs, src, enc_ipv4),
	SIMNIC_FIELD(ENC_IPV4_ADDRS, ipv4_addrs, dst, enc_ipv4),
	SIMNIC_FIELD(ENC_IPV6_ADDRS, ipv6_addrs, src, enc_ipv6),
	SIMNIC_FIELD(ENC_IPV6_ADDRS, ipv6_addrs, dst, enc_ipv6),
	SIMNIC_FIELD(ENC_PORTS, ports, src, enc_ports),
	SIMNIC_FIELD(ENC_PORTS, ports, dst, enc_ports),
	SIMNIC_FIELD(ENC_IP, ip, tos, enc_ip),
	SIMNIC_FIELD(ENC_IP, ip, ttl, enc_ip),
};

/* In the order of simnic_fields. */
const char *const simnic_key_names[] = {
	"eth_type", "ip_proto", "frag", "eth_dst", "eth_src", "vlan", "cvlan", "ipv4_src", "ipv4_dst", "ipv6_src",
	"ipv6_dst", "port_src", "port_dst", "tcp_flags", "icmp_type", "icmp_code", "ip_tos", "ip_ttl", "enc_key_id",
	"enc_flags", "enc_ipv4_src", "enc_ipv4_dst", "enc_ipv6_src", "enc_ipv6_dst", "enc_port_src", "enc_port_dst",
	"enc_tos", "enc_ttl",
};
const int simnic_key_count = ARRAY_SIZE(simnic_key_names);

/* Keys that no field looks at, by the kernel's numbers. */
static const char *const simnic_foreign_names[FLOW_DISSECTOR_KEY_MAX] = {
	[FLOW_DISSECTOR_KEY_PORTS_RANGE] = "port_range",
	[FLOW_DISSECTOR_KEY_ARP] = "arp",
	[FLOW_DISSECTOR_KEY_MPLS] = "mpls",
	[FLOW_DISSECTOR_KEY_ENC_OPTS] = "enc_opts",
	[FLOW_DISSECTOR_KEY_META] = "indev",
	[FLOW_DISSECTOR_KEY_CT] = "ct",
	[FLOW_DISSECTOR_KEY_NUM_OF_VLANS] = "num_of_vlans",
	[FLOW_DISSECTOR_KEY_PPPOE] = "pppoe",
	[FLOW_DISSECTOR_KEY_L2TPV3] = "l2tpv3",
	[FLOW_DISSECTOR_KEY_CFM] = "cfm",
	[FLOW_DISSECTOR_KEY_IPSEC] = "ipsec",
};

static int simnic_key_refuse(struct netlink_ext_ack *extack, const char *name)
{
	NL_SET_ERR_MSG_FMT_MOD(extack, "key %s is not supported", name);
	return -EOPNOTSUPP;
}

static int simnic_check_foreign(const struct flow_rule *rule, struct netlink_ext_ack *extack)
{
	u64 left = rule->match.dissector->used_keys;
	int i;

	for (i = 0; i < ARRAY_SIZE(simnic_fields); i++)
		left &= ~BIT_ULL(simnic_fields[i].id);
	if (!left)
		return 0;
	i = __ffs64(left);
	return simnic_key_refuse(extack, i < FLOW_DISSECTOR_KEY_MAX && simnic_foreign_names[i] ?
						 simnic_foreign_names[i] : "of an unknown kind");
}

/* Flower offers both address families' keys for any address: CONTROL's addr_type tells which one holds it. */
static bool simnic_other_family(const struct simnic_field *field, u16 addr_type, u16 enc_addr_type)
{
	switch (field->id) {
	case FLOW_DISSECTOR_KEY_IPV4_ADDRS:
	case FLOW_DISSECTOR_KEY_IPV6_ADDRS:
		return field->id != addr_type;
	case FLOW_DISSECTOR_KEY_ENC_IPV4_ADDRS:
		return enc_addr_type != FLOW_DISSECTOR_KEY_IPV4_ADDRS;
	case FLOW_DISSECTOR_KEY_ENC_IPV6_ADDRS:
		return enc_addr_type != FLOW_DISSECTOR_KEY_IPV6_ADDRS;
	default:
		return false;
	}
}

static int simnic_check_field(struct simnic *nic, int index, const u8 *mask, struct net_device *tunnel,
			      struct netlink_ext_ack *extack)
{
	const struct simnic_field *field = &simnic_fields[index];

	if (!(nic->keys & BIT_ULL(index)))
		return simnic_key_refuse(extack, simnic_key_names[index]);
	if (!tunnel && !strncmp(simnic_key_names[index], "enc_", 4)) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "key %s needs a tunnel device", simnic_key_names[index]);
		return -EOPNOTSUPP;
	}
	if (simnic_has_quirk(nic, SIMNIC_QUIRK_EXACT_MATCH_ONLY) && field->from + field->size > 0 &&
	    field->id != FLOW_DISSECTOR_KEY_VLAN && field->id != FLOW_DISSECTOR_KEY_CVLAN &&
	    field->id != FLOW_DISSECTOR_KEY_CONTROL && memchr_inv(mask, 0xff, field->size)) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "key %s must be matched exactly", simnic_key_names[index]);
		return -EOPNOTSUPP;
	}
	return 0;
}

static int simnic_check_flags(const struct simnic_key *mask, struct netlink_ext_ack *extack)
{
	if (!flow_rule_is_supp_control_flags(FLOW_DIS_IS_FRAGMENT | FLOW_DIS_FIRST_FRAG, mask->control.flags, extack))
		return -EOPNOTSUPP;
	if (flow_rule_has_enc_control_flags(mask->enc_control.flags, extack))
		return -EOPNOTSUPP;
	return 0;
}

/* What the tunnel device itself says about the frames that reach it. */
static void simnic_match_tunnel(struct simnic_key *key, struct simnic_key *mask, const struct net_device *tunnel)
{
	const struct vxlan_dev *vxlan = netdev_priv(tunnel);

	key->enc_ports.dst = vxlan->cfg.dst_port;
	mask->enc_ports.dst = cpu_to_be16(U16_MAX);
	if (vxlan->cfg.flags & VXLAN_F_COLLECT_METADATA)
		return;
	key->enc_keyid.keyid = cpu_to_be32(be32_to_cpu((__force __be32)vxlan_vni_field(vxlan->cfg.vni)) >> 8);
	mask->enc_keyid.keyid = cpu_to_be32(U32_MAX);
}

/* The family's type is part of the key whenever an address is. */
static void simnic_match_family(struct simnic_key *key, struct simnic_key *mask, u16 addr_type, u16 enc_addr_type)
{
	if (memchr_inv(&mask->ipv6, 0, sizeof(mask->ipv6))) {
		key->control.addr_type = addr_type;
		mask->control.addr_type = U16_MAX;
	}
	if (memchr_inv(&mask->enc_ipv6, 0, sizeof(mask->enc_ipv6))) {
		key->enc_control.addr_type = enc_addr_type;
		mask->enc_control.addr_type = U16_MAX;
	}
}

static u16 simnic_addr_type(const struct flow_rule *rule, enum flow_dissector_key_id id)
{
	const struct flow_dissector_key_control *control;

	if (!flow_rule_match_key(rule, id))
		return 0;
	control = skb_flow_dissector_target(rule->match.dissector, id, rule->match.key);
	return control->addr_type;
}

/* Fills the rule's key and mask, or refuses what the NIC cannot match. */
int simnic_parse_match(struct simnic *nic, struct simnic_flow *flow, struct flow_cls_offload *f,
		       struct net_device *tunnel)
{
	const struct flow_rule *rule = f->rule;
	u16 addr_type = simnic_addr_type(rule, FLOW_DISSECTOR_KEY_CONTROL);
	u16 enc_addr_type = simnic_addr_type(rule, FLOW_DISSECTOR_KEY_ENC_CONTROL);
	struct simnic_key *key = &flow->key, *mask = &flow->group_id.mask;
	int i, err;

	err = simnic_check_foreign(rule, f->common.extack);
	for (i = 0; i < ARRAY_SIZE(simnic_fields) && !err; i++) {
		const struct simnic_field *field = &simnic_fields[i];
		const u8 *from;

		if (!flow_rule_match_key(rule, field->id) || simnic_other_family(field, addr_type, enc_addr_type))
			continue;
		from = skb_flow_dissector_target(rule->match.dissector, field->id, rule->match.mask) + field->from;
		if (!memchr_inv(from, 0, field->size))
			continue;
		err = simnic_check_field(nic, i, from, tunnel, f->common.extack);
		memcpy((u8 *)mask + field->to, from, field->size);
		from = skb_flow_dissector_target(rule->match.dissector, field->id, rule->match.key) + field->from;
		memcpy((u8 *)key + field->to, from, field->size);
	}
	if (!err)
		err = simnic_check_flags(mask, f->common.extack);
	if (err)
		return err;
	if (f->common.protocol != htons(ETH_P_ALL)) {
		key->protocol = f->common.protocol;
		mask->protocol = cpu_to_be16(U16_MAX);
	}
	if (tunnel)
		simnic_match_tunnel(key, mask, tunnel);
	simnic_match_family(key, mask, addr_type, enc_addr_type);
	for (i = 0; i < ARRAY_SIZE(key->words); i++)
		key->words[i] &= mask->words[i];
	return 0;
}
