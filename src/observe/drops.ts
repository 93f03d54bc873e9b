/** Drop counters by reason, with the reason in words. */
import type { DropReason } from '../ir/drop-reason.ts';
import { DROP_REASONS } from '../ir/drop-reason.ts';
import type { DropCounter } from '../kernel/port.ts';
import type { Drop } from '../wire/api/common.ts';
import { addTo, emptySum, type Sum, toTally } from './count.ts';

export const DROP_TEXT: Readonly<Record<DropReason, string>> = {
  none: 'no reason recorded',
  no_port: 'port is being made or removed',
  src_mac: "source MAC is not the port's",
  src_ip: "source address is not the port's",
  no_destination: 'no endpoint has the destination address',
  multicast: 'multicast or broadcast',
  ethertype: 'neither IPv4, IPv6 nor ARP',
  vlan: 'VLAN-tagged frame',
  malformed: 'malformed header',
  arp_unknown: 'ARP or ND question for an address nobody has',
  arp_spoof: "ARP or ND sender is not the port's",
  internal: 'destination outside an internal network',
  loopback: 'loopback address on the wire',
  no_network: 'network is being removed',
  nd_ignored: 'DAD, RS, RA or MLD: harmless, not in the sum',
};

/** Sent by every IPv6 stack when a link comes up. */
const HARMLESS: DropReason = 'nd_ignored';

/** As text, so that a name the kernel gave can be looked up. */
const NAMES: readonly string[] = DROP_REASONS;

const isReason = (name: string): name is DropReason => NAMES.includes(name);

/** Sums by reason, most packets first; equal ones in the order of DROP_REASONS. */
export function sumDrops(counters: readonly DropCounter[]): Drop[] {
  const sums = new Map<string, Sum>();
  for (const { reason, packets, bytes } of counters) {
    if (packets === 0n) continue;
    const sum = sums.get(reason) ?? emptySum();
    addTo(sum, packets, bytes);
    sums.set(reason, sum);
  }
  const order = (reason: string) => NAMES.indexOf(reason);
  return [...sums]
    .sort(([a, x], [b, y]) =>
      x.packets === y.packets ? order(a) - order(b) : x.packets < y.packets ? 1 : -1,
    )
    .map(([reason, sum]) => ({
      reason,
      text: isReason(reason) ? DROP_TEXT[reason] : 'unknown to this version',
      harmless: reason === HARMLESS,
      ...toTally(sum),
    }));
}
