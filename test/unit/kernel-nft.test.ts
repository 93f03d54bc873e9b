/** The nftables listing and the fixed rule text. */
import { describe, expect, it } from 'vitest';
import { MARKER, observedTable, parseListing } from '../../src/kernel/native/nft-listing.ts';
import { isKnownSet, RULESET_BODY, RULESET_DIGEST } from '../../src/kernel/native/nft-ruleset.ts';

const set = (name: string, type: unknown, elem: unknown, more: object = {}) => ({
  set: { family: 'inet', name, table: 't', type, handle: 7, elem, ...more },
});
const map = (name: string, type: unknown, to: string, elem: unknown) => ({
  map: { family: 'inet', name, table: 't', type, handle: 8, map: to, elem },
});
const rule = (handle: number, expr: unknown) => ({
  rule: { family: 'inet', table: 't', chain: 'forward', handle, expr },
});
const listing = (...items: object[]): string =>
  JSON.stringify({ nftables: [{ metainfo: { version: '1.0.6' } }, ...items] });

const BASE = [
  set('gateways', 'ifname', ['ewg1', 'ewg2']),
  set('masq4', 'ipv4_addr', [{ prefix: { addr: '10.1.0.0', len: 16 } }, '10.9.0.1'], { flags: ['interval'] }),
  set('masq6', 'ipv6_addr', [{ prefix: { addr: 'fd00:1::', len: 64 } }], { flags: ['interval'] }),
  map('pub4', ['ipv4_addr', 'inet_proto', 'inet_service'], 'ipv4_addr . inet_service', [
    [{ concat: ['192.0.2.1', 'tcp', 8081] }, { concat: ['10.1.0.2', 80] }],
  ]),
  map('pub6any', ['inet_proto', 'inet_service'], 'ipv6_addr . inet_service', [
    [{ concat: [17, 53] }, { concat: ['fd00:1::2', 5353] }],
    [{ elem: { val: { concat: ['sctp', 9] }, comment: 'x' } }, { concat: ['fd00:1::2', 9] }],
  ]),
  rule(3, [{ drop: null }]),
];

describe('elements', () => {
  const { elements } = parseListing(listing(...BASE));

  it('are spelled as compile spells them', () => {
    expect(elements.map(e => [e.key, e.value])).toEqual([
      ['nft-element/gateways/"ewg1"', null],
      ['nft-element/gateways/"ewg2"', null],
      ['nft-element/masq4/10.1.0.0/16', null],
      ['nft-element/masq4/10.9.0.1/32', null],
      ['nft-element/masq6/fd00:1::/64', null],
      ['nft-element/pub4/192.0.2.1 . tcp . 8081', '10.1.0.2 . 80'],
      ['nft-element/pub6any/udp . 53', 'fd00:1::2 . 5353'],
      ['nft-element/pub6any/sctp . 9', 'fd00:1::2 . 9'],
    ]);
  });

  it('of sets that are not ours to fill are left out', () => {
    const { elements: seen } = parseListing(listing(set('other', 'ifname', ['eth0'])));
    expect(seen).toEqual([]);
  });
});

describe('changes by hand', () => {
  const plain = parseListing(listing(...BASE));
  const marked = (...items: object[]): string =>
    listing(...items, set(MARKER, 'mark', undefined, { comment: `d1 ${plain.hash}` }));

  it('an intact table has the digest it was made with', () => {
    expect(observedTable(parseListing(marked(...BASE))).digest).toBe('d1');
  });

  it('handles and elements do not count', () => {
    const moved = [...BASE.slice(0, -1), rule(99, [{ drop: null }])];
    moved[0] = set('gateways', 'ifname', ['ewg3']);
    expect(observedTable(parseListing(marked(...moved))).digest).toBe('d1');
  });

  it.each([
    ['a rule changed', [...BASE.slice(0, -1), rule(3, [{ accept: null }])]],
    ['a rule added', [...BASE, rule(4, [{ accept: null }])]],
    ['a rule removed', BASE.slice(0, -1)],
    ['a set removed', BASE.slice(1)],
    [
      'a set made an interval set',
      [set('gateways', 'ifname', [], { flags: ['interval'] }), ...BASE.slice(1)],
    ],
  ])('%s shows', (_, items) => {
    expect(observedTable(parseListing(marked(...items))).digest).toMatch(/^changed:/);
  });

  it('a table without its marker is not ours as applied', () => {
    expect(observedTable(plain).digest).toMatch(/^changed:/);
  });

  it('text that was cut short is an error, not an empty table', () => {
    expect(() => parseListing(listing(...BASE).slice(0, -9))).toThrow(SyntaxError);
  });
});

describe('rule text', () => {
  it('fills every set it looks up', () => {
    const used = new Set([...RULESET_BODY.matchAll(/@(\w+)/g)].map(match => match[1] ?? ''));
    for (const name of used) expect(isKnownSet(name), name).toBe(true);
  });

  it('has a digest that says which text it is', () => {
    expect(RULESET_DIGEST).toMatch(/^[0-9a-f]{64}$/);
  });

  it('knows only its own sets', () => {
    expect(['toString', 'applied', 'pub5'].map(isKnownSet)).toEqual([false, false, false]);
  });
});
