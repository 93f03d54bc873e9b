import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { altname, gatewayNames, gatewayPrefix, linkRole, portNames } from '../../src/ir/names.ts';
import type { EndpointId, Mac, NetworkId } from '../../src/lib/brand.ts';
import { ERRNO, errnoName } from '../../src/lib/errno.ts';
import { fnv1a64 } from '../../src/lib/hash.ts';
import {
  isLocal,
  isUnicast,
  macFromBytes,
  macToBytes,
  parseMac,
  requireMac,
  stableMac,
} from '../../src/lib/mac.ts';
import { editDistance, nearestName } from '../../src/lib/suggest.ts';

describe('MAC addresses', () => {
  it('parses what it prints', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), bytes => {
        const mac = macFromBytes(bytes);
        expect(parseMac(mac)).toBe(mac);
        expect(parseMac(mac.toUpperCase().replaceAll(':', '-'))).toBe(mac);
        expect(macToBytes(mac)).toEqual(bytes);
      }),
    );
  });

  it.each([
    '',
    '02:42:ac:11:00',
    '02:42:ac:11:00:0g',
    '2:42:ac:11:0:2',
    '02-42:ac:11:00:02',
    '0242.ac11.0002',
  ])('refuses %j', t => {
    expect(parseMac(t)).toBeNull();
    expect(() => requireMac(t)).toThrow(/not a MAC/);
  });

  it('tells unicast and locally administered', () => {
    expect(isUnicast('02:00:00:00:00:01' as Mac)).toBe(true);
    expect(isUnicast('ff:ff:ff:ff:ff:ff' as Mac) || isUnicast('00:00:00:00:00:00' as Mac)).toBe(false);
    expect(isLocal('02:00:00:00:00:01' as Mac) && !isLocal('00:00:00:00:00:01' as Mac)).toBe(true);
  });

  it('derives stable local unicast MACs', () => {
    fc.assert(
      fc.property(fc.string(), seed => {
        const mac = stableMac(seed);
        expect(isUnicast(mac) && isLocal(mac)).toBe(true);
        expect(stableMac(seed)).toBe(mac);
      }),
    );
    expect(() => macFromBytes(new Uint8Array(5))).toThrow(RangeError);
  });
});

describe('FNV-1a 64', () => {
  it.each([
    ['', 'cbf29ce484222325'],
    ['a', 'af63dc4c8601ec8c'],
    ['foobar', '85944171f73967e8'],
  ])('matches the published vector for %j', (text, hash) => expect(fnv1a64(text)).toBe(hash));

  it('equals the definition over big integers', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), text => {
        let hash = 0xcbf29ce484222325n;
        for (const byte of new TextEncoder().encode(text)) {
          hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
        }
        expect(fnv1a64(text)).toBe(hash.toString(16).padStart(16, '0'));
      }),
    );
  });
});

describe('link names', () => {
  const identity = { instance: 'eswitchd', linkPrefix: 'ew' };
  it('fit IFNAMSIZ, are recognised, and differ by id and instance', () => {
    const id = 'a'.repeat(64);
    const longest = { instance: 'eswitchd', linkPrefix: 'abcd' };
    const names = [portNames(longest, id as EndpointId), gatewayNames(longest, id as NetworkId)];
    for (const name of names.flatMap(pair => [pair.rep, pair.fn])) expect(name).toHaveLength(15);
    const { rep, fn } = portNames(identity, id as EndpointId);
    expect(linkRole(identity, rep)).toEqual({ role: 'endpoint-rep', twin: fn });
    expect(linkRole(identity, fn)).toEqual({ role: 'endpoint-fn', twin: rep });
    const gateway = gatewayNames(identity, id as NetworkId);
    expect(linkRole(identity, gateway.fn)).toEqual({ role: 'gateway-fn', twin: gateway.rep });
    expect(gateway.fn.startsWith(gatewayPrefix(identity))).toBe(true);
    expect(linkRole(identity, 'eth0')).toBeNull();
    expect(linkRole(identity, 'ewx0123456789')).toBeNull();
    expect(linkRole(identity, 'ewr01234')).toBeNull();
    expect(portNames(identity, 'b'.repeat(64) as EndpointId).rep).not.toBe(rep);
    expect(portNames({ instance: 'other', linkPrefix: 'ew' }, id as EndpointId).rep).not.toBe(rep);
    expect(altname(identity, rep)).toBe(`eswitchd.${rep}`);
  });
});

describe('suggestions', () => {
  it('finds the nearest name, and none when nothing is near', () => {
    expect(nearestName('datapth', ['mtu', 'datapath', 'nat'])).toBe('datapath');
    expect(nearestName('MTU', ['mtu', 'nat'])).toBe('mtu');
    expect(nearestName('zzzzzz', ['mtu', 'nat'])).toBeNull();
    expect(editDistance('nta', 'nat')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
  });
  it('is a metric on equality and symmetry', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
      }),
    );
  });
});

it('names errnos', () => {
  expect(errnoName(ERRNO.ENODEV)).toBe('ENODEV');
  expect(errnoName(200)).toBe('errno 200');
});
