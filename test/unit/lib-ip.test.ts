import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cidr, Ip, Mac } from '../../src/lib/brand.ts';
import {
  cidrAddress,
  cidrContains,
  cidrContainsCidr,
  cidrFirst,
  cidrLast,
  cidrLength,
  cidrNetwork,
  cidrNext,
  cidrOf,
  cidrOverlaps,
  compareIp,
  ipAdd,
  ipFamily,
  ipFromBigint,
  ipFromBytes,
  ipToBigint,
  ipToBytes,
  isLinkLocal6,
  isLoopback,
  isMulticast,
  isNetwork,
  linkLocalOf,
  parseCidr,
  parseIp,
  requireCidr,
  requireIp,
} from '../../src/lib/ip.ts';

const v4 = fc.bigInt(0n, 2n ** 32n - 1n).map(n => ipFromBigint(4, n));
const v6 = fc
  .oneof(
    fc.bigInt(0n, 2n ** 128n - 1n),
    fc.bigInt(0n, 2n ** 16n - 1n),
    fc
      .array(fc.constantFrom(0n, 1n, 0xffffn), { minLength: 8, maxLength: 8 })
      .map(g => g.reduce((v: bigint, x) => (v << 16n) | x, 0n)),
  )
  .filter(n => n >> 32n !== 0xffffn)
  .map(n => ipFromBigint(6, n));
const anyIp = fc.oneof(v4, v6);
const anyCidr = fc.oneof(
  fc.tuple(v4, fc.integer({ min: 0, max: 32 })).map(([ip, n]) => cidrOf(ip, n)),
  fc
    .tuple(
      v6.filter(ip => ipToBigint(ip) > 1n << 48n),
      fc.integer({ min: 97, max: 128 }),
    )
    .map(([ip, n]) => cidrOf(ip, n)),
);

describe('addresses', () => {
  it('parses what it prints, through text, bytes and numbers', () => {
    fc.assert(
      fc.property(anyIp, ip => {
        expect(parseIp(ip)).toBe(ip);
        expect(ipFromBytes(ipToBytes(ip))).toBe(ip);
        expect(ipFromBigint(ipFamily(ip), ipToBigint(ip))).toBe(ip);
      }),
    );
  });

  it.each([
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::1', '::1'],
    ['fe80::', 'fe80::'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['10.0.0.1', '10.0.0.1'],
  ])('canonicalises %s (RFC 5952)', (text, canonical) => expect(parseIp(text)).toBe(canonical));

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.1.1.1',
    '1.2.3.4 ',
    '1.2.3.-4',
    '0x1.2.3.4',
    '1::2::3',
    ':::',
    ':1',
    '1:',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '12345::',
    'g::',
    'fe80::1%eth0',
    '::ffff:1.2.3.4',
    '::ffff:102:304',
    '1.2.3.4::',
    '::01.2.3.4',
    'localhost',
  ])('refuses %j', text => expect(parseIp(text)).toBeNull());

  it('stores IPv4 as the IPv4-mapped address', () => {
    expect([...ipToBytes('10.1.2.3' as Ip)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 1, 2, 3]);
    expect(() => ipFromBytes(new Uint8Array(4))).toThrow(RangeError);
  });

  it('steps, compares and classifies', () => {
    expect(ipAdd('10.0.0.255' as Ip, 1)).toBe('10.0.1.0');
    expect(ipAdd('255.255.255.255' as Ip, 1)).toBeNull();
    expect(ipAdd('0.0.0.0' as Ip, -1)).toBeNull();
    expect(['::1', '10.0.0.2', '9.0.0.1'].map(requireIp).sort(compareIp)).toEqual([
      '9.0.0.1',
      '10.0.0.2',
      '::1',
    ]);
    expect(isMulticast('224.0.0.1' as Ip) && isMulticast('ff02::1' as Ip)).toBe(true);
    expect(isMulticast('223.0.0.1' as Ip) || isMulticast('fe80::1' as Ip)).toBe(false);
    expect(isLoopback('127.3.2.1' as Ip) && isLoopback('::1' as Ip)).toBe(true);
    expect(isLinkLocal6('febf::1' as Ip) && !isLinkLocal6('fec0::1' as Ip)).toBe(true);
    expect(() => requireIp('x')).toThrow(/not an IP/);
    expect(() => ipFromBigint(4, 1n << 32n)).toThrow(RangeError);
  });

  it('derives the link-local address of a MAC (RFC 4291 appendix A)', () => {
    expect(linkLocalOf('02:42:ac:11:00:02' as Mac)).toBe('fe80::42:acff:fe11:2');
  });
});

describe('prefixes', () => {
  it('parses what it prints and keeps host bits', () => {
    fc.assert(
      fc.property(anyCidr, cidr => {
        expect(parseCidr(cidr)).toBe(cidr);
      }),
    );
    expect(parseCidr('2001:DB8::1/64')).toBe('2001:db8::1/64');
  });

  it.each([
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '::/129',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0/8',
  ])('refuses %j', text => {
    expect(parseCidr(text)).toBeNull();
    expect(() => requireCidr(text)).toThrow(/not an address/);
  });

  it('contains its first and last address and not their neighbours', () => {
    fc.assert(
      fc.property(anyCidr, cidr => {
        const network = cidrNetwork(cidr);
        expect(isNetwork(network)).toBe(true);
        expect(cidrContains(cidr, cidrFirst(cidr)) && cidrContains(cidr, cidrLast(cidr))).toBe(true);
        expect(cidrContains(cidr, cidrAddress(cidr))).toBe(true);
        const after = ipAdd(cidrLast(cidr), 1);
        if (after !== null) expect(cidrContains(cidr, after)).toBe(false);
        const next = cidrNext(cidr);
        expect(next === null).toBe(after === null);
        if (next !== null) expect(cidrOverlaps(next, cidr)).toBe(false);
      }),
    );
  });

  it('overlaps exactly when one contains the other', () => {
    const small = fc
      .tuple(fc.bigInt(0n, 255n), fc.integer({ min: 24, max: 32 }))
      .map(([n, l]) => cidrOf(ipFromBigint(4, n), l));
    fc.assert(
      fc.property(small, small, (a, b) => {
        const members = (c: Cidr): Set<bigint> => {
          const set = new Set<bigint>();
          for (let n = ipToBigint(cidrFirst(c)); n <= ipToBigint(cidrLast(c)); n++) set.add(n);
          return set;
        };
        const [x, y] = [members(a), members(b)];
        expect(cidrOverlaps(a, b)).toBe([...x].some(n => y.has(n)));
        expect(cidrContainsCidr(a, b)).toBe([...y].every(n => x.has(n)));
      }),
    );
    expect(cidrOverlaps('0.0.0.0/0' as Cidr, '::/0' as Cidr)).toBe(false);
    expect(cidrLength('::/64' as Cidr)).toBe(64);
  });
});
