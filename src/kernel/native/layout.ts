/**
 * Fixed-size records shared with C. A record is described once, as its fields in order; offsets follow
 * from C's natural alignment and every encoder and decoder is derived from that one table. At load the
 * table is compared with what the C compiler made of it (`esw_abi_layout`).
 */

/** `be32`: a 32-bit network-order integer, handled as its four bytes. `text`: NUL-terminated inside its field. */
type FieldType = 'u8' | 'u16' | 'u32' | 'i32' | 'u64' | 'be32' | 'bytes' | 'text';

export interface FieldSpec<T extends FieldType = FieldType> {
  readonly type: T;
  readonly size: number;
  readonly align: number;
}

const scalar = <T extends FieldType>(type: T, size: number): FieldSpec<T> => ({ type, size, align: size });

export const u8 = scalar('u8', 1);
export const u16 = scalar('u16', 2);
export const u32 = scalar('u32', 4);
export const i32 = scalar('i32', 4);
export const u64 = scalar('u64', 8);
export const be32 = scalar('be32', 4);
export const bytes = (size: number): FieldSpec<'bytes'> => ({ type: 'bytes', size, align: 1 });
export const text = (size: number): FieldSpec<'text'> => ({ type: 'text', size, align: 1 });

type ValueOf<T extends FieldType> = T extends 'text'
  ? string
  : T extends 'bytes' | 'be32'
    ? Uint8Array
    : T extends 'u64'
      ? bigint
      : number;

export type Fields = Readonly<Record<string, FieldSpec>>;
export type Values<F extends Fields> = { [K in keyof F]: ValueOf<F[K]['type']> };

export interface PlacedField extends FieldSpec {
  readonly name: string;
  readonly offset: number;
}

export interface RecordLayout<F extends Fields> {
  readonly name: string;
  readonly size: number;
  readonly fields: readonly PlacedField[];
  /** Writes the values at `at`; fields that are not given are zero. Throws RangeError for a value that does not fit. */
  encode(into: Buffer, at: number, values: Partial<Values<F>>): void;
  decode(from: Buffer, at: number): Values<F>;
}

const LIMITS: Readonly<Record<'u8' | 'u16' | 'u32' | 'i32', readonly [number, number]>> = {
  u8: [0, 0xff],
  u16: [0, 0xffff],
  u32: [0, 0xffff_ffff],
  i32: [-0x8000_0000, 0x7fff_ffff],
};

function place(fields: Fields): { placed: PlacedField[]; size: number } {
  const placed: PlacedField[] = [];
  let offset = 0;
  let widest = 1;
  for (const [name, field] of Object.entries(fields)) {
    offset = Math.ceil(offset / field.align) * field.align;
    placed.push({ ...field, name, offset });
    offset += field.size;
    widest = Math.max(widest, field.align);
  }
  return { placed, size: Math.ceil(offset / widest) * widest };
}

function writeInteger(into: Buffer, at: number, type: FieldType, value: number): void {
  if (type === 'u8') into[at] = value;
  else if (type === 'u16') into.writeUInt16LE(value, at);
  else if (type === 'u32') into.writeUInt32LE(value, at);
  else into.writeInt32LE(value, at);
}

function writeField(into: Buffer, at: number, field: PlacedField, value: unknown): void {
  if (typeof value === 'bigint') {
    into.writeBigUInt64LE(value, at);
  } else if (typeof value === 'number') {
    const [low, high] = LIMITS[field.type as 'u32'];
    if (!Number.isInteger(value) || value < low || value > high)
      throw new RangeError(`${field.name}: ${value} does not fit ${field.type}`);
    writeInteger(into, at, field.type, value);
  } else if (typeof value === 'string') {
    const length = Buffer.byteLength(value);
    if (length >= field.size || value.includes('\0'))
      throw new RangeError(`${field.name}: "${value}" does not fit ${field.size - 1} bytes`);
    into.write(value, at);
  } else if (value instanceof Uint8Array) {
    if (value.length > field.size)
      throw new RangeError(`${field.name}: ${value.length} bytes do not fit ${field.size}`);
    into.set(value, at);
  }
}

