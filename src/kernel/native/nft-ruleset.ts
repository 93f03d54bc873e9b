/**
 * The fixed text of our nftables table. It never changes while networks come and go: they are
 * elements of its sets and maps. Nothing here sees traffic between containers of one network.
 *
 * Chains, by the way of a packet:
 *  - guard: loopback addresses never come from a container, although route_localnet lets them in.
 *  - publish-in, publish-out: published ports, for packets from outside and siblings, and for the
 *    host's own. Priority before dstnat, so that ours decide before another table's.
 *  - forward: networks are isolated from each other, internal ones from everything; published ports
 *    (ct status dnat) are the exception; only routed networks are reachable from outside.
 *  - source: outbound NAT; and the host's gateway address as source wherever a reply would otherwise
 *    not come back through the host (a container using a published port, localhost).
 */
import { createHash } from 'node:crypto';

export const NFT_FAMILY = 'inet';

export const NFT_SETS = {
  gateways: { type: 'ifname' },
  internal: { type: 'ifname' },
  routed: { type: 'ifname' },
  masq4: { type: 'ipv4_addr', flags: 'interval' },
  masq6: { type: 'ipv6_addr', flags: 'interval' },
} as const;

export const NFT_MAPS = {
  pub4: 'ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service',
  pub6: 'ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service',
  pub4any: 'inet_proto . inet_service : ipv4_addr . inet_service',
  pub6any: 'inet_proto . inet_service : ipv6_addr . inet_service',
} as const;

const CHAINS = `
	chain guard {
		type filter hook prerouting priority raw; policy accept;
		iifname @gateways ip saddr 127.0.0.0/8 drop
		iifname @gateways ip daddr 127.0.0.0/8 drop
		iifname @gateways ip6 saddr ::1 drop
		iifname @gateways ip6 daddr ::1 drop
	}
	chain publish {
		dnat ip to ip daddr . meta l4proto . th dport map @pub4
		dnat ip to meta l4proto . th dport map @pub4any
		dnat ip6 to ip6 daddr . meta l4proto . th dport map @pub6
		dnat ip6 to meta l4proto . th dport map @pub6any
	}
	chain publish-in {
		type nat hook prerouting priority -110; policy accept;
		fib daddr type local jump publish
	}
	chain publish-out {
		type nat hook output priority -110; policy accept;
		fib daddr type local jump publish
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname != @gateways oifname != @gateways accept
		ct state established,related accept
		iifname @internal drop
		oifname @internal drop
		ct status dnat accept
		iifname @gateways oifname @gateways drop
		iifname @gateways ip saddr @masq4 ct state invalid drop
		iifname @gateways ip6 saddr @masq6 ct state invalid drop
		iifname @gateways accept
		oifname @routed accept
		drop
	}
	chain source {
		type nat hook postrouting priority 90; policy accept;
		iifname @gateways oifname @gateways ct status dnat masquerade
		oifname @gateways ip saddr 127.0.0.0/8 masquerade
		oifname @gateways ip6 saddr ::1 masquerade
		oifname != @gateways oifname != "lo" ip saddr @masq4 masquerade
		oifname != @gateways oifname != "lo" ip6 saddr @masq6 masquerade
	}`;

/** The table's body: sets and maps (empty), chains and rules. */
export const RULESET_BODY: string = [
  ...Object.entries(NFT_SETS).map(
    ([name, set]) => `\tset ${name} { type ${set.type};${'flags' in set ? ` flags ${set.flags};` : ''} }`,
  ),
  ...Object.entries(NFT_MAPS).map(([name, type]) => `\tmap ${name} { type ${type}; }`),
  CHAINS.slice(1),
].join('\n');

/** Version of the rule text: SHA-256, hex. What `NftTable.digest` of the desired state must be. */
export const RULESET_DIGEST: string = createHash('sha256').update(RULESET_BODY).digest('hex');

/** Whether our table has this set or map; an element for another one is refused before nft sees it. */
export function isKnownSet(name: string): boolean {
  return Object.hasOwn(NFT_SETS, name) || Object.hasOwn(NFT_MAPS, name);
}
