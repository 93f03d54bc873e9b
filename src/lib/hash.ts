/**
 * FNV-1a, 64 bit (RFC 9923), over UTF-8. Not cryptographic: for short stable names, never for anything
 * an attacker may choose to collide.
 */
const encoder = new TextEncoder();
const PRIME_LOW = 0x1b3; // the prime is 2^40 + 0x1b3

const hex32 = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');

/**
 * A hash that is fed piece by piece. In words of 32 bits, multiplied by halves: it runs over every flow
 * rule, and larger numbers would be floating point.
 */
export class Fnv1a64 {
  #high = 0xcbf29ce4 | 0;
  #low = 0x84222325 | 0;

  /** Back to the start. */
  reset(): void {
    this.#high = 0xcbf29ce4 | 0;
    this.#low = 0x84222325 | 0;
  }

  add(text: string): this {
    let high = this.#high;
    let low = this.#low;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      // Names are ASCII nearly always.
      if (code >= 0x80) return this.#addBytes(encoder.encode(text));
      low ^= code;
      const lower = (low & 0xffff) * PRIME_LOW;
      const upper = (low >>> 16) * PRIME_LOW + (lower >>> 16);
      high = (Math.imul(high, PRIME_LOW) + (low << 8) + (upper >>> 16)) | 0;
      low = (upper << 16) | (lower & 0xffff);
    }
    this.#high = high;
    this.#low = low;
    return this;
  }

  #addBytes(bytes: Uint8Array): this {
    for (const byte of bytes) {
      const low = this.#low ^ byte;
      const lower = (low & 0xffff) * PRIME_LOW;
      const upper = (low >>> 16) * PRIME_LOW + (lower >>> 16);
      this.#high = (Math.imul(this.#high, PRIME_LOW) + (low << 8) + (upper >>> 16)) | 0;
      this.#low = (upper << 16) | (lower & 0xffff);
    }
    return this;
  }

  /** The upper 32 bits. */
  get high(): number {
    return this.#high >>> 0;
  }

  get low(): number {
    return this.#low >>> 0;
  }

  hex(): string {
    return hex32(this.#high) + hex32(this.#low);
  }
}

/** As 16 hex digits. */
export function fnv1a64(text: string): string {
  return new Fnv1a64().add(text).hex();
}
