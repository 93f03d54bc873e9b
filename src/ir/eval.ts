/**
 * Reference interpreter: what the eBPF program does with a packet, given the tables as resources.
 * It is the oracle of the tests; the order of checks is that of native/bpf/eswitch.bpf.c. What
 * lies below addresses (lengths, options, checksums, hop limits) is not modelled.
 */
import type { Ip, NetSlot } from '../lib/brand.ts';
import {
  cidrContains,
  ipFamily,
  ipToBigint,
  isLinkLocal6,
  isLoopback,
  isMulticast,
  linkLocalOf,
} from '../lib/ip.ts';
import { isUnicast } from '../lib/mac.ts';
import type { DropReason } from './drop-reason.ts';
import type { Packet, Payload, Verdict } from './packet.ts';
import type { FibEntry, NetEntry, PortEntry, Resource, SubnetEntry } from './resource.ts';

/** The tables, indexed as the program looks them up. */
export interface Tables {
  readonly hooks: ReadonlySet<string>;
  readonly ports: ReadonlyMap<string, PortEntry>;
  readonly nets: ReadonlyMap<NetSlot, NetEntry>;
  readonly subnets: ReadonlyMap<NetSlot, readonly SubnetEntry[]>;
  readonly fib: ReadonlyMap<string, FibEntry>;
}

export function tablesOf(resources: Iterable<Resource>): Tables {
  const hooks = new Set<string>();
  const ports = new Map<string, PortEntry>();
  const nets = new Map<NetSlot, NetEntry>();
  const subnets = new Map<NetSlot, SubnetEntry[]>();
  const fib = new Map<string, FibEntry>();
  for (const r of resources) {
    if (r.kind === 'hook') hooks.add(r.link);
    else if (r.kind === 'port-entry') ports.set(r.rep, r);
    else if (r.kind === 'net-entry') nets.set(r.net, r);
    else if (r.kind === 'subnet-entry') subnets.set(r.net, [...(subnets.get(r.net) ?? []), r]);
    else if (r.kind === 'fib-entry') fib.set(`${r.net} ${r.addr}`, r);
  }
  return { hooks, ports, nets, subnets, fib };
}

const drop = (reason: DropReason): Verdict => ({ action: 'drop', reason });

export function evaluate(tables: Tables, packet: Packet): Verdict {
  if (!tables.hooks.has(packet.link)) return { action: 'unhooked' };
  const port = tables.ports.get(packet.link);
  if (port === undefined) return drop('no_port');
  const net = tables.nets.get(port.net);
  if (net === undefined) return drop('no_network');
  if (!port.trusted && packet.srcMac !== port.mac) return drop('src_mac');
  if (packet.tagged) return drop('vlan');
  const { payload } = packet;
  if (payload.type === 'other') return drop('ethertype');
  if (payload.type === 'resolve') return resolve(tables, port, net, payload);
  return forward(tables, port, net, payload, !isUnicast(packet.dstMac));
}

/** ARP and ND are answered with the switch MAC for every other port's address, by nobody else. */
function resolve(
  tables: Tables,
  port: PortEntry,
  net: NetEntry,
  ask: Payload & { type: 'resolve' },
): Verdict {
  const isArp = ipFamily(ask.target) === 4;
  if (ipFamily(ask.sender) !== ipFamily(ask.target) || (!isArp && isMulticast(ask.target)))
    return drop('malformed');
  const isProbe = ask.sender === '0.0.0.0' || ask.sender === '::';
  const isOwn = ask.senderMac === port.mac && (isProbe || owns(port, ask.sender));
  if (!port.trusted && !isOwn) return drop('arp_spoof');
  if (isArp && ask.sender === ask.target) return drop('nd_ignored');
  const holder = tables.fib.get(`${port.net} ${ask.target}`);
  if (holder === undefined) return drop(isProbe ? 'nd_ignored' : 'arp_unknown');
  return holder.slot === port.slot ? drop('nd_ignored') : { action: 'answer', mac: net.switchMac };
}

type Datagram = Payload & { type: 'ip' };

/** `isGroup`: addressed to a broadcast or multicast MAC, which an IP unicast must not be. */
function forward(tables: Tables, port: PortEntry, net: NetEntry, ip: Datagram, isGroup: boolean): Verdict {
  if (ipFamily(ip.src) !== ipFamily(ip.dst)) return drop('malformed');
  const bad = sourceReason(port, ip.src);
  if (bad !== null) return drop(bad);
  const to = { srcMac: net.switchMac };
  const hit = tables.fib.get(`${port.net} ${ip.dst}`);
  const miss = hit === undefined ? missReason(tables, port, net, ip.dst) : null;
  if (miss !== null) return drop(miss);
  if (isGroup) return drop('multicast');
  if (hit === undefined)
    return { action: 'deliver', link: net.gateway, mac: net.gatewayMac, delivery: 'host', ...to };
  return { action: 'deliver', link: hit.link, mac: hit.mac, delivery: hit.delivery, ...to };
}

function sourceReason(port: PortEntry, src: Ip): DropReason | null {
  if (ipFamily(src) === 4) {
    if (!port.trusted) return src === port.ip4 ? null : 'src_ip';
    return isLoopback(src) ? 'loopback' : null;
  }
  // ::/64 holds the unspecified and the loopback address; none of it appears on a wire.
  if (ipToBigint(src) >> 64n === 0n) return isLoopback(src) ? 'loopback' : 'src_ip';
  return port.trusted || owns(port, src) ? null : 'src_ip';
}

/** Why a destination without an entry goes nowhere; null when it is one for the gateway. */
function missReason(tables: Tables, port: PortEntry, net: NetEntry, dst: Ip): DropReason | null {
  if (isLoopback(dst)) return 'loopback';
  if (isMulticast(dst) || dst === '255.255.255.255') return 'multicast';
  if (isLinkLocal6(dst)) return 'no_destination';
  if ((tables.subnets.get(port.net) ?? []).some(subnet => cidrContains(subnet.pool, dst)))
    return 'no_destination';
  if (net.internal) return 'internal';
  return port.trusted ? 'no_destination' : null;
}

function owns(port: PortEntry, source: Ip): boolean {
  return source === port.ip4 || source === port.ip6 || source === linkLocalOf(port.mac);
}
