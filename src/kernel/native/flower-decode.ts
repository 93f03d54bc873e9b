/** Dumped flower rules: as columns, and as rules. */
import {
  type FieldMatch,
  FLOW_FIELDS,
  type FlowAction,
  type FlowField,
  type FlowRule,
} from '../../ir/flow.ts';
import { PEDIT_FIELDS } from '../../ir/flow-normal.ts';
import { ipFromBytes } from '../../lib/ip.ts';
import type { FlowDump } from '../flow-port.ts';
import {
  ACTION_KINDS,
  CSUM_FLAG,
  FLOWER_ACT,
  FLOWER_FULL,
  FLOWER_KEY,
  FLOWER_REC,
  PEDIT_ORDER,
  REC_FLAG,
} from './flower-records.ts';
import { decodeAll, type ValuesOf } from './layout.ts';

type Act = ValuesOf<typeof FLOWER_ACT>;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const AF_INET6 = 10;
const NAMES = Object.keys(FLOW_FIELDS) as FlowField[];
const FLAGS = REC_FLAG.inHw | REC_FLAG.skipSw | REC_FLAG.skipHw | REC_FLAG.ours;

/** One column of a dump, copied out of the records word by word: no number is made of a 64-bit counter. */
class Column {
  readonly #from: Uint32Array;
  readonly #count: number;

  constructor(records: Buffer, count: number) {
    this.#from = new Uint32Array(records.buffer, records.byteOffset, (count * FLOWER_REC.size) / 4);
    this.#count = count;
  }

  #at(name: keyof ValuesOf<typeof FLOWER_REC>): number {
    return (FLOWER_REC.fields.find(field => field.name === name)?.offset ?? 0) / 4;
  }

  u64(name: keyof ValuesOf<typeof FLOWER_REC>): BigUint64Array {
    const words = new Uint32Array(2 * this.#count);
    const stride = FLOWER_REC.size / 4;
    for (let i = 0, at = this.#at(name); i < words.length; i += 2, at += stride) {
      words[i] = this.#from[at] ?? 0;
      words[i + 1] = this.#from[at + 1] ?? 0;
    }
    return new BigUint64Array(words.buffer);
  }

  u32(name: keyof ValuesOf<typeof FLOWER_REC>): Uint32Array {
    const column = new Uint32Array(this.#count);
    const stride = FLOWER_REC.size / 4;
    for (let i = 0, at = this.#at(name); i < column.length; i++, at += stride)
      column[i] = this.#from[at] ?? 0;
    return column;
  }

  u16(name: keyof ValuesOf<typeof FLOWER_REC>, mask = 0xffff): Uint16Array {
    const column = new Uint16Array(this.#count);
    const stride = FLOWER_REC.size / 4;
    const offset = this.#at(name);
    const shift = offset % 1 === 0 ? 0 : 16;
    for (let i = 0, at = Math.floor(offset); i < column.length; i++, at += stride)
      column[i] = ((this.#from[at] ?? 0) >>> shift) & mask;
    return column;
  }
}

/** `records`: `count` struct esw_flower_rec, at an offset that 4 divides. */
export function flowDumpOf(records: Buffer, count: number): FlowDump {
  const column = new Column(records, count);
  return {
    count,
    ifindex: column.u32('ifindex'),
    chain: column.u32('chain'),
    prio: column.u16('prio'),
    protocol: column.u16('protocol'),
    handle: column.u32('handle'),
    flags: column.u16('flags', FLAGS),
    fingerprint: column.u64('fingerprint'),
    hwPackets: column.u64('hw_packets'),
    hwBytes: column.u64('hw_bytes'),
    swPackets: column.u64('sw_packets'),
    swBytes: column.u64('sw_bytes'),
    idleMs: column.u32('idle_ms'),
  };
}

/** `bytes`: 16, of which IPv4 has the first four. */
function addressOf(bytes: Uint8Array, family: number): string {
  return family === AF_INET6 ? ipFromBytes(bytes) : bytes.subarray(0, 4).join('.');
}

function actionOf(act: Act): FlowAction | null {
  const kind = ACTION_KINDS[act.kind - 1];
  switch (kind) {
    case 'redirect':
    case 'mirror':
      return { kind, link: act.link };
    case 'pedit': {
      const field = PEDIT_ORDER[act.number] ?? 'eth_dst';
      const length = PEDIT_FIELDS[field];
      return {
        kind,
        field,
        value: hex(act.value.subarray(0, length)),
        mask: hex(act.mask.subarray(0, length)),
      };
    }
    case 'csum': {
      const names = Object.keys(CSUM_FLAG) as (keyof typeof CSUM_FLAG)[];
      return { kind, of: names.filter(name => (act.number & CSUM_FLAG[name]) !== 0) };
    }
    case 'tunnel-set': {
      return {
        kind,
        vni: act.number,
        src: addressOf(act.value, act.family),
        dst: addressOf(act.mask, act.family),
        dstPort: act.port,
        tos: act.tos === 0 ? null : act.tos,
        ttl: act.ttl === 0 ? null : act.ttl,
        csum: act.csum !== 0,
      };
    }
    case 'vlan-push':
    case 'vlan-modify':
      return { kind, id: act.vlan_id, prio: act.vlan_prio, tpid: act.tpid as 0x8100 | 0x88a8 };
    case 'police':
      return { kind, rateBps: Number(act.rate) * 8, burstBytes: act.number };
    case 'goto':
      return { kind, chain: act.number };
    default:
      return kind === undefined ? null : { kind };
  }
}

function matchOf(fields: number, key: Uint8Array, mask: Uint8Array): FieldMatch[] {
  return NAMES.flatMap((field, index) => {
    if ((fields & (1 << index)) === 0) return [];
    const offset = FLOWER_KEY.fields[index]?.offset ?? 0;
    const end = offset + FLOW_FIELDS[field];
    return [{ field, value: hex(key.subarray(offset, end)), mask: hex(mask.subarray(offset, end)) }];
  });
}

export interface ReadFlow extends FlowRule {
  readonly inHw: boolean;
  readonly ours: boolean;
}

/** `records`: `count` struct esw_flower_full. */
export function readFlows(records: Buffer, count: number): ReadFlow[] {
  return decodeAll(FLOWER_FULL, records, count).map(full => {
    const rec = FLOWER_REC.decode(Buffer.from(full.rec), 0);
    const acts = decodeAll(FLOWER_ACT, Buffer.from(full.actions), full.action_count);
    return {
      ...{ link: full.name, chain: rec.chain, prio: rec.prio, protocol: rec.protocol, handle: rec.handle },
      match: matchOf(full.fields, full.key, full.mask),
      actions: acts.map(actionOf).filter(action => action !== null),
      where: (rec.flags & REC_FLAG.skipSw) !== 0 ? 'hw' : (rec.flags & REC_FLAG.skipHw) !== 0 ? 'sw' : 'both',
      inHw: (rec.flags & REC_FLAG.inHw) !== 0,
      ours: (rec.flags & REC_FLAG.ours) !== 0,
    };
  });
}