function readField(from: Buffer, at: number, field: PlacedField): string | number | bigint | Uint8Array {
  switch (field.type) {
    case 'u8':
      return from.readUInt8(at);
    case 'u16':
      return from.readUInt16LE(at);
    case 'u32':
      return from.readUInt32LE(at);
    case 'i32':
      return from.readInt32LE(at);
    case 'u64':
      return from.readBigUInt64LE(at);
    case 'text': {
      const end = from.indexOf(0, at);
      return from.toString('utf8', at, end < 0 || end > at + field.size ? at + field.size : end);
    }
    default:
      return from.subarray(at, at + field.size);
  }
}

/** Describes a C struct: its name there and its fields in order. */
export function record<F extends Fields>(name: string, fields: F): RecordLayout<F> {
  const { placed, size } = place(fields);
  return {
    name,
    size,
    fields: placed,
    encode(into, at, values) {
      into.fill(0, at, at + size);
      for (const field of placed) {
        const value = values[field.name];
        if (value !== undefined) writeField(into, at + field.offset, field, value);
      }
    },
    decode(from, at) {
      const values: Record<string, unknown> = {};
      for (const field of placed) values[field.name] = readField(from, at + field.offset, field);
      return values as Values<F>;
    },
  };
}

/** Consecutive records of a buffer; a trailing part is ignored. */
export function decodeAll<F extends Fields>(
  layout: RecordLayout<F>,
  from: Buffer,
  count: number,
): Values<F>[] {
  const fits = Math.min(count, Math.floor(from.length / layout.size));
  return Array.from({ length: fits }, (_, index) => layout.decode(from, index * layout.size));
}

/** Records packed one after the other, without a batch header (keys and values of eBPF maps). */
export function encodeAll<F extends Fields>(
  layout: RecordLayout<F>,
  values: readonly Partial<Values<F>>[],
): Buffer {
  const buffer = Buffer.alloc(values.length * layout.size);
  values.forEach((value, index) => {
    layout.encode(buffer, index * layout.size, value);
  });
  return buffer;
}

/** The same text that `esw_abi_layout` writes. */
export function describe(layouts: readonly RecordLayout<Fields>[]): string[] {
  return layouts.flatMap(layout => [
    `${layout.name} size ${layout.size}`,
    ...layout.fields.map(field => `${layout.name}.${field.name} ${field.offset} ${field.size}`),
  ]);
}

/**
 * First difference between our layouts and C's text, null if there is none. C may describe records
 * that are not used here; padding may be left out of either.
 */
export function firstDifference(layouts: readonly RecordLayout<Fields>[], native: string): string | null {
  const theirs = new Map<string, string>();
  for (const line of native.split('\n')) {
    const match = /^(\S+(?: size)?) (\d.*)$/.exec(line.trim());
    if (match?.[1] !== undefined && match[2] !== undefined) theirs.set(match[1], match[2]);
  }
  const ours = new Map<string, string>();
  for (const layout of layouts) {
    ours.set(`${layout.name} size`, String(layout.size));
    for (const field of layout.fields)
      ours.set(`${layout.name}.${field.name}`, `${field.offset} ${field.size}`);
  }
  const padding = /\.pad\d*$/;
  for (const [what, value] of ours) {
    const other = theirs.get(what);
    if (other === undefined && padding.test(what)) continue;
    if (other !== value) return `${what}: library ${other ?? 'absent'}, expected ${value}`;
  }
  const names = new Set(layouts.map(layout => layout.name));
  for (const what of theirs.keys()) {
    const [struct = ''] = what.split(/[. ]/);
    if (names.has(struct) && !ours.has(what) && !padding.test(what)) return `${what}: not expected`;
  }
  return null;
}

/** The values of a record, by its layout. */
export type ValuesOf<L> = L extends RecordLayout<infer F> ? Values<F> : never;
