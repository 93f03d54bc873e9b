/** Flow rules to the records that esw_flower_apply takes. */
import { FLOW_FIELDS, type FlowAction, type FlowField, type FlowRef, type FlowRule } from '../../ir/flow.ts';
import { flowFingerprint } from '../../ir/flow-fingerprint.ts';
import { normalMatch } from '../../ir/flow-normal.ts';
import type { Ip } from '../../lib/brand.ts';
import { fnv1a64 } from '../../lib/hash.ts';
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
import type { ValuesOf } from './layout.ts';

const MAGIC = 0xe557;
const SCHEMA = 1;
/** What carries the cookie: a flow rule. */
const KIND = 1;
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
  name: op('name'),
  fields: op('fields'),
  cookie: op('cookie'),
  key: op('key'),
  mask: op('mask'),
  actionCount: op('action_count'),
  actions: op('actions'),
} as const;
const FIELD: ReadonlyMap<FlowField, { readonly offset: number; readonly bit: number }> = new Map(
  (Object.keys(FLOW_FIELDS) as FlowField[]).map((field, i) => [field, { offset: key(field), bit: 2 ** i }]),
);

type ActValues = Partial<ValuesOf<typeof FLOWER_ACT>>;

function actValues(action: FlowAction): ActValues {
  switch (action.kind) {
    case 'redirect':
    case 'mirror':
      return { link: action.link };
    case 'pedit':
      return {
        number: PEDIT_ORDER.indexOf(action.field),
        value: Buffer.from(action.value, 'hex'),
        mask: Buffer.from(action.mask, 'hex'),
      };
    case 'csum':
      return { number: action.of.reduce((flags, name) => flags | CSUM_FLAG[name], 0) };
    case 'tunnel-set':
      return {
        number: action.vni,
        value: ipToBytes(action.src as Ip),
        mask: ipToBytes(action.dst as Ip),
        family: action.dst.includes(':') ? AF_INET6 : AF_INET,
        port: action.dstPort,
        tos: action.tos ?? 0,
        ttl: action.ttl ?? 0,
        csum: action.csum ? 1 : 0,
      };
    case 'vlan-push':
    case 'vlan-modify':
      return { vlan_id: action.id, vlan_prio: action.prio, tpid: action.tpid };
    case 'police':
      return { rate: BigInt(Math.floor(action.rateBps / 8)), number: action.burstBytes };
    case 'goto':
      return { number: action.chain };
    default:
      return {};
  }
}

function writeRef(into: Buffer, at: number, verb: number, flags: number, ref: FlowRef): void {
  into.fill(0, at, at + FLOWER_OP.size);
  into.writeUInt32LE(verb, at);
  into.writeUInt32LE(flags, at + 4);
  into.write(ref.link, at + AT.name, 15, 'latin1');
  into.writeUInt32LE(ref.chain, at + AT.name + 16);
  into.writeUInt32LE(ref.handle, at + AT.name + 20);
  into.writeUInt16LE(ref.prio, at + AT.name + 24);
  into.writeUInt16LE(ref.protocol, at + AT.name + 26);
}

function writeMatch(into: Buffer, at: number, rule: FlowRule): void {
  let fields = 0;
  for (const { field, value, mask } of normalMatch(rule.match)) {
    const place = FIELD.get(field);
    if (place === undefined) continue;
    fields += place.bit;
    into.write(value, at + AT.key + place.offset, 'hex');
    into.write(mask, at + AT.mask + place.offset, 'hex');
  }
  into.writeUInt32LE(fields, at + AT.fields);
}

/** `flags` beyond those of the rule: FLOWER_OP_FLAG.verbose, .echo. The rule is free of problems. */
export function encodePut(into: Buffer, at: number, rule: FlowRule, owner: Uint8Array, flags: number): void {
  const where = rule.where === 'hw' ? FLOWER_OP_FLAG.skipSw : rule.where === 'sw' ? FLOWER_OP_FLAG.skipHw : 0;
  writeRef(into, at, FLOWER_VERB.put, flags | where, rule);
  into.set(owner, at + AT.cookie);
  into.writeBigUInt64BE(flowFingerprint(rule), at + AT.cookie + 8);
  writeMatch(into, at, rule);
  into.writeUInt32LE(rule.actions.length, at + AT.actionCount);
  rule.actions.forEach((action, i) => {
    FLOWER_ACT.encode(into, at + AT.actions + i * FLOWER_ACT.size, {
      ...actValues(action),
      kind: ACTION_KINDS.indexOf(action.kind) + 1,
    });
  });
}

export function encodeDelete(into: Buffer, at: number, ref: FlowRef, owner: Uint8Array): void {
  writeRef(into, at, FLOWER_VERB.delete, 0, ref);
  into.set(owner, at + AT.cookie);
}
