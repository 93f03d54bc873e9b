// SPDX-License-Identifier: GPL-2.0
/*
 * Tunnel next hops: the route is looked up when the rule is added and once a second after that, the
 * neighbour is read for every frame, so that changes of either are followed.
 */
#include <linux/slab.h>
#include <net/arp.h>
#include <net/ip6_route.h>
#include <net/ipv6_stubs.h>
#include <net/neighbour.h>
#include <net/route.h>
#include <net/vxlan.h>

#include "flower.h"
#include "simnic.h"

#define SIMNIC_REFRESH	HZ

static void simnic_path_free(struct rcu_head *rcu)
{
	struct simnic_path *path = container_of(rcu, struct simnic_path, rcu);

	neigh_release(path->neigh);
	kfree(path);
}

static struct dst_entry *simnic_route4(struct simnic_encap *encap, struct net *net, struct in6_addr *source)
{
	struct flowi4 flow = {
		.daddr = encap->key.u.ipv4.dst,
		.saddr = encap->key.u.ipv4.src,
		.flowi4_proto = IPPROTO_UDP,
		.flowi4_tos = encap->key.tos,
		.fl4_dport = encap->dst_port,
	};
	struct rtable *route = ip_route_output_key(net, &flow);

	if (IS_ERR(route))
		return ERR_CAST(route);
	source->s6_addr32[0] = flow.saddr;
	return &route->dst;
}

static struct dst_entry *simnic_route6(struct simnic_encap *encap, struct net *net, struct in6_addr *source)
{
	struct flowi6 flow = {
		.daddr = encap->key.u.ipv6.dst,
		.saddr = encap->key.u.ipv6.src,
		.flowi6_proto = IPPROTO_UDP,
		.fl6_dport = encap->dst_port,
	};
	struct dst_entry *dst = ipv6_stub->ipv6_dst_lookup_flow(net, NULL, &flow, NULL);

	if (!IS_ERR(dst))
		*source = flow.saddr;
	return dst;
}

/* Returns the path of now, or an ERR_PTR: -EHOSTUNREACH without a route, -EXDEV for one past this NIC. */
static struct simnic_path *simnic_path_resolve(struct simnic_encap *encap)
{
	struct net_device *uplink = rcu_dereference_protected(encap->nic->uplink.func, 1);
	struct simnic_path *path;
	struct dst_entry *dst;
	struct net *net;

	/* Between the two halves of a reload. */
	if (!uplink)
		return ERR_PTR(-EXDEV);
	net = dev_net(uplink);
	path = kzalloc(sizeof(*path), GFP_KERNEL);
	if (!path)
		return ERR_PTR(-ENOMEM);
	dst = encap->ipv6 ? simnic_route6(encap, net, &path->source) :
			    simnic_route4(encap, net, &path->source);
	if (IS_ERR(dst)) {
		kfree(path);
		return ERR_PTR(-EHOSTUNREACH);
	}
	if (dst->dev != uplink) {
		dst_release(dst);
		kfree(path);
		return ERR_PTR(-EXDEV);
	}
	path->neigh = encap->ipv6 ? dst_neigh_lookup(dst, &encap->key.u.ipv6.dst) :
				    dst_neigh_lookup(dst, &encap->key.u.ipv4.dst);
	dst_release(dst);
	if (!path->neigh) {
		kfree(path);
		return ERR_PTR(-EHOSTUNREACH);
	}
	neigh_event_send(path->neigh, NULL);
	return path;
}

static bool simnic_path_same(const struct simnic_path *a, const struct simnic_path *b)
{
	return a && b && a->neigh == b->neigh && !a->neigh->dead && ipv6_addr_equal(&a->source, &b->source);
}

/* Puts `path` (or NULL) in force; under table_lock. */
static void simnic_path_set(struct simnic_encap *encap, struct simnic_path *path)
{
	struct simnic_path *old = rcu_dereference_protected(encap->path, 1);

	if (simnic_path_same(old, path)) {
		call_rcu(&path->rcu, simnic_path_free);
		return;
	}
	rcu_assign_pointer(encap->path, path);
	if (old)
		call_rcu(&old->rcu, simnic_path_free);
}

