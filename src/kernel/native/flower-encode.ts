/** Flow rules to the records that esw_flower_apply takes. */
import { FLOW_FIELDS, type FlowAction, type FlowField, type FlowRef, type FlowRule } from '../../ir/flow.ts';
import { hashNormal } from '../../ir/flow-fingerprint.ts';
import { normalFlow } from '../../ir/flow-normal.ts';
import type { Ip } from '../../lib/brand.ts';
import { Fnv1a64, fnv1a64 } from '../../lib/hash.ts';
import { ipToBytes } from '../../lib/ip.ts';
import {
  ACTION_KINDS,
  CSUM_FLAG,
  FLOWER_ACT,
  FLOWER_KEY,
  FLOWER_OP,
  FLOWER_OP_FLAG,
  FLOWER_VERB,
  PEDIT_ORDER,
} from './flower-records.ts';

const MAGIC = 0xe557;
const SCHEMA = 1;
/** What carries the cookie: a flow rule. */
const KIND = 1;
const NAME_MAX = 15;
const AF_INET = 2;
const AF_INET6 = 10;

/** The first eight bytes of every cookie of one instance. */
export function cookieOwner(instance: string): Buffer {
  const owner = Buffer.alloc(8);
  owner.writeUInt16BE(MAGIC, 0);
  owner[2] = SCHEMA;
  owner[3] = KIND;
  owner.write(fnv1a64(instance).slice(8), 4, 'hex');
  return owner;
}

const offsetOf = (layout: {
  readonly fields: readonly { readonly name: string; readonly offset: number }[];
}) => {
  const offsets = new Map(layout.fields.map(({ name, offset }) => [name, offset]));
  return (name: string): number => offsets.get(name) ?? Number.NaN;
};
const op = offsetOf(FLOWER_OP);
const key = offsetOf(FLOWER_KEY);
const AT = {
  flags: op('flags'),
  name: op('name'),
  fields: op('fields'),
  cookie: op('cookie'),
  key: op('key'),
  mask: op('mask'),
  actionCount: op('action_count'),
  actions: op('actions'),
} as const;
const FIELD: ReadonlyMap<FlowField, { readonly offset: number; readonly bit: number }> = new Map(
  (Object.keys(FLOW_FIELDS) as FlowField[]).map((field, i) => [field, { offset: key(field), bit: 1 << i }]),
);

const act = offsetOf(FLOWER_ACT);
const ACT = {
  number: act('number'),
  rate: act('rate'),
  port: act('port'),
  vlanId: act('vlan_id'),
  tpid: act('tpid'),
  vlanPrio: act('vlan_prio'),
  family: act('family'),
  tos: act('tos'),
  ttl: act('ttl'),
  csum: act('csum'),
  value: act('value'),
  mask: act('mask'),
  link: act('link'),
} as const;

/** Values of hex digits by character code. */
const DIGIT = new Uint8Array(128);
for (let i = 0; i < 16; i++) DIGIT['0123456789abcdef'.charCodeAt(i)] = i;

// A call into Node for a few bytes costs more than the bytes: short texts are written here.
function writeHex(into: Buffer, at: number, hex: string): void {
  for (let i = 0; i < hex.length; i += 2)
    into[at + (i >> 1)] = ((DIGIT[hex.charCodeAt(i)] ?? 0) << 4) | (DIGIT[hex.charCodeAt(i + 1)] ?? 0);
}

function writeName(into: Buffer, at: number, name: string): void {
  for (let i = 0; i < name.length && i < NAME_MAX; i++) into[at + i] = name.charCodeAt(i);
}

/** Four bytes or sixteen, of a canonical address. */
function writeAddress(into: Buffer, at: number, text: string): void {
  if (text.includes(':')) {
    into.set(ipToBytes(text as Ip), at);
    return;
  }
  let place = at;
  let byte = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      into[place++] = byte;
      byte = 0;
    } else byte = byte * 10 + (code - 0x30);
  }
  into[place] = byte;
}

