/** Which address, which pool comes next. Pure; cost O(log of intervals in use), never O(pool size). */
import type { Cidr } from '../lib/brand.ts';
import { cidrLength, cidrOf, cidrRange, type Family, ipFamily, ipFromBigint } from '../lib/ip.ts';
import type { IntervalSet } from './interval-set.ts';

export interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

const BITS: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

/**
 * Addresses of a pool that an interface may have: not the network and broadcast address in IPv4, not
 * the subnet-router anycast address in IPv6 (RFC 4291 section 2.6.1). Point-to-point pools (/31 by
 * RFC 3021, /127 by RFC 6164) and single addresses use all they have.
 */
export function usableRange(pool: Cidr): Range {
  const { first, last } = cidrRange(pool);
  const family = ipFamily(pool);
  if (cidrLength(pool) >= BITS[family] - 1) return { first, last };
  return { first: first + 1n, last: family === 4 ? last - 1n : last };
}

/** Where dynamic addresses come from: the usable ones, within the sub-pool if there is one. */
export function dynamicRange(pool: Cidr, subPool: Cidr | null): Range {
  const usable = usableRange(pool);
  if (subPool === null) return usable;
  const limit = cidrRange(subPool);
  return {
    first: limit.first > usable.first ? limit.first : usable.first,
    last: limit.last < usable.last ? limit.last : usable.last,
  };
}

/**
 * The next free number after `cursor`, going round at the end of the range, so that what was freed
 * last is reused last; null when all are taken.
 */
export function nextFree(range: Range, taken: IntervalSet, cursor: bigint | null): bigint | null {
  const isInside = cursor !== null && range.first <= cursor && cursor < range.last;
  const after = taken.firstFreeFrom(isInside ? cursor + 1n : range.first);
  if (after <= range.last) return after;
  const wrapped = taken.firstFreeFrom(range.first);
  return wrapped <= range.last ? wrapped : null;
}

/** A block that default pools of one length are cut from. */
export interface PoolBlock {
  readonly base: Cidr;
  /** Prefix length of each pool. */
  readonly length: number;
}

/** The lowest pool of the block that meets nothing in `taken`; null when there is none. */
export function nextPool(block: PoolBlock, taken: IntervalSet): Cidr | null {
  const family = ipFamily(block.base);
  const size = 1n << BigInt(BITS[family] - block.length);
  const { first, last } = cidrRange(block.base);
  for (let at = first; at + size - 1n <= last; ) {
    const met = taken.meets(at, at + size - 1n);
    if (met === null) return cidrOf(ipFromBigint(family, at), block.length);
    at = first + ((met - first) / size + 1n) * size;
  }
  return null;
}
