// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to a frame: it enters at a VF, at the PF or from the wire, passes the flow tables of its port
 * in switchdev mode (else the legacy switch), and misses to the representor.
 */
#include "flower.h"
#include "simnic.h"

/* Frames inside are linear. Frees the frame and returns false when it cannot be used. */
static bool simnic_frame_ok(struct sk_buff *skb)
{
	if (skb->len < ETH_HLEN || skb_linearize(skb)) {
		kfree_skb(skb);
		return false;
	}
	skb_reset_mac_header(skb);
	return true;
}

static bool simnic_flow_ready(struct simnic_flow *flow)
{
	int i;

	for (i = 0; i < flow->action_count; i++) {
		struct simnic_action *action = &flow->actions[i];

		if ((action->id == FLOW_ACTION_REDIRECT || action->id == FLOW_ACTION_MIRRED) &&
		    action->out.encap && !simnic_encap_ready(action->out.encap))
			return false;
	}
	return true;
}

/* Runs a frame through the chains of `tables`. On SIMNIC_SLOW and SIMNIC_MISS the frame is still the caller's. */
static enum simnic_verdict simnic_run(struct simnic_packet *packet, struct simnic_port *tables)
{
	struct simnic *nic = tables->nic;
	enum simnic_verdict verdict;
	struct simnic_flow *flow;
	u32 chain = 0;
	int hops;

	for (hops = 0; hops < SIMNIC_MAX_HOPS; hops++) {
		flow = simnic_table_lookup(tables, chain, &packet->key);
		/* Like a miss: hardware has no rule before the tunnel's next hop is known. */
		if (!flow || !simnic_flow_ready(flow))
			return SIMNIC_MISS;
		simnic_count(nic, SIMNIC_HITS);
		atomic64_inc(&flow->packets);
		atomic64_add(packet->skb->len, &flow->bytes);
		WRITE_ONCE(flow->used, jiffies);
		verdict = simnic_execute(flow, packet, &chain);
		if (verdict != SIMNIC_GOTO)
			return verdict;
		simnic_dissect(packet);
	}
	simnic_drop(nic, packet->skb, SIMNIC_DROP_LOOP);
	return SIMNIC_DONE;
}

static void simnic_pipeline(struct simnic_port *port, struct sk_buff *skb)
{
	struct simnic_packet packet = { .skb = skb, .in = port };
	struct simnic *nic = port->nic;
	enum simnic_verdict verdict;

	simnic_dissect(&packet);
	verdict = simnic_run(&packet, port);
	if (verdict == SIMNIC_MISS && port->vf == SIMNIC_UPLINK && READ_ONCE(nic->tunnel_flows) &&
	    simnic_dissect_tunnel(&packet))
		verdict = simnic_run(&packet, &nic->tunnel);
	if (verdict == SIMNIC_DONE)
		return;
	if (verdict == SIMNIC_MISS)
		simnic_count(nic, SIMNIC_MISSES);
	simnic_slow_path(port, packet.skb);
}

void simnic_vf_tx(struct simnic_port *port, struct sk_buff *skb)
{
	struct simnic *nic = port->nic;

	rcu_read_lock();
	if (!READ_ONCE(port->link))
		simnic_drop(nic, skb, SIMNIC_DROP_LINK);
	else if (!simnic_rate_pass(port, skb->len))
		simnic_drop(nic, skb, SIMNIC_DROP_RATE);
	else if (!simnic_frame_ok(skb))
		simnic_count(nic, SIMNIC_DROP_MALFORMED);
	else if (simnic_is_switchdev(nic))
		simnic_pipeline(port, skb);
	else
		simnic_legacy_vf_tx(port, skb);
	rcu_read_unlock();
}

/* In switchdev mode the PF's netdev is the uplink's representor: what it sends leaves by the wire. */
void simnic_pf_tx(struct simnic *nic, struct sk_buff *skb)
{
	rcu_read_lock();
	if (!simnic_frame_ok(skb))
		simnic_count(nic, SIMNIC_DROP_MALFORMED);
	else if (simnic_is_switchdev(nic))
		simnic_wire_tx(nic, skb);
	else
		simnic_legacy_pf_tx(nic, skb);
	rcu_read_unlock();
}

/* Under RCU, like all that hands frames to it. */
void simnic_wire_rx(struct simnic *nic, struct sk_buff *skb)
{
	if (!READ_ONCE(nic->uplink.link))
		simnic_drop(nic, skb, SIMNIC_DROP_LINK);
	else if (!simnic_frame_ok(skb))
		simnic_count(nic, SIMNIC_DROP_MALFORMED);
	else if (simnic_is_switchdev(nic))
		simnic_pipeline(&nic->uplink, skb);
	else
		simnic_legacy_wire_rx(nic, skb);
}
