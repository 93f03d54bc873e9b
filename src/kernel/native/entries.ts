/** Map entries of the IR to rows of the eBPF tables and back: link names to ifindexes and back. */
import { fibEntry, netEntry, portEntry, subnetEntry } from '../../ir/make.ts';
import type { FibEntry, NetEntry, PortEntry, Resource, SubnetEntry } from '../../ir/resource.ts';
import type { HostLinks } from './links.ts';
import type { FibRow, NetRow, PortRow, SubnetRow } from './tables.ts';

export type Entry = PortEntry | NetEntry | SubnetEntry | FibEntry;

/** The link an entry points to, null for those that point to none. */
export function linkOf(entry: Entry): string | null {
  switch (entry.kind) {
    case 'port-entry':
      return entry.rep;
    case 'net-entry':
      return entry.gateway;
    case 'fib-entry':
      return entry.link;
    case 'subnet-entry':
      return null;
  }
}

/** Ifindex in a name of the form `#<ifindex>` (the link is gone), null for a real name. */
export function goneIfindex(link: string): number | null {
  const match = /^#(\d+)$/.exec(link);
  return match?.[1] === undefined ? null : Number(match[1]);
}

export function portRow(entry: PortEntry, ifindex: number): PortRow {
  const { slot, net, mac, ip4, ip6, trusted, countPairs } = entry;
  return { ifindex, slot, net, mac, ip4, ip6, trusted, countPairs };
}

export function netRow(entry: NetEntry, gatewayIfindex: number): NetRow {
  const { net, internal, gatewaySlot, switchMac, gatewayMac } = entry;
  return { net, internal, gatewayIfindex, gatewaySlot, switchMac, gatewayMac };
}

export function subnetRow({ net, pool }: SubnetEntry): SubnetRow {
  return { net, pool };
}

export function fibRow(entry: FibEntry, ifindex: number): FibRow {
  const { net, addr, slot, mac, delivery } = entry;
  return { net, addr, ifindex, slot, mac, delivery };
}

export interface EntryRows {
  readonly ports: readonly PortRow[];
  readonly nets: readonly NetRow[];
  readonly subnets: readonly SubnetRow[];
  readonly fib: readonly FibRow[];
}

/** Rows as observed entries. Only links of ours have names here: an ifindex may have been reused by another. */
export function observedEntries(rows: EntryRows, links: HostLinks): Resource[] {
  const nameOf = (ifindex: number): string => links.byIfindex.get(ifindex)?.name ?? `#${ifindex}`;
  return [
    ...rows.ports.map(({ ifindex, ...row }) => portEntry({ ...row, rep: nameOf(ifindex) })),
    ...rows.nets.map(({ gatewayIfindex, ...row }) => netEntry({ ...row, gateway: nameOf(gatewayIfindex) })),
    ...rows.subnets.map(({ net, pool }) => subnetEntry(net, pool)),
    ...rows.fib.map(({ ifindex, ...row }) => fibEntry({ ...row, link: nameOf(ifindex) })),
  ];
}
