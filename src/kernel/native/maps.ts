/** Reading and writing the pinned maps: rows of tables.ts in, rows out. */
import { ERRNO } from '../../lib/errno.ts';
import type { OpResult } from '../port.ts';
import { checkStatus, DONE } from './batch.ts';
import type { NativeLibrary } from './library.ts';
import type { Pins } from './pins.ts';
import { FIB, type FibRow, type Table } from './tables.ts';

/** Batches up to this many elements run in the calling thread: 7 µs, and about 1 µs for each further one. */
const QUICK_ELEMENTS = 16;
const LEAST_ROOM = 1024;
/**
 * Elements there is room for in the first dump: an array always has all of its elements, and on a
 * large host a second dump for want of room costs more than the memory.
 */
const EXPECTED: ReadonlyMap<string, number> = new Map([
  ['nets', 65_536],
  ['ports', 16_384],
  [FIB.map, 65_536],
]);
/** Least room of a forwarding-table generation; its entries are allocated as they come. */
const FIB_ENTRIES = 65_536;

export interface MapInfo {
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly possibleCpus: number;
}

/** Packed keys and values, `count` of each. */
export interface RawRows {
  readonly keys: Buffer;
  readonly values: Buffer;
  readonly count: number;
}

export class Maps {
  readonly #library: NativeLibrary;
  readonly #pins: Pins;
  /** Elements seen at the last dump of each map: room for the next one. */
  readonly #room = new Map<string, number>();

  constructor(library: NativeLibrary, pins: Pins) {
    this.#library = library;
    this.#pins = pins;
  }

  /** null when the map is not pinned. */
  async info(name: string): Promise<MapInfo | null> {
    const out = Buffer.alloc(6 * 4);
    const status = await this.#library.quick('esw_map_info', this.#pins.map(name), out, out.length);
    if (status === -ERRNO.ENOENT) return null;
    checkStatus(`map ${name}`, status);
    const at = (index: number): number => out.readUInt32LE(index * 4);
    return { keySize: at(0), valueSize: at(1), maxEntries: at(2), possibleCpus: at(5) };
  }

  /** Every row; none when the map is not pinned. */
  async dump<Row>(table: Table<Row>): Promise<Row[]> {
    const { keys, values, count } = await this.dumpRaw(table.map, table.keySize, table.valueSize);
    return table.decode(keys, values, count);
  }

  /** As `dump`, undecoded; `valueSize` is × possible CPUs for per-CPU maps. */
  async dumpRaw(name: string, keySize: number, valueSize: number): Promise<RawRows> {
    const call = name === FIB.map ? 'esw_fib_dump' : 'esw_map_dump';
    for (;;) {
      const room = this.#room.get(name) ?? EXPECTED.get(name) ?? LEAST_ROOM;
      const keys = Buffer.alloc(room * keySize);
      const values = Buffer.alloc(room * valueSize);
      const at = this.#path(name);
      const count = await this.#library.call(call, at, keys, keys.length, values, values.length);
      if (count === -ERRNO.ENOENT) return { keys, values, count: 0 };
      checkStatus(`map ${name}`, count);
      this.#room.set(name, Math.max(LEAST_ROOM, count + 64 + Math.ceil(count / 8)));
      if (count <= room) return { keys, values, count };
    }
  }

  update<Row>(table: Table<Row>, rows: readonly Row[]): Promise<OpResult[]> {
    return this.updateRaw(table.map, {
      keys: table.encodeKeys(rows),
      values: table.encodeValues(rows),
      count: rows.length,
    });
  }

  updateRaw(name: string, { keys, values, count }: RawRows): Promise<OpResult[]> {
    const call = name === FIB.map ? 'esw_fib_update' : 'esw_map_update';
    const [keySize, valueSize] = [keys.length / count, values.length / count];
    return this.#perElement(name, count, errors =>
      this.#via(count)(
        call,
        this.#path(name),
        keys,
        keySize,
        values,
        valueSize,
        count,
        errors,
        errors.length,
      ),
    );
  }

  delete<Row>(table: Table<Row>, rows: readonly Row[]): Promise<OpResult[]> {
    return this.deleteRaw(table.map, table.encodeKeys(rows), rows.length);
  }

  deleteRaw(name: string, keys: Buffer, count: number): Promise<OpResult[]> {
    const call = name === FIB.map ? 'esw_fib_delete' : 'esw_map_delete';
    return this.#perElement(name, count, errors =>
      this.#via(count)(call, this.#path(name), keys, keys.length / count, count, errors, errors.length),
    );
  }

  /** Replaces the forwarding table by a new generation. */
  async swapFib(rows: readonly FibRow[]): Promise<OpResult> {
    const keys = FIB.encodeKeys(rows);
    const values = FIB.encodeValues(rows);
    const room = Math.max(FIB_ENTRIES, rows.length * 2);
    const { dir } = this.#pins;
    const count = rows.length;
    const status = await this.#library.call(
      'esw_fib_swap',
      dir,
      keys,
      FIB.keySize,
      values,
      FIB.valueSize,
      count,
      room,
    );
    return status < 0 ? { errno: -status, extack: 'the forwarding table cannot be replaced' } : DONE;
  }

  /** Map id of the live forwarding table, 0 if there is none. */
  async generation(): Promise<number> {
    return Math.max(0, await this.#library.quick('esw_fib_generation', this.#pins.dir));
  }

  /** The forwarding table is reached through its directory: its inner map has no pin. */
  #path(name: string): string {
    return name === FIB.map ? this.#pins.dir : this.#pins.map(name);
  }

  #via(count: number): NativeLibrary['call'] {
    const library = this.#library;
    return count <= QUICK_ELEMENTS ? library.quick.bind(library) : library.call.bind(library);
  }

  async #perElement(
    name: string,
    count: number,
    call: (errors: Buffer) => Promise<number>,
  ): Promise<OpResult[]> {
    if (count === 0) return [];
    const errors = Buffer.alloc(count * 4);
    const status = await call(errors);
    return Array.from({ length: count }, (_, index) => {
      const errno = status < 0 ? -status : Math.abs(errors.readInt32LE(index * 4));
      return errno === 0 ? DONE : { errno, extack: `map "${name}" refused the entry` };
    });
  }
}
