/** Rows of the eBPF maps: round trips and golden bytes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../src/ir/resource.ts';
import {
  FIB,
  type FibRow,
  NETS,
  type NetRow,
  PORTS,
  type PortRow,
  SUBNETS,
  type SubnetRow,
  type Table,
} from '../../src/kernel/native/tables.ts';
import type { Cidr, Ip, Mac, NetSlot, PortSlot } from '../../src/lib/brand.ts';
import { cidrNetwork, cidrOf, ipFromBigint } from '../../src/lib/ip.ts';
import { macFromBytes } from '../../src/lib/mac.ts';

const u32 = fc.integer({ min: 1, max: 0xffff_ffff });
const slot = fc.integer({ min: 0, max: 0xffff_ffff }).map(n => n as PortSlot);
const net = fc.integer({ min: 1, max: 65535 }).map(n => n as NetSlot);
const mac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map(macFromBytes);
const ip4 = fc.integer({ min: 1, max: 0xffff_ffff }).map(n => ipFromBigint(4, BigInt(n)));
const ip6 = fc.bigInt({ min: 2n ** 48n, max: 2n ** 128n - 1n }).map(n => ipFromBigint(6, n));
const ip = fc.oneof(ip4, ip6);
const pool: fc.Arbitrary<Cidr> = fc.oneof(
  fc.tuple(ip4, fc.integer({ min: 0, max: 32 })).map(([a, n]) => cidrNetwork(cidrOf(a, n))),
  fc.tuple(ip6, fc.integer({ min: 0, max: 128 })).map(([a, n]) => cidrNetwork(cidrOf(a, n))),
);

const portRow: fc.Arbitrary<PortRow> = fc.record({
  ifindex: u32,
  slot,
  net,
  mac,
  ip4: fc.option(ip4),
  ip6: fc.option(ip6),
  trusted: fc.boolean(),
  countPairs: fc.boolean(),
});
const netRow: fc.Arbitrary<NetRow> = fc.record({
  net,
  internal: fc.boolean(),
  gatewayIfindex: u32,
  gatewaySlot: slot,
  switchMac: mac,
  gatewayMac: mac,
});
const subnetRow: fc.Arbitrary<SubnetRow> = fc.record({ net, pool });
const fibRow: fc.Arbitrary<FibRow> = fc.record({
  net,
  addr: ip,
  ifindex: u32,
  slot,
  mac,
  delivery: fc.constantFrom<Delivery[]>('peer', 'transmit', 'host'),
});

function roundTrips<Row>(table: Table<Row>, row: fc.Arbitrary<Row>): void {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 5 }), rows => {
      const keys = table.encodeKeys(rows);
      const values = table.encodeValues(rows);
      expect([keys.length, values.length]).toEqual([
        rows.length * table.keySize,
        rows.length * table.valueSize,
      ]);
      expect(table.decode(keys, values, rows.length)).toEqual(rows);
    }),
  );
}

describe('decode(encode(rows)) = rows', () => {
  it('ports', () => roundTrips(PORTS, portRow));
  it('nets', () => roundTrips(NETS, netRow));
  it('subnets', () => roundTrips(SUBNETS, subnetRow));
  it('fib', () => roundTrips(FIB, fibRow));
});

describe('golden bytes (little-endian)', () => {
  const hex = <Row>(table: Table<Row>, row: Row): [string, string] => [
    table.encodeKeys([row]).toString('hex'),
    table.encodeValues([row]).toString('hex'),
  ];

  it('ports', () => {
    const row: PortRow = {
      ifindex: 0x102,
      slot: 7 as PortSlot,
      net: 3 as NetSlot,
      mac: '02:aa:bb:cc:dd:ee' as Mac,
      ip4: '10.1.0.2' as Ip,
      ip6: 'fd00::2' as Ip,
      trusted: true,
      countPairs: true,
    };
    expect(hex(PORTS, row)).toEqual([
      '02010000',
      ['07000000', '03000000', '02aabbccddee', '0300', '0a010002', `fd00${'00'.repeat(13)}02`].join(''),
    ]);
  });

  it('nets', () => {
    const row: NetRow = {
      net: 5 as NetSlot,
      internal: true,
      gatewayIfindex: 9,
      gatewaySlot: 1 as PortSlot,
      switchMac: '02:00:00:00:00:01' as Mac,
      gatewayMac: '02:00:00:00:00:02' as Mac,
    };
    expect(hex(NETS, row)).toEqual([
      '05000000',
      ['03000000', '09000000', '01000000', '020000000001', '020000000002'].join(''),
    ]);
  });

  it('subnets: the network in network order, IPv4 below the mapped prefix', () => {
    const v4 = { net: 0x0102 as NetSlot, pool: '10.1.0.0/16' as Cidr };
    const v6 = { net: 1 as NetSlot, pool: 'fd00:1::/64' as Cidr };
    const [mapped] = hex(SUBNETS, v4);
    expect(mapped).toBe(['90000000', '00000102', '00000000000000000000ffff0a010000'].join(''));
    const [six] = hex(SUBNETS, v6);
    expect(six).toBe(['60000000', '00000001', 'fd000001000000000000000000000000'].join(''));
  });

  it('fib', () => {
    const row: FibRow = {
      net: 1 as NetSlot,
      addr: '10.1.0.2' as Ip,
      ifindex: 11,
      slot: 4 as PortSlot,
      mac: '02:aa:bb:cc:dd:ee' as Mac,
      delivery: 'transmit',
    };
    expect(hex(FIB, row)).toEqual([
      ['01000000', '00000000000000000000ffff0a010002'].join(''),
      ['0b000000', '04000000', '02aabbccddee', '0200'].join(''),
    ]);
  });
});

describe('absence', () => {
  it('an all-zero network is no network', () => {
    const keys = Buffer.alloc(NETS.keySize * 2);
    expect(NETS.decode(keys, Buffer.alloc(NETS.valueSize * 2), 2)).toEqual([]);
  });
});
