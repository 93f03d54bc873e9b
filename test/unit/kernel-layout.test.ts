/** Records shared with C: offsets, ranges, the self-check. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  be32,
  bytes,
  decodeAll,
  describe as describeLayouts,
  firstDifference,
  i32,
  record,
  text,
  u8,
  u16,
  u32,
  u64,
} from '../../src/kernel/native/layout.ts';
import {
  ABI_RECORDS,
  ABI_VERSION,
  BATCH_MAGIC,
  BATCH_MAX,
  LINK_OP,
  PROTO_MARK,
  RESULT,
} from '../../src/kernel/native/records.ts';

const header = ['eswitch.h', 'eswitch_flower.h', 'eswitch_nic.h']
  .map(name => readFileSync(fileURLToPath(new URL(`../../native/include/${name}`, import.meta.url)), 'utf8'))
  .join('\n');

const SAMPLE = record('sample', {
  a: u8,
  b: u16,
  c: bytes(3),
  d: u32,
  e: i32,
  f: text(8),
  g: be32,
  h: u64,
});

describe('offsets follow C alignment', () => {
  it('places fields and rounds the size up', () => {
    expect(SAMPLE.fields.map(field => [field.name, field.offset])).toEqual([
      ['a', 0],
      ['b', 2],
      ['c', 4],
      ['d', 8],
      ['e', 12],
      ['f', 16],
      ['g', 24],
      ['h', 32],
    ]);
    expect(SAMPLE.size).toBe(40);
  });

  it('gives the sizes that the header implies', () => {
    expect(RESULT.size).toBe(128);
    expect(LINK_OP.fields.find(field => field.name === 'txqueues')?.offset).toBe(LINK_OP.size - 4);
  });
});

describe('encode and decode', () => {
  const values = fc.record({
    a: fc.integer({ min: 0, max: 0xff }),
    b: fc.integer({ min: 0, max: 0xffff }),
    c: fc.uint8Array({ minLength: 3, maxLength: 3 }),
    d: fc.integer({ min: 0, max: 0xffff_ffff }),
    e: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
    f: fc.stringMatching(/^[a-z0-9.@-]{0,7}$/),
    g: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    h: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
  });

  it('are inverse', () => {
    fc.assert(
      fc.property(fc.array(values, { maxLength: 4 }), list => {
        const buffer = Buffer.alloc(list.length * SAMPLE.size, 0xaa);
        list.forEach((value, index) => {
          SAMPLE.encode(buffer, index * SAMPLE.size, value);
        });
        const back = decodeAll(SAMPLE, buffer, list.length);
        expect(back.map(b => ({ ...b, c: Uint8Array.from(b.c), g: Uint8Array.from(b.g) }))).toEqual(list);
      }),
    );
  });

  it('zero what is not given', () => {
    const buffer = Buffer.alloc(SAMPLE.size, 0xff);
    SAMPLE.encode(buffer, 0, { b: 0x1234 });
    expect(buffer.toString('hex')).toBe(`00003412${'00'.repeat(36)}`);
  });

  it.each([
    ['a', 256],
    ['a', -1],
    ['b', 1.5],
    ['d', 2 ** 32],
    ['e', 2 ** 31],
    ['f', '12345678'],
    ['f', 'a\0b'],
    ['c', new Uint8Array(4)],
  ])('refuse %s = %s', (field, value) => {
    expect(() => SAMPLE.encode(Buffer.alloc(SAMPLE.size), 0, { [field]: value })).toThrow(RangeError);
  });

  it('read a text that fills its field', () => {
    const buffer = Buffer.alloc(SAMPLE.size);
    buffer.write('abcdefgh', 16);
    expect(SAMPLE.decode(buffer, 0).f).toBe('abcdefgh');
  });
});

describe('self-check', () => {
  const own = describeLayouts(ABI_RECORDS).join('\n');

  it('finds no difference to itself, nor in padding', () => {
    expect(firstDifference(ABI_RECORDS, own)).toBeNull();
    const without = own
      .split('\n')
      .filter(line => !/\.pad /.test(line))
      .join('\n');
    expect(firstDifference(ABI_RECORDS, `${without}\nesw_other size 4`)).toBeNull();
  });

  it.each([
    [
      'esw_result.extack 8 120',
      'esw_result.extack 8 128',
      'esw_result.extack: library 8 128, expected 8 120',
    ],
    ['esw_result size 128', 'esw_result size 132', 'esw_result size: library 132, expected 128'],
    ['esw_result.ifindex 4 4\n', '', 'esw_result.ifindex: library absent, expected 4 4'],
    [
      'esw_result.ifindex 4 4',
      'esw_result.ifindex 4 4\nesw_result.more 4 4',
      'esw_result.more: not expected',
    ],
  ])('names the first difference', (line, changed, message) => {
    expect(own).toContain(line);
    expect(firstDifference(ABI_RECORDS, own.replace(line, changed))).toBe(message);
  });
});

describe('constants are those of the header', () => {
  const value = (name: string): number =>
    Number(new RegExp(`#define ${name} (0x[0-9a-fA-F]+|\\d+)u?\\b`).exec(header)?.[1]);

  it.each([
    ['ESW_ABI_VERSION', ABI_VERSION],
    ['ESW_BATCH_MAGIC', BATCH_MAGIC],
    ['ESW_BATCH_MAX', BATCH_MAX],
    ['ESW_PROTO_MARK', PROTO_MARK],
  ])('%s', (name, ours) => expect(value(name)).toBe(ours));

  it('every struct of the header is described', () => {
    const structs = [...header.matchAll(/^struct (esw_\w+) \{/gm)].map(match => match[1]);
    expect(ABI_RECORDS.map(layout => layout.name).sort()).toEqual(structs.sort());
  });
});
