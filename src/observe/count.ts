/** Counters as the API shows them. Sums are bigints inside; rounding never happens. */
import type { PortCounters } from '../kernel/port.ts';
import type { Count, Share, Tally } from '../wire/api/common.ts';

const LARGEST_EXACT = BigInt(Number.MAX_SAFE_INTEGER);

/** A JSON number while it is exact (up to 2^53-1), decimal digits above. */
export function toCount(value: bigint): Count {
  return value <= LARGEST_EXACT ? Number(value) : value.toString();
}

/** A sum of packets and bytes in the making. */
export interface Sum {
  packets: bigint;
  bytes: bigint;
}

export const emptySum = (): Sum => ({ packets: 0n, bytes: 0n });

export function addTo(sum: Sum, packets: bigint, bytes: bigint): void {
  sum.packets += packets;
  sum.bytes += bytes;
}

export const toTally = (sum: Sum): Tally => ({ packets: toCount(sum.packets), bytes: toCount(sum.bytes) });

export const NO_COUNTERS: PortCounters = { rxPackets: 0n, rxBytes: 0n, txPackets: 0n, txBytes: 0n };

/** `reason` says why what software forwarded is not in hardware. */
export function toShare(hardware: Sum, software: Sum, reason: string): Share {
  const total = hardware.bytes + software.bytes;
  return {
    hardware: toTally(hardware),
    software: toTally(software),
    hardwareRatio: total === 0n ? null : Number((hardware.bytes * 1_000_000n) / total) / 1_000_000,
    reason,
  };
}
