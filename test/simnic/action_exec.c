// SPDX-License-Identifier: GPL-2.0
/* Executes a rule's actions on a frame, in order. */
#include <linux/if_vlan.h>
#include <linux/jhash.h>

#include "flower.h"
#include "simnic.h"

/* Entropy for the outer UDP source port. */
static u32 simnic_flow_hash(const struct simnic_key *key)
{
	u32 hash = jhash2((const u32 *)&key->ipv6, sizeof(key->ipv6) / sizeof(u32), key->basic.ip_proto);

	return jhash_2words(hash, (__force u32)key->ports.ports, 0);
}

/* Sends `skb`, which is the packet's own frame or a copy; takes it in any case. */
static void simnic_output(struct simnic_action *action, struct simnic_packet *packet, struct sk_buff *skb)
{
	struct simnic *nic = packet->in->nic;

	if (action->out.encap) {
		if (!simnic_encap_build(action->out.encap, skb, simnic_flow_hash(&packet->key))) {
			simnic_drop(nic, skb, SIMNIC_DROP_NO_MEMORY);
			return;
		}
		simnic_wire_tx(nic, skb);
		return;
	}
	simnic_deliver(action->out.port, skb);
}

static bool simnic_modify(struct simnic_action *action, struct sk_buff *skb)
{
	u16 tci = action->vlan.vid | action->vlan.prio << VLAN_PRIO_SHIFT;

	switch (action->id) {
	case FLOW_ACTION_VLAN_PUSH:
		return simnic_vlan_push(skb, action->vlan.proto, tci);
	case FLOW_ACTION_VLAN_POP:
		return simnic_vlan_pop(skb);
	case FLOW_ACTION_VLAN_MANGLE:
		return simnic_vlan_pop(skb) && simnic_vlan_push(skb, action->vlan.proto, tci);
	case FLOW_ACTION_CSUM:
		return simnic_checksum(skb, action->csum_flags);
	default:
		return simnic_mangle(skb, action);
	}
}

/* The rule's last word, or SIMNIC_SLOW when the frame goes on to the CPU. */
static enum simnic_verdict simnic_final(struct simnic_flow *flow, struct simnic_action *action,
					struct simnic_packet *packet, u32 *chain)
{
	struct simnic *nic = packet->in->nic;

	switch (action->id) {
	case FLOW_ACTION_DROP:
		simnic_drop(nic, packet->skb, SIMNIC_DROP_RULE);
		return SIMNIC_DONE;
	case FLOW_ACTION_GOTO:
		*chain = action->chain;
		return SIMNIC_GOTO;
	case FLOW_ACTION_REDIRECT:
		simnic_output(action, packet, packet->skb);
		return SIMNIC_DONE;
	default:
		return SIMNIC_SLOW;
	}
}

/* False when the frame is gone. */
static bool simnic_step(struct simnic_flow *flow, struct simnic_action *action, struct simnic_packet *packet)
{
	struct simnic *nic = packet->in->nic;
	struct sk_buff *copy;

	switch (action->id) {
	case FLOW_ACTION_POLICE:
		if (simnic_bucket_take(action->police, packet->skb->len))
			return true;
		atomic64_inc(&flow->drops);
		simnic_drop(nic, packet->skb, SIMNIC_DROP_POLICE);
		return false;
	case FLOW_ACTION_MIRRED:
		copy = skb_copy(packet->skb, GFP_ATOMIC);
		if (copy)
			simnic_output(action, packet, copy);
		else
			simnic_count(nic, SIMNIC_DROP_NO_MEMORY);
		return true;
	default:
		if (simnic_modify(action, packet->skb))
			return true;
		simnic_drop(nic, packet->skb, SIMNIC_DROP_MALFORMED);
		return false;
	}
}

/* Whether the action looks at the inner frame, so that the tunnel's headers must be gone by now. */
static bool simnic_needs_inner(const struct simnic_action *action)
{
	switch (action->id) {
	case FLOW_ACTION_ACCEPT:
	case FLOW_ACTION_TRAP:
	case FLOW_ACTION_DROP:
	case FLOW_ACTION_GOTO:
	case FLOW_ACTION_POLICE:
	case FLOW_ACTION_TUNNEL_DECAP:
		return false;
	default:
		return true;
	}
}

/* On SIMNIC_SLOW and SIMNIC_GOTO the frame is still the caller's. `chain` is set on SIMNIC_GOTO. */
enum simnic_verdict simnic_execute(struct simnic_flow *flow, struct simnic_packet *packet, u32 *chain)
{
	int i;

	for (i = 0; i < flow->action_count; i++) {
		struct simnic_action *action = &flow->actions[i];

		/* As late as possible: a frame that goes to the CPU after all goes there whole. */
		if (packet->tunnel_len && simnic_needs_inner(action))
			simnic_decap(packet);
		switch (action->id) {
		case FLOW_ACTION_ACCEPT:
		case FLOW_ACTION_TRAP:
		case FLOW_ACTION_DROP:
		case FLOW_ACTION_GOTO:
		case FLOW_ACTION_REDIRECT:
			return simnic_final(flow, action, packet, chain);
		case FLOW_ACTION_TUNNEL_DECAP:
			break;
		default:
			if (!simnic_step(flow, action, packet))
				return SIMNIC_DONE;
		}
	}
	return SIMNIC_SLOW;
}
