/**
 * The eBPF maps (native/bpf/esw_maps.h) as tables of rows. Rows hold ifindexes, as the maps do; their
 * translation from and to link names is in entries.ts.
 */
import type { Delivery } from '../../ir/resource.ts';
import type { Cidr, Ip, Mac, NetSlot, PortSlot } from '../../lib/brand.ts';
import { cidrAddress, cidrLength, cidrOf, ipFamily, ipFromBytes, ipToBytes } from '../../lib/ip.ts';
import { macFromBytes, macToBytes } from '../../lib/mac.ts';
import {
  be32,
  bytes,
  encodeAll,
  type Fields,
  type RecordLayout,
  record,
  u16,
  u32,
  u64,
  type Values,
} from './layout.ts';

/** Part of the pin path: another layout is another set of maps. */
export const MAPS_VERSION = 1;

/** Codec of one map: rows to packed keys and values, and back. */
export interface Table<Row> {
  readonly map: string;
  readonly keySize: number;
  readonly valueSize: number;
  encodeKeys(rows: readonly Row[]): Buffer;
  encodeValues(rows: readonly Row[]): Buffer;
  /** Rows that stand for nothing (absent networks of an array) are left out. */
  decode(keys: Buffer, values: Buffer, count: number): Row[];
}

interface TableSpec<Row, K extends Fields, V extends Fields> {
  readonly map: string;
  readonly key: RecordLayout<K>;
  readonly value: RecordLayout<V>;
  toKey(row: Row): Values<K>;
  toValue(row: Row): Values<V>;
  toRow(key: Values<K>, value: Values<V>): Row;
  /** Arrays have every key: whether the value at `at` stands for something. */
  isPresent?(values: Buffer, at: number): boolean;
}

function table<Row, K extends Fields, V extends Fields>(spec: TableSpec<Row, K, V>): Table<Row> {
  const { key, value } = spec;
  return {
    map: spec.map,
    keySize: key.size,
    valueSize: value.size,
    encodeKeys: rows => encodeAll<K>(key, rows.map(spec.toKey)),
    encodeValues: rows => encodeAll<V>(value, rows.map(spec.toValue)),
    decode(keys, values, count) {
      const rows: Row[] = [];
      for (let i = 0; i < count; i++) {
        if (spec.isPresent !== undefined && !spec.isPresent(values, i * value.size)) continue;
        rows.push(spec.toRow(key.decode(keys, i * key.size), value.decode(values, i * value.size)));
      }
      return rows;
    },
  };
}

const U32_KEY = record('u32', { value: u32 });

export interface PortRow {
  /** Of the representor. */
  readonly ifindex: number;
  readonly slot: PortSlot;
  readonly net: NetSlot;
  readonly mac: Mac;
  readonly ip4: Ip | null;
  readonly ip6: Ip | null;
  readonly trusted: boolean;
  readonly countPairs: boolean;
}

const PORT_TRUSTED = 1;
const PORT_COUNT_PAIRS = 2;

export const PORTS: Table<PortRow> = table({
  map: 'ports',
  key: U32_KEY,
  value: record('esw_port', { slot: u32, net: u32, mac: bytes(6), flags: u16, ip4_be: be32, ip6: bytes(16) }),
  toKey: row => ({ value: row.ifindex }),
  toValue: row => ({
    slot: row.slot,
    net: row.net,
    mac: macToBytes(row.mac),
    flags: (row.trusted ? PORT_TRUSTED : 0) | (row.countPairs ? PORT_COUNT_PAIRS : 0),
    ip4_be: row.ip4 === null ? new Uint8Array(4) : ipToBytes(row.ip4).subarray(12),
    ip6: row.ip6 === null ? new Uint8Array(16) : ipToBytes(row.ip6),
  }),
  toRow: (key, value) => ({
    ifindex: key.value,
    slot: value.slot as PortSlot,
    net: value.net as NetSlot,
    mac: macFromBytes(value.mac),
    ip4: isZero(value.ip4_be) ? null : ipFromBytes(mapped(value.ip4_be)),
    ip6: isZero(value.ip6) ? null : ipFromBytes(value.ip6),
    trusted: (value.flags & PORT_TRUSTED) !== 0,
    countPairs: (value.flags & PORT_COUNT_PAIRS) !== 0,
  }),
});

export interface NetRow {
  readonly net: NetSlot;
  readonly internal: boolean;
  /** Of the gateway's function side. */
  readonly gatewayIfindex: number;
  readonly gatewaySlot: PortSlot;
  readonly switchMac: Mac;
  readonly gatewayMac: Mac;
}

const NET_INTERNAL = 1;
const NET_PRESENT = 2;

