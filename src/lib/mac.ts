/** MAC addresses (EUI-48) as canonical text `aa:bb:cc:dd:ee:ff`. */
import type { Mac } from './brand.ts';
import { EswError } from './errors.ts';
import { fnv1a64 } from './hash.ts';

/** Canonical MAC of `aa:bb:cc:dd:ee:ff` or `AA-BB-CC-DD-EE-FF`, null for anything else. */
export function parseMac(text: string): Mac | null {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text) && !/^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/i.test(text))
    return null;
  return text.toLowerCase().replaceAll('-', ':') as Mac;
}

/** As parseMac; throws ESW_ERR_REQUEST_FIELD. */
export function requireMac(text: string): Mac {
  const mac = parseMac(text);
  if (mac === null) throw new EswError('ESW_ERR_REQUEST_FIELD', `"${text}" is not a MAC address`);
  return mac;
}

/** Throws RangeError unless six bytes. */
export function macFromBytes(bytes: Uint8Array): Mac {
  if (bytes.length !== 6) throw new RangeError(`MAC of ${bytes.length} bytes`);
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(':') as Mac;
}

export function macToBytes(mac: Mac): Uint8Array {
  return Uint8Array.from(mac.split(':'), part => Number.parseInt(part, 16));
}

/** Not multicast, not broadcast, not all zeros: what a port may have. */
export function isUnicast(mac: Mac): boolean {
  return (firstByte(mac) & 1) === 0 && mac !== '00:00:00:00:00:00';
}

/** Locally administered (IEEE 802: second-lowest bit of the first byte). */
export function isLocal(mac: Mac): boolean {
  return (firstByte(mac) & 2) !== 0;
}

/** A locally administered unicast MAC that is always the same for the same `seed`. */
export function stableMac(seed: string): Mac {
  const hash = fnv1a64(seed);
  const bytes = Uint8Array.from({ length: 6 }, (_, i) => Number.parseInt(hash.slice(2 * i, 2 * i + 2), 16));
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return macFromBytes(bytes);
}

function firstByte(mac: Mac): number {
  return Number.parseInt(mac.slice(0, 2), 16);
}