function writeTunnel(into: Buffer, at: number, action: Extract<FlowAction, { kind: 'tunnel-set' }>): void {
  into.writeUInt32LE(action.vni, at + ACT.number);
  writeAddress(into, at + ACT.value, action.src);
  writeAddress(into, at + ACT.mask, action.dst);
  into.writeUInt16LE(action.dstPort, at + ACT.port);
  into[at + ACT.family] = action.dst.includes(':') ? AF_INET6 : AF_INET;
  into[at + ACT.tos] = action.tos ?? 0;
  into[at + ACT.ttl] = action.ttl ?? 0;
  into[at + ACT.csum] = action.csum ? 1 : 0;
}

/** Field by field into zeros: it runs for every action of every rule. */
function writeAction(into: Buffer, at: number, action: FlowAction): void {
  into.writeUInt32LE(ACTION_KINDS.indexOf(action.kind) + 1, at);
  switch (action.kind) {
    case 'redirect':
    case 'mirror':
      writeName(into, at + ACT.link, action.link);
      break;
    case 'pedit':
      into.writeUInt32LE(PEDIT_ORDER.indexOf(action.field), at + ACT.number);
      writeHex(into, at + ACT.value, action.value);
      writeHex(into, at + ACT.mask, action.mask);
      break;
    case 'csum':
      into.writeUInt32LE(
        action.of.reduce((flags, name) => flags | CSUM_FLAG[name], 0),
        at + ACT.number,
      );
      break;
    case 'tunnel-set':
      writeTunnel(into, at, action);
      break;
    case 'vlan-push':
    case 'vlan-modify':
      into.writeUInt16LE(action.id, at + ACT.vlanId);
      into.writeUInt16LE(action.tpid, at + ACT.tpid);
      into[at + ACT.vlanPrio] = action.prio;
      break;
    case 'police':
      into.writeBigUInt64LE(BigInt(Math.floor(action.rateBps / 8)), at + ACT.rate);
      into.writeUInt32LE(action.burstBytes, at + ACT.number);
      break;
    case 'goto':
      into.writeUInt32LE(action.chain, at + ACT.number);
      break;
    default:
      break;
  }
}

/** Name, chain, handle, prio and protocol, as both kinds of record have them. */
function writeRef(into: Buffer, at: number, ref: FlowRef): void {
  writeName(into, at, ref.link);
  into.writeUInt32LE(ref.chain, at + 16);
  into.writeUInt32LE(ref.handle, at + 20);
  into.writeUInt16LE(ref.prio, at + 24);
  into.writeUInt16LE(ref.protocol, at + 26);
}

function writeMatch(into: Buffer, at: number, match: FlowRule['match']): void {
  let fields = 0;
  for (const { field, value, mask } of match) {
    const place = FIELD.get(field);
    if (place === undefined) continue;
    fields |= place.bit;
    writeHex(into, at + AT.key + place.offset, value);
    writeHex(into, at + AT.mask + place.offset, mask);
  }
  into.writeUInt32LE(fields >>> 0, at + AT.fields);
}

const hash = new Fnv1a64();

/** `flags` beyond those of the rule: FLOWER_OP_FLAG.verbose, .echo. The rule is free of problems; `into` is zero there. */
export function encodePut(into: Buffer, at: number, rule: FlowRule, owner: Uint8Array, flags: number): void {
  const where = rule.where === 'hw' ? FLOWER_OP_FLAG.skipSw : rule.where === 'sw' ? FLOWER_OP_FLAG.skipHw : 0;
  const normal = normalFlow(rule);
  into.writeUInt32LE(FLOWER_VERB.put, at);
  into.writeUInt32LE(flags | where, at + AT.flags);
  writeRef(into, at + AT.name, rule);
  into.set(owner, at + AT.cookie);
  hash.reset();
  hashNormal(hash, normal);
  into.writeUInt32BE(hash.high, at + AT.cookie + 8);
  // 0 is what a dump gives for rules of others.
  into.writeUInt32BE(hash.high === 0 && hash.low === 0 ? 1 : hash.low, at + AT.cookie + 12);
  writeMatch(into, at, normal.match);
  into.writeUInt32LE(normal.actions.length, at + AT.actionCount);
  for (let i = 0; i < normal.actions.length; i++)
    writeAction(into, at + AT.actions + i * FLOWER_ACT.size, normal.actions[i] as FlowAction);
}

/** Into a struct esw_flower_ref that is zero. */
export function encodeRef(into: Buffer, at: number, ref: FlowRef): void {
  writeRef(into, at, ref);
}
