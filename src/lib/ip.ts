/**
 * IPv4 and IPv6 addresses and prefixes as canonical text: dotted quad without leading zeros, and
 * RFC 5952 for IPv6. Parsing is strict. IPv4-mapped IPv6 text (`::ffff:1.2.3.4`) is refused: the
 * tables store IPv4 that way, so it would be a second spelling of an IPv4 address.
 */
import type { Cidr, Ip, Mac } from './brand.ts';
import { EswError } from './errors.ts';
import { macToBytes } from './mac.ts';

export type Family = 4 | 6;

/** Bytes 0..11 of an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2). */
const MAPPED_PREFIX = 0xffffn << 32n;

const BITS: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

export function ipFamily(ip: Ip | Cidr): Family {
  return ip.includes(':') ? 6 : 4;
}

/** Canonical address, or null when `text` is not one. */
export function parseIp(text: string): Ip | null {
  if (text.includes(':')) {
    const groups = parseGroups(text);
    return groups === null || isMapped(groups) ? null : formatGroups(groups);
  }
  const value = parseQuad(text);
  return value === null ? null : formatQuad(value);
}

/** As parseIp; throws ESW_ERR_REQUEST_FIELD. */
export function requireIp(text: string): Ip {
  const ip = parseIp(text);
  if (ip === null) throw new EswError('ESW_ERR_REQUEST_FIELD', `"${text}" is not an IP address`);
  return ip;
}

/** 16 bytes, network order; IPv4 as the IPv4-mapped address. */
export function ipToBytes(ip: Ip): Uint8Array {
  const bytes = new Uint8Array(16);
  if (ipFamily(ip) === 4) {
    bytes[10] = 0xff;
    bytes[11] = 0xff;
    const value = quadOf(ip);
    for (let i = 0; i < 4; i++) bytes[12 + i] = (value >>> (24 - 8 * i)) & 0xff;
    return bytes;
  }
  groupsOf(ip).forEach((group, i) => {
    bytes[2 * i] = group >> 8;
    bytes[2 * i + 1] = group & 0xff;
  });
  return bytes;
}

/** Inverse of ipToBytes: a mapped address comes back as IPv4. Throws RangeError unless 16 bytes. */
export function ipFromBytes(bytes: Uint8Array): Ip {
  if (bytes.length !== 16) throw new RangeError(`address of ${bytes.length} bytes`);
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  if (!isMapped(groups)) return formatGroups(groups);
  return formatQuad((((groups[6] ?? 0) << 16) | (groups[7] ?? 0)) >>> 0);
}

/** The address as a number, 0..2^32-1 or 0..2^128-1 by family. */
export function ipToBigint(ip: Ip): bigint {
  if (ipFamily(ip) === 4) return BigInt(quadOf(ip));
  return groupsOf(ip).reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** Throws RangeError for a number that is no address of `family` (or an IPv4-mapped one). */
export function ipFromBigint(family: Family, value: bigint): Ip {
  if (value < 0n || value >> BigInt(BITS[family]) !== 0n)
    throw new RangeError(`no IPv${family} address: ${value}`);
  if (family === 4) return formatQuad(Number(value));
  if (value >> 32n === MAPPED_PREFIX >> 32n) throw new RangeError('IPv4-mapped IPv6 address');
  return formatGroups(Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn)));
}

/** The address `step` further, null when that leaves the family's range. */
export function ipAdd(ip: Ip, step: number | bigint): Ip | null {
  const family = ipFamily(ip);
  const value = ipToBigint(ip) + BigInt(step);
  return value < 0n || value >> BigInt(BITS[family]) !== 0n ? null : ipFromBigint(family, value);
}

