// SPDX-License-Identifier: GPL-2.0
/* The cable at the uplink: to another NIC of this module, or to any netdev, which then serves as a wire only. */
#include <linux/if_vlan.h>
#include <linux/percpu.h>
#include <net/gso.h>

#include "simnic.h"

/* NICs that hairpin to each other would recurse without end. */
#define SIMNIC_WIRE_DEPTH	4

static DEFINE_PER_CPU(int, simnic_wire_depth);

static unsigned int simnic_payload_len(const struct sk_buff *skb)
{
	const struct ethhdr *eth = (const void *)skb->data;

	return skb->len - (eth_type_vlan(eth->h_proto) ? VLAN_ETH_HLEN : ETH_HLEN);
}

/* Sends a frame out; bottom halves are off. */
void simnic_wire_tx(struct simnic *nic, struct sk_buff *skb)
{
	struct net_device *uplink = rcu_dereference(nic->uplink.func);
	struct simnic *peer = rcu_dereference(nic->wire_peer);
	struct net_device *dev = rcu_dereference(nic->wire_dev);

	/* The link may still seem up while a wire is being taken off. */
	if (!peer && !dev) {
		simnic_drop(nic, skb, SIMNIC_DROP_NO_WIRE);
	} else if (!uplink || !READ_ONCE(nic->uplink.link)) {
		simnic_drop(nic, skb, SIMNIC_DROP_LINK);
	} else if (simnic_payload_len(skb) > READ_ONCE(uplink->mtu)) {
		simnic_drop(nic, skb, SIMNIC_DROP_MTU);
	} else if (__this_cpu_read(simnic_wire_depth) >= SIMNIC_WIRE_DEPTH) {
		simnic_drop(nic, skb, SIMNIC_DROP_LOOP);
	} else {
		__this_cpu_inc(simnic_wire_depth);
		if (peer) {
			simnic_wire_rx(peer, skb);
		} else {
			skb_scrub_packet(skb, true);
			skb_clear_hash(skb);
			skb->dev = dev;
			dev_queue_xmit(skb);
		}
		__this_cpu_dec(simnic_wire_depth);
	}
}

/* One frame from a netdev, complete: no offload of its sender's is left undone. */
static void simnic_wire_frame(struct simnic *nic, struct sk_buff *skb)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb)) {
		simnic_drop(nic, skb, SIMNIC_DROP_MALFORMED);
		return;
	}
	skb->ip_summed = CHECKSUM_NONE;
	simnic_wire_rx(nic, skb);
}

/* GRO and senders without a real wire hand over super-packets: cut them as a wire would have carried them. */
static void simnic_wire_segments(struct simnic *nic, struct sk_buff *skb)
{
	struct sk_buff *segments, *next;

	segments = __skb_gso_segment(skb, 0, false);
	if (IS_ERR_OR_NULL(segments)) {
		simnic_drop(nic, skb, SIMNIC_DROP_MALFORMED);
		return;
	}
	consume_skb(skb);
	skb_list_walk_safe(segments, skb, next) {
		skb_mark_not_on_list(skb);
		simnic_wire_frame(nic, skb);
	}
}

static rx_handler_result_t simnic_wire_handle(struct sk_buff **pskb)
{
	struct sk_buff *skb = skb_share_check(*pskb, GFP_ATOMIC);
	struct simnic *nic;

	if (!skb)
		return RX_HANDLER_CONSUMED;
	*pskb = skb;
	if (skb->pkt_type == PACKET_LOOPBACK)
		return RX_HANDLER_PASS;
	nic = rcu_dereference(skb->dev->rx_handler_data);
	skb_push(skb, ETH_HLEN);
	if (skb_vlan_tag_present(skb)) {
		skb = __vlan_hwaccel_push_inside(skb);
		if (!skb)
			return RX_HANDLER_CONSUMED;
	}
	if (skb_is_gso(skb))
		simnic_wire_segments(nic, skb);
	else
		simnic_wire_frame(nic, skb);
	return RX_HANDLER_CONSUMED;
}

/* Whether the other end of the wire is up; under simnic_link_mutex. */
bool simnic_wire_carrier(const struct simnic *nic)
{
	struct simnic *peer = rcu_dereference_protected(nic->wire_peer, lockdep_is_held(&simnic_link_mutex));
	struct net_device *dev = rcu_dereference_protected(nic->wire_dev, lockdep_is_held(&simnic_link_mutex));

	if (peer) {
		dev = rcu_dereference_protected(peer->uplink.func, lockdep_is_held(&simnic_link_mutex));
		return dev && netif_running(dev) && !peer->resetting;
	}
	return dev && netif_running(dev) && netif_carrier_ok(dev);
}

