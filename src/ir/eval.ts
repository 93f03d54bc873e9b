/**
 * Reference interpreter: what the eBPF program does with a packet, given the tables as resources.
 * It is the oracle of the tests; the order of checks is that of native/bpf/esw_port.bpf.c.
 */
import type { Ip, NetSlot } from '../lib/brand.ts';
import { cidrContains, isLinkLocal6, isLoopback, isMulticast, linkLocalOf } from '../lib/ip.ts';
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
  if (packet.tagged) return drop('vlan');
  if (packet.payload.type === 'other') return drop('ethertype');
  const net = tables.nets.get(port.net);
  if (net === undefined) return drop('no_network');
  if (!port.trusted && packet.srcMac !== port.mac) return drop('src_mac');
  return packet.payload.type === 'resolve'
    ? resolve(tables, port, net, packet.payload)
    : forward(tables, port, net, packet.payload);
}

/** ARP and ND are answered with the switch MAC for every address of the network, by nobody else. */
function resolve(
  tables: Tables,
  port: PortEntry,
  net: NetEntry,
  ask: Payload & { type: 'resolve' },
): Verdict {
  const probe = ask.sender === '0.0.0.0' || ask.sender === '::';
  if (!port.trusted && (ask.senderMac !== port.mac || !(probe || owns(port, ask.sender))))
    return drop('arp_spoof');
  if (probe || ask.target === ask.sender) return drop('nd_ignored');
  return tables.fib.has(`${port.net} ${ask.target}`)
    ? { action: 'answer', mac: net.switchMac }
    : drop('arp_unknown');
}

function forward(tables: Tables, port: PortEntry, net: NetEntry, ip: Payload & { type: 'ip' }): Verdict {
  if (isLoopback(ip.src) || isLoopback(ip.dst)) return drop('loopback');
  if (isMulticast(ip.dst) || ip.dst === '255.255.255.255') return drop('multicast');
  if (!port.trusted && !owns(port, ip.src)) return drop('src_ip');
  const hit = tables.fib.get(`${port.net} ${ip.dst}`);
  if (hit !== undefined) {
    return { action: 'deliver', link: hit.link, mac: hit.mac, srcMac: net.switchMac, host: hit.host };
  }
  const inside = (tables.subnets.get(port.net) ?? []).some(subnet => cidrContains(subnet.pool, ip.dst));
  if (inside || isLinkLocal6(ip.dst) || port.trusted) return drop('no_destination');
  if (net.internal) return drop('internal');
  return { action: 'deliver', link: net.gateway, mac: net.gatewayMac, srcMac: net.switchMac, host: true };
}

function owns(port: PortEntry, source: Ip): boolean {
  return source === port.ip4 || source === port.ip6 || source === linkLocalOf(port.mac);
}