export const NETS: Table<NetRow> = table({
  map: 'nets',
  key: U32_KEY,
  value: record('esw_net', {
    flags: u32,
    gw_ifindex: u32,
    gw_slot: u32,
    switch_mac: bytes(6),
    gw_mac: bytes(6),
  }),
  toKey: row => ({ value: row.net }),
  toValue: row => ({
    flags: NET_PRESENT | (row.internal ? NET_INTERNAL : 0),
    gw_ifindex: row.gatewayIfindex,
    gw_slot: row.gatewaySlot,
    switch_mac: macToBytes(row.switchMac),
    gw_mac: macToBytes(row.gatewayMac),
  }),
  toRow: (key, value) => ({
    net: key.value as NetSlot,
    internal: (value.flags & NET_INTERNAL) !== 0,
    gatewayIfindex: value.gw_ifindex,
    gatewaySlot: value.gw_slot as PortSlot,
    switchMac: macFromBytes(value.switch_mac),
    gatewayMac: macFromBytes(value.gw_mac),
  }),
  // `flags` comes first; 65,536 slots are there whether used or not.
  isPresent: (values, at) => (values.readUInt32LE(at) & NET_PRESENT) !== 0,
});

export interface SubnetRow {
  readonly net: NetSlot;
  readonly pool: Cidr;
}

/** Bits of the trie key that come before a subnet's own: the network, and for IPv4 the mapped prefix. */
const SUBNET_BITS = { 4: 32 + 96, 6: 32 } as const;

export const SUBNETS: Table<SubnetRow> = table({
  map: 'subnets',
  key: record('esw_subnet_key', { prefixlen: u32, net_be: be32, addr: bytes(16) }),
  value: record('esw_subnet', { flags: u32 }),
  toKey: row => ({
    prefixlen: SUBNET_BITS[ipFamily(row.pool)] + cidrLength(row.pool),
    net_be: be32Of(row.net),
    addr: ipToBytes(cidrAddress(row.pool)),
  }),
  toValue: () => ({ flags: 0 }),
  toRow: key => {
    const ip = ipFromBytes(key.addr);
    const pool = cidrOf(ip, key.prefixlen - SUBNET_BITS[ipFamily(ip)]);
    return { net: Buffer.from(key.net_be).readUInt32BE() as NetSlot, pool };
  },
});

export interface FibRow {
  readonly net: NetSlot;
  readonly addr: Ip;
  /** Of the representor, or with delivery `host` of the gateway's function side. */
  readonly ifindex: number;
  readonly slot: PortSlot;
  readonly mac: Mac;
  readonly delivery: Delivery;
}

/** ESW_FIB_LOCAL_HOST and ESW_FIB_TRANSMIT. */
const DELIVERY_FLAGS: Readonly<Record<Delivery, number>> = { peer: 0, host: 1, transmit: 2 };

export const FIB: Table<FibRow> = table({
  map: 'fib',
  key: record('esw_fib_key', { net: u32, addr: bytes(16) }),
  value: record('esw_fib', { ifindex: u32, slot: u32, mac: bytes(6), flags: u16 }),
  toKey: row => ({ net: row.net, addr: ipToBytes(row.addr) }),
  toValue: row => ({
    ifindex: row.ifindex,
    slot: row.slot,
    mac: macToBytes(row.mac),
    flags: DELIVERY_FLAGS[row.delivery],
  }),
  toRow: (key, value) => ({
    net: key.net as NetSlot,
    addr: ipFromBytes(key.addr),
    ifindex: value.ifindex,
    slot: value.slot as PortSlot,
    mac: macFromBytes(value.mac),
    delivery: deliveryOf(value.flags),
  }),
});

/** Per-CPU maps: the value of one key is this record once per possible CPU. */
export const STATS_KEY = U32_KEY;
export const STATS_VALUE = record('esw_stats', {
  rx_packets: u64,
  rx_bytes: u64,
  tx_packets: u64,
  tx_bytes: u64,
});
export const DROP_KEY = record('esw_drop_key', { slot: u32, reason: u32 });
export const PAIR_KEY = record('esw_pair_key', { src: u32, dst: u32, family: u32 });
export const PAIR_VALUE = record('esw_pair', { packets: u64, bytes: u64 });
export const DROP_VALUE = record('esw_drop', { packets: u64, bytes: u64 });

function deliveryOf(flags: number): Delivery {
  if ((flags & DELIVERY_FLAGS.host) !== 0) return 'host';
  return (flags & DELIVERY_FLAGS.transmit) !== 0 ? 'transmit' : 'peer';
}

/** 16 bytes of the IPv4-mapped address of four. */
export function mapped(ip4: Uint8Array): Uint8Array {
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...ip4);
}

function be32Of(value: number): Uint8Array {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
}

function isZero(value: Uint8Array): boolean {
  return value.every(byte => byte === 0);
}