/* Takes the wire off both ends; under rtnl. */
static void simnic_wire_detach(struct simnic *nic)
{
	struct simnic *peer;
	struct net_device *dev;

	mutex_lock(&simnic_link_mutex);
	peer = rcu_dereference_protected(nic->wire_peer, 1);
	dev = rcu_dereference_protected(nic->wire_dev, 1);
	RCU_INIT_POINTER(nic->wire_peer, NULL);
	RCU_INIT_POINTER(nic->wire_dev, NULL);
	if (peer)
		RCU_INIT_POINTER(peer->wire_peer, NULL);
	mutex_unlock(&simnic_link_mutex);
	if (dev) {
		netdev_rx_handler_unregister(dev);
		dev_set_promiscuity(dev, -1);
		netdev_put(dev, &nic->wire_tracker);
	}
	synchronize_net();
	simnic_links_update(nic);
	if (peer)
		simnic_links_update(peer);
}

static int simnic_wire_to_dev(struct simnic *nic, const char *name)
{
	struct net_device *dev = __dev_get_by_name(current->nsproxy->net_ns, name);
	int err;

	if (!dev)
		return -ENODEV;
	if (dev->flags & IFF_LOOPBACK || simnic_pf_port(dev) || simnic_rep_port(dev) || simnic_func_port(dev))
		return -EINVAL;
	err = netdev_rx_handler_register(dev, simnic_wire_handle, nic);
	if (err)
		return err;
	dev_set_promiscuity(dev, 1);
	netdev_hold(dev, &nic->wire_tracker, GFP_KERNEL);
	mutex_lock(&simnic_link_mutex);
	rcu_assign_pointer(nic->wire_dev, dev);
	mutex_unlock(&simnic_link_mutex);
	return 0;
}

static struct simnic *simnic_find(const char *name)
{
	struct simnic *nic;

	list_for_each_entry(nic, &simnic_list, node) {
		if (!strcmp(dev_name(nic->dev), name))
			return nic;
	}
	return NULL;
}

/* `name`: another NIC's device, a netdev of the caller's network namespace, or "none". */
int simnic_wire_set(struct simnic *nic, const char *name)
{
	struct simnic *peer;
	int err = 0;

	if (!rtnl_trylock())
		return restart_syscall();
	mutex_lock(&simnic_list_lock);
	peer = simnic_find(name);
	if (peer == nic) {
		err = -EINVAL;
		goto unlock;
	}
	simnic_wire_detach(nic);
	if (peer) {
		simnic_wire_detach(peer);
		mutex_lock(&simnic_link_mutex);
		rcu_assign_pointer(nic->wire_peer, peer);
		rcu_assign_pointer(peer->wire_peer, nic);
		mutex_unlock(&simnic_link_mutex);
	} else if (strcmp(name, "none")) {
		err = simnic_wire_to_dev(nic, name);
	}
	simnic_links_update(nic);
unlock:
	mutex_unlock(&simnic_list_lock);
	rtnl_unlock();
	return err;
}

/* For a NIC that goes away. */
void simnic_wire_cut(struct simnic *nic)
{
	rtnl_lock();
	simnic_wire_detach(nic);
	rtnl_unlock();
}

ssize_t simnic_wire_show(struct simnic *nic, char *buf)
{
	struct simnic *peer;
	struct net_device *dev;
	ssize_t len;

	rcu_read_lock();
	peer = rcu_dereference(nic->wire_peer);
	dev = rcu_dereference(nic->wire_dev);
	len = sysfs_emit(buf, "%s\n", peer ? dev_name(peer->dev) : dev ? dev->name : "none");
	rcu_read_unlock();
	return len;
}

static int simnic_wire_event(struct notifier_block *block, unsigned long event, void *info)
{
	struct net_device *dev = netdev_notifier_info_to_dev(info);
	struct simnic *nic;

	if (rcu_access_pointer(dev->rx_handler) != simnic_wire_handle)
		return NOTIFY_DONE;
	nic = rtnl_dereference(dev->rx_handler_data);
	if (event == NETDEV_UNREGISTER)
		simnic_wire_detach(nic);
	else if (event == NETDEV_UP || event == NETDEV_DOWN || event == NETDEV_CHANGE)
		simnic_links_update(nic);
	return NOTIFY_DONE;
}

static struct notifier_block simnic_wire_notifier = { .notifier_call = simnic_wire_event };

int simnic_wire_init(void)
{
	return register_netdevice_notifier(&simnic_wire_notifier);
}

void simnic_wire_exit(void)
{
	unregister_netdevice_notifier(&simnic_wire_notifier);
}