void simnic_encap_refresh(struct work_struct *work)
{
	struct simnic *nic = container_of(to_delayed_work(work), struct simnic, encap_work);
	struct simnic_encap *encap;

	mutex_lock(&nic->table_lock);
	list_for_each_entry(encap, &nic->encaps, node) {
		struct simnic_path *path = simnic_path_resolve(encap);

		simnic_path_set(encap, IS_ERR(path) ? NULL : path);
	}
	if (!list_empty(&nic->encaps))
		queue_delayed_work(simnic_wq, &nic->encap_work, SIMNIC_REFRESH);
	mutex_unlock(&nic->table_lock);
}

static int simnic_encap_check(struct simnic *nic, const struct ip_tunnel_info *tunnel,
			      const struct net_device *vxlan, struct netlink_ext_ack *extack)
{
	const struct vxlan_dev *priv = netdev_priv(vxlan);

	if (nic->encap_mode == DEVLINK_ESWITCH_ENCAP_MODE_NONE) {
		NL_SET_ERR_MSG_MOD(extack, "the eswitch's encap mode is none");
		return -EOPNOTSUPP;
	}
	if (tunnel->options_len || priv->cfg.flags & (VXLAN_F_GBP | VXLAN_F_GPE)) {
		NL_SET_ERR_MSG_MOD(extack, "tunnel options are not supported");
		return -EOPNOTSUPP;
	}
	if (ip_tunnel_info_af(tunnel) == AF_INET6 && simnic_has_quirk(nic, SIMNIC_QUIRK_NO_TUNNEL_IPV6)) {
		NL_SET_ERR_MSG_MOD(extack, "tunnels over IPv6 are not supported");
		return -EOPNOTSUPP;
	}
	return 0;
}

/* Ends the refreshing; under table_lock. Free it after an RCU grace period. */
void simnic_encap_unlink(struct simnic_encap *encap)
{
	list_del(&encap->node);
	encap->nic->encap_count--;
}

void simnic_encap_free(struct simnic_encap *encap)
{
	struct simnic_path *path = rcu_dereference_protected(encap->path, 1);

	if (path)
		simnic_path_free(&path->rcu);
	kfree(encap);
}

/* False when the NIC has no entry left. */
static bool simnic_encap_link(struct simnic_encap *encap)
{
	struct simnic *nic = encap->nic;
	u32 max = READ_ONCE(nic->encap_max);
	bool room;

	mutex_lock(&nic->table_lock);
	room = !max || nic->encap_count < max;
	if (room) {
		nic->encap_count++;
		list_add_tail(&encap->node, &nic->encaps);
		queue_delayed_work(simnic_wq, &nic->encap_work, SIMNIC_REFRESH);
	}
	mutex_unlock(&nic->table_lock);
	return room;
}

/* Returns an encapsulation with a path (its neighbour may still be unknown), or an ERR_PTR. */
struct simnic_encap *simnic_encap_create(struct simnic *nic, const struct ip_tunnel_info *tunnel,
					 struct net_device *vxlan, struct netlink_ext_ack *extack)
{
	const struct vxlan_dev *priv = netdev_priv(vxlan);
	struct simnic_encap *encap;
	struct simnic_path *path;
	int err;

	err = simnic_encap_check(nic, tunnel, vxlan, extack);
	if (err)
		return ERR_PTR(err);
	encap = kzalloc(sizeof(*encap), GFP_KERNEL);
	if (!encap)
		return ERR_PTR(-ENOMEM);
	encap->nic = nic;
	encap->key = tunnel->key;
	encap->ipv6 = ip_tunnel_info_af(tunnel) == AF_INET6;
	encap->dst_port = tunnel->key.tp_dst ?: priv->cfg.dst_port;
	path = simnic_path_resolve(encap);
	if (IS_ERR(path)) {
		kfree(encap);
		if (PTR_ERR(path) == -EXDEV)
			NL_SET_ERR_MSG_MOD(extack, "the tunnel's route does not leave by this NIC's uplink");
		else
			NL_SET_ERR_MSG_MOD(extack, "no route to the tunnel's destination");
		return ERR_PTR(PTR_ERR(path) == -ENOMEM ? -ENOMEM : -EOPNOTSUPP);
	}
	RCU_INIT_POINTER(encap->path, path);
	if (simnic_encap_link(encap))
		return encap;
	simnic_encap_free(encap);
	NL_SET_ERR_MSG_MOD(extack, "no encapsulation entry left");
	return ERR_PTR(-ENOSPC);
}