/** Order of addresses: IPv4 before IPv6, then by number. */
export function compareIp(a: Ip, b: Ip): number {
  const families = ipFamily(a) - ipFamily(b);
  if (families !== 0) return families;
  const x = ipToBigint(a);
  const y = ipToBigint(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

export function isMulticast(ip: Ip): boolean {
  return ipFamily(ip) === 4 ? quadOf(ip) >>> 28 === 0xe : (groupsOf(ip)[0] ?? 0) >> 8 === 0xff;
}

/** 127.0.0.0/8 or ::1. */
export function isLoopback(ip: Ip): boolean {
  return ipFamily(ip) === 4 ? quadOf(ip) >>> 24 === 127 : ip === '::1';
}

/** fe80::/10. */
export function isLinkLocal6(ip: Ip): boolean {
  return ipFamily(ip) === 6 && (groupsOf(ip)[0] ?? 0) >> 6 === 0xfe80 >> 6;
}

/** fe80::/64 address with the modified EUI-64 of `mac` (RFC 4291 appendix A). */
export function linkLocalOf(mac: Mac): Ip {
  const b = macToBytes(mac);
  const at = (i: number): number => b[i] ?? 0;
  const id = [((at(0) ^ 2) << 8) | at(1), (at(2) << 8) | 0xff, 0xfe00 | at(3), (at(4) << 8) | at(5)];
  return formatGroups([0xfe80, 0, 0, 0, ...id]);
}

/** Canonical `address/prefixlen` of any address (host bits kept), or null. */
export function parseCidr(text: string): Cidr | null {
  const slash = text.indexOf('/');
  if (slash < 0) return null;
  const ip = parseIp(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (ip === null || !/^(0|[1-9][0-9]{0,2})$/.test(length)) return null;
  return Number(length) > BITS[ipFamily(ip)] ? null : (`${ip}/${length}` as Cidr);
}

/** As parseCidr; throws ESW_ERR_REQUEST_FIELD. */
export function requireCidr(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === null)
    throw new EswError('ESW_ERR_REQUEST_FIELD', `"${text}" is not an address with prefix length`);
  return cidr;
}

/** Throws RangeError when `length` does not fit the family. */
export function cidrOf(ip: Ip, length: number): Cidr {
  if (!Number.isInteger(length) || length < 0 || length > BITS[ipFamily(ip)]) {
    throw new RangeError(`prefix length ${length}`);
  }
  return `${ip}/${length}` as Cidr;
}

export function cidrAddress(cidr: Cidr): Ip {
  return cidr.slice(0, cidr.indexOf('/')) as Ip;
}

/** Prefix length in bits. */
export function cidrLength(cidr: Cidr): number {
  return Number(cidr.slice(cidr.indexOf('/') + 1));
}

/** Lowest and highest address as numbers. */
export function cidrRange(cidr: Cidr): { readonly first: bigint; readonly last: bigint } {
  const host = BigInt(BITS[ipFamily(cidr)] - cidrLength(cidr));
  const first = (ipToBigint(cidrAddress(cidr)) >> host) << host;
  return { first, last: first + (1n << host) - 1n };
}

/** Network address (first of the range). */
export function cidrFirst(cidr: Cidr): Ip {
  return ipFromBigint(ipFamily(cidr), cidrRange(cidr).first);
}

/** Last address of the range (the broadcast address in IPv4). */
export function cidrLast(cidr: Cidr): Ip {
  return ipFromBigint(ipFamily(cidr), cidrRange(cidr).last);
}

/** The prefix with its host bits cleared. */
export function cidrNetwork(cidr: Cidr): Cidr {
  return cidrOf(cidrFirst(cidr), cidrLength(cidr));
}

/** Whether the host bits are zero, as a pool's must be. */
export function isNetwork(cidr: Cidr): boolean {
  return cidrNetwork(cidr) === cidr;
}

/** The next prefix of the same length, null at the end of the address space. */
export function cidrNext(cidr: Cidr): Cidr | null {
  const { last } = cidrRange(cidr);
  const family = ipFamily(cidr);
  return (last + 1n) >> BigInt(BITS[family]) !== 0n
    ? null
    : cidrOf(ipFromBigint(family, last + 1n), cidrLength(cidr));
}

export function cidrContains(cidr: Cidr, ip: Ip): boolean {
  if (ipFamily(cidr) !== ipFamily(ip)) return false;
  const { first, last } = cidrRange(cidr);
  const value = ipToBigint(ip);
  return first <= value && value <= last;
}

export function cidrContainsCidr(outer: Cidr, inner: Cidr): boolean {
  return cidrLength(outer) <= cidrLength(inner) && cidrContains(outer, cidrAddress(inner));
}

export function cidrOverlaps(a: Cidr, b: Cidr): boolean {
  return cidrContainsCidr(a, b) || cidrContainsCidr(b, a);
}

function parseQuad(text: string): number | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return null;
    value = value * 256 + Number(part);
  }
  return value;
}

function formatQuad(value: number): Ip {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}` as Ip;
}

/** `ip` is canonical, so a failure here is a cast somewhere that skipped parsing. */
function quadOf(ip: Ip): number {
  const value = parseQuad(ip);
  if (value === null) throw new RangeError(`not canonical: ${ip}`);
  return value;
}

function groupsOf(ip: Ip): readonly number[] {
  const groups = parseGroups(ip);
  if (groups === null) throw new RangeError(`not canonical: ${ip}`);
  return groups;
}

/** Eight 16-bit groups (RFC 4291 section 2.2, with an embedded dotted quad at the end allowed). */
function parseGroups(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseHalf(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseHalf(halves[1] ?? '', true) : [];
  if (head === null || tail === null) return null;
  if (halves.length === 1) return head.length === 8 ? head : null;
  const zeros = 8 - head.length - tail.length;
  return zeros < 1 ? null : [...head, ...new Array<number>(zeros).fill(0), ...tail];
}

function parseHalf(text: string, isEnd: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (isEnd && i === parts.length - 1 && part.includes('.')) {
      const quad = parseQuad(part);
      if (quad === null) return null;
      groups.push(quad >>> 16, quad & 0xffff);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return null;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

/** RFC 5952 section 4: lower case, no leading zeros, the first longest run of ≥ 2 zeros is `::`. */
function formatGroups(groups: readonly number[]): Ip {
  let at = -1;
  let length = 1;
  for (let i = 0; i < 8; ) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) {
      at = i;
      length = end - i;
    }
    i = end + 1;
  }
  const hex = (part: readonly number[]): string => part.map(group => group.toString(16)).join(':');
  return (at < 0 ? hex(groups) : `${hex(groups.slice(0, at))}::${hex(groups.slice(at + length))}`) as Ip;
}

function isMapped(groups: readonly number[]): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every(group => group === 0);
}
