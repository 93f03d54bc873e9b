/** Port and drop counters: per-CPU records, summed here. */
import { DROP_REASONS } from '../../ir/drop-reason.ts';
import type { PortSlot } from '../../lib/brand.ts';
import type { Counters, DropCounter, PairCounter, PortCounters } from '../port.ts';
import { encodeAll } from './layout.ts';
import type { Maps } from './maps.ts';
import { DROP_KEY, DROP_VALUE, PAIR_KEY, PAIR_VALUE, STATS_KEY, STATS_VALUE } from './tables.ts';

const STATS = 'stats';
const DROPS = 'drops';
const PAIRS = 'pairs';
/** Slot of drops whose port is not in "ports". */
const SLOT_NONE = 0xffff_ffff;

/** Slots that never counted anything are left out. */
export async function readCounters(maps: Maps): Promise<Counters> {
  const info = await maps.info(STATS);
  if (info === null) return { ports: new Map(), drops: [] };
  const cpus = info.possibleCpus;
  const [stats, drops] = await Promise.all([
    maps.dumpRaw(STATS, STATS_KEY.size, STATS_VALUE.size * cpus),
    maps.dumpRaw(DROPS, DROP_KEY.size, DROP_VALUE.size * cpus),
  ]);
  const ports = new Map<PortSlot, PortCounters>();
  for (let at = 0; at < stats.count; at++) {
    const sum = sumStats(stats.values, at * STATS_VALUE.size * cpus, cpus);
    if (sum !== null) ports.set(STATS_KEY.decode(stats.keys, at * STATS_KEY.size).value as PortSlot, sum);
  }
  return { ports, drops: readDrops(drops.keys, drops.values, drops.count, cpus) };
}

/** What ports that are counted by pair sent to others; reads whatever the map holds. */
export async function readPairs(maps: Maps): Promise<PairCounter[]> {
  const info = await maps.info(PAIRS);
  if (info === null) return [];
  const cpus = info.possibleCpus;
  const { keys, values, count } = await maps.dumpRaw(PAIRS, PAIR_KEY.size, PAIR_VALUE.size * cpus);
  return Array.from({ length: count }, (_, at) => {
    const { src, dst, family } = PAIR_KEY.decode(keys, at * PAIR_KEY.size);
    const sums = sumBoth(values, at * PAIR_VALUE.size * cpus, cpus);
    return { src: src as PortSlot, dst: dst as PortSlot, family: family === 6 ? 6 : 4, ...sums };
  });
}

/** `esw_drop` and `esw_pair` are the same two words. */
function sumBoth(values: Buffer, start: number, cpus: number): { packets: bigint; bytes: bigint } {
  let [packets, bytes] = [0n, 0n];
  for (let cpu = 0; cpu < cpus; cpu++) {
    const part = PAIR_VALUE.decode(values, start + cpu * PAIR_VALUE.size);
    packets += part.packets;
    bytes += part.bytes;
  }
  return { packets, bytes };
}

function sumStats(values: Buffer, start: number, cpus: number): PortCounters | null {
  const size = STATS_VALUE.size * cpus;
  // Most slots are unused; finding out must not cost a decode each.
  if (values.subarray(start, start + size).every(byte => byte === 0)) return null;
  let [rxPackets, rxBytes, txPackets, txBytes] = [0n, 0n, 0n, 0n];
  for (let at = start; at < start + size; at += STATS_VALUE.size) {
    const part = STATS_VALUE.decode(values, at);
    rxPackets += part.rx_packets;
    rxBytes += part.rx_bytes;
    txPackets += part.tx_packets;
    txBytes += part.tx_bytes;
  }
  return { rxPackets, rxBytes, txPackets, txBytes };
}

function readDrops(keys: Buffer, values: Buffer, count: number, cpus: number): DropCounter[] {
  return Array.from({ length: count }, (_, at) => {
    const key = DROP_KEY.decode(keys, at * DROP_KEY.size);
    const { packets, bytes } = sumBoth(values, at * DROP_VALUE.size * cpus, cpus);
    const slot = key.slot === SLOT_NONE ? -1 : key.slot;
    return { slot, reason: DROP_REASONS[key.reason] ?? `reason_${key.reason}`, packets, bytes };
  });
}

/** Zeroes the counters of slots, on every CPU, and forgets their drops and pairs. */
export async function resetSlots(maps: Maps, slots: readonly PortSlot[]): Promise<void> {
  const info = await maps.info(STATS);
  if (info === null || slots.length === 0) return;
  const keys = encodeAll(
    STATS_KEY,
    slots.map(slot => ({ value: slot })),
  );
  const values = Buffer.alloc(slots.length * STATS_VALUE.size * info.possibleCpus);
  await maps.updateRaw(STATS, { keys, values, count: slots.length });
  const drops = slots.flatMap(slot => DROP_REASONS.map((_, reason) => ({ slot, reason })));
  await maps.deleteRaw(DROPS, encodeAll(DROP_KEY, drops), drops.length);
  const again = new Set(slots);
  const pairs = (await readPairs(maps)).filter(({ src, dst }) => again.has(src) || again.has(dst));
  await maps.deleteRaw(PAIRS, encodeAll(PAIR_KEY, pairs), pairs.length);
}
