/** Batches of records to the C library and what comes back: results per record, and dumps. */

import { errnoName } from '../../lib/errno.ts';
import { EswError } from '../../lib/errors.ts';
import type { OpResult } from '../port.ts';
import { decodeAll, type Fields, type RecordLayout, type Values } from './layout.ts';
import type { NativeLibrary } from './library.ts';
import { ABI_VERSION, BATCH_HDR, BATCH_MAGIC, BATCH_MAX, RESULT } from './records.ts';

export interface BatchResult extends OpResult {
  /** Of the link acted on, 0 if none. */
  readonly ifindex: number;
}

export const DONE: OpResult = { errno: 0, extack: '' };

/** Writes the header of a batch that fills `buffer`. Throws RangeError for more than BATCH_MAX records. */
export function batchHeader(buffer: Buffer, recordSize: number, count: number): void {
  if (count > BATCH_MAX) throw new RangeError(`${count} records in one batch`);
  const header = { magic: BATCH_MAGIC, version: ABI_VERSION, record_size: recordSize };
  BATCH_HDR.encode(buffer, 0, { ...header, length: buffer.length, count });
}

/** Header and records in one buffer. Throws RangeError for values that do not fit their field. */
export function encodeBatch<F extends Fields>(
  layout: RecordLayout<F>,
  records: readonly Partial<Values<F>>[],
): Buffer {
  const buffer = Buffer.alloc(BATCH_HDR.size + records.length * layout.size);
  batchHeader(buffer, layout.size, records.length);
  records.forEach((record, index) => {
    layout.encode(buffer, BATCH_HDR.size + index * layout.size, record);
  });
  return buffer;
}

export function decodeResults(buffer: Buffer, count: number): BatchResult[] {
  return decodeAll(RESULT, buffer, count).map(result => ({
    errno: Math.abs(result.error),
    extack: result.extack,
    ifindex: result.ifindex,
  }));
}

type ApplyName =
  | 'esw_link_apply'
  | 'esw_addr_apply'
  | 'esw_route_apply'
  | 'esw_neigh_apply'
  | 'esw_hook_apply'
  | 'esw_devlink_apply'
  | 'esw_vf_apply'
  | 'esw_offload_apply';

/** Runs records in order, one result each. A batch that C refuses as a whole fails every record. */
export async function applyBatch<F extends Fields>(
  library: NativeLibrary,
  name: ApplyName,
  layout: RecordLayout<F>,
  records: readonly Partial<Values<F>>[],
): Promise<BatchResult[]> {
  const all: BatchResult[] = [];
  for (let at = 0; at < records.length; at += BATCH_MAX) {
    const part = records.slice(at, at + BATCH_MAX);
    const batch = encodeBatch(layout, part);
    const results = Buffer.alloc(part.length * RESULT.size);
    const status = await library.call(name, batch, batch.length, results, results.length);
    if (status < 0)
      all.push(...part.map(() => ({ errno: -status, extack: `${name} refused the batch`, ifindex: 0 })));
    else all.push(...decodeResults(results, part.length));
  }
  return all;
}

/** As a failed call: throws ESW_ERR_KERNEL_REFUSED for a negative status. */
export function checkStatus(name: string, status: number): number {
  if (status < 0) throw new EswError('ESW_ERR_KERNEL_REFUSED', `${name}: ${errnoName(-status)}`);
  return status;
}

/**
 * Calls a dump until everything fits. `dump` gets the buffer and returns the number of records there
 * are (or a negative errno, which throws ESW_ERR_KERNEL_REFUSED). The first call has room for
 * `expected` records.
 */
export async function dumpRecords<F extends Fields>(
  name: string,
  layout: RecordLayout<F>,
  dump: (out: Buffer) => Promise<number>,
  expected = 256,
): Promise<Values<F>[]> {
  let room = expected;
  for (;;) {
    const out = Buffer.alloc(room * layout.size);
    const count = checkStatus(name, await dump(out));
    if (count <= room) return decodeAll(layout, out, count);
    // Things may be added between two calls: ask for a bit more than was there.
    room = count + 64 + Math.ceil(count / 8);
  }
}

/** A text that is written into a buffer of the caller, with the length needed as result. */
export async function readText(name: string, read: (out: Buffer) => Promise<number>): Promise<string> {
  let out = Buffer.alloc(16_384);
  for (;;) {
    const length = checkStatus(name, await read(out));
    if (length < out.length) return out.toString('utf8', 0, length);
    out = Buffer.alloc(length + 1024);
  }
}
