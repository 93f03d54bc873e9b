/** Numbers, times and ids for people. Counts come as numbers or, above 2^53-1, as decimal digits. */
import type { Count } from '../wire/api/common.ts';

const UNITS = ['', 'k', 'M', 'G', 'T', 'P', 'E'] as const;

/** Three significant digits and an SI unit: 980, 12.3k, 1.20M. Rounds half up, never to 1000. */
export function compact(count: Count): string {
  const [digits, unit] = scaled(count);
  return `${digits}${unit}`;
}

function scaled(count: Count): [string, string] {
  const value = BigInt(count);
  if (value < 1000n) return [value.toString(), ''];
  let divisor = 1000n;
  let unit = 1;
  // 999,500 would print as 1000k: it belongs to the next unit.
  while (unit < UNITS.length - 1 && value * 2n >= divisor * 1999n) {
    divisor *= 1000n;
    unit++;
  }
  const whole = Number((value * 1000n) / divisor) / 1000;
  const digits = whole.toFixed(whole < 9.995 ? 2 : whole < 99.95 ? 1 : 0);
  return [digits, UNITS[unit] ?? ''];
}

/** `15.2 GB`, decimal units as on a NIC's data sheet. */
export function bytes(count: Count): string {
  const [digits, unit] = scaled(count);
  return `${digits} ${unit}B`;
}

/** `1,234,567` */
export function grouped(count: Count): string {
  return String(count).replaceAll(/\B(?=([0-9]{3})+$)/g, ',');
}

/** `1 packet`, `1,204 packets`, above a million `12.3 M packets`. */
export function packets(count: Count): string {
  const [digits, unit] = scaled(count);
  const number = BigInt(count) < 1_000_000n ? grouped(count) : `${digits} ${unit}`;
  return `${number} packet${number === '1' ? '' : 's'}`;
}

/** `1 endpoint`, `2 endpoints`. */
export const plural = (count: number, noun: string): string =>
  `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;

/** `62.5 %`; null (nothing forwarded yet) is a dash. */
export const percent = (ratio: number | null): string =>
  ratio === null ? '-' : `${(ratio * 100).toFixed(1)} %`;

/** `8 s`, `12 min`, `3 h 12 min`, `2 d 4 h`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 120) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 120) return `${min} min`;
  const hours = Math.floor(min / 60);
  if (hours < 48) return `${hours} h ${min % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `0.4 ms`, `12 ms`, `1.3 s`. */
export function milliseconds(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export const ago = (atMs: number, nowMs: number): string => `${duration((nowMs - atMs) / 1000)} ago`;

/** Docker's short form of an id. */
export const shortId = (id: string): string => id.slice(0, 12);

export const isZero = (count: Count): boolean => BigInt(count) === 0n;

export function sum(counts: readonly Count[]): Count {
  const total = counts.reduce<bigint>((part, count) => part + BigInt(count), 0n);
  return total <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(total) : total.toString();
}
