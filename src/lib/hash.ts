/**
 * FNV-1a, 64 bit (RFC 9923), over UTF-8, as 16 hex digits. Not cryptographic: for short stable
 * names, never for anything an attacker may choose to collide.
 */
const encoder = new TextEncoder();
const PRIME_LOW = 0x1b3; // the prime is 2^40 + 0x1b3
const TWO_32 = 0x1_0000_0000;

export function fnv1a64(text: string): string {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (const byte of encoder.encode(text)) {
    low = (low ^ byte) >>> 0;
    // (high·2^32 + low)·(2^40 + 0x1b3) mod 2^64, every product below 2^53
    const product = low * PRIME_LOW;
    high = (high * PRIME_LOW + Math.floor(product / TWO_32) + ((low << 8) >>> 0)) % TWO_32;
    low = product % TWO_32;
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}
