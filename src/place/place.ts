/**
 * Where each forwarding entry is handled, and why. The software eswitch holds every entry always;
 * hardware is a cache of some of them, so a placement never changes what happens to a packet.
 */
import type { FibEntry, Key } from '../ir/resource.ts';
import type { NetSlot } from '../lib/brand.ts';
import type { Network } from '../model/network.ts';
import type { Capabilities } from './capabilities.ts';
import { chooseDatapath } from './datapath.ts';

export type PlaceReason =
  /** In the hardware table. */
  | 'HW_OK'
  /** No NIC of this host has an eswitch that could take it. */
  | 'NO_EMBEDDED_SWITCH'
  /** The network asked for software (`-o datapath=software`). */
  | 'POLICY'
  /** Ends in the host's own stack, which no NIC can reach without the host. */
  | 'HOST_ADDRESS'
  /** The hardware table has no room left. */
  | 'TABLE_FULL';

export interface Placement {
  readonly where: 'software' | 'hardware';
  readonly reason: PlaceReason;
  readonly text: string;
}

const software = (reason: PlaceReason, text: string): Placement => ({ where: 'software', reason, text });
const HARDWARE: Placement = { where: 'hardware', reason: 'HW_OK', text: 'in the hardware table' };

/**
 * Entries compete for the hardware table in the order given (hottest first). They never overlap
 * (exact network and address), so any subset may be in hardware without changing a verdict.
 */
export function place(
  entries: Iterable<FibEntry>,
  networks: ReadonlyMap<NetSlot, Network>,
  capabilities: Capabilities,
): Map<Key, Placement> {
  const placements = new Map<Key, Placement>();
  let room = capabilities.hardwareEntries;
  for (const entry of entries) {
    const placement = placeOne(entry, networks.get(entry.net), capabilities, room);
    if (placement.where === 'hardware') room -= 1;
    placements.set(entry.key, placement);
  }
  return placements;
}

function placeOne(
  entry: FibEntry,
  network: Network | undefined,
  capabilities: Capabilities,
  room: number,
): Placement {
  if (network?.datapath === 'software') return software('POLICY', 'the network asks for datapath=software');
  const choice = network === undefined ? null : chooseDatapath(network, capabilities);
  if (choice === null || choice.verdict === 'refused' || choice.kind === 'software') {
    return software('NO_EMBEDDED_SWITCH', capabilities.switchdev.why);
  }
  if (entry.delivery === 'host')
    return software('HOST_ADDRESS', "the host's own address: its packets go through the host");
  return room > 0
    ? HARDWARE
    : software('TABLE_FULL', `the hardware table holds ${capabilities.hardwareEntries} entries`);
}
