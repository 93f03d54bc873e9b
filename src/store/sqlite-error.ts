/** SQLite's failures in our words. */
import { EswError } from '../lib/errors.ts';

/** Primary result codes, https://www.sqlite.org/rescode.html */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

interface SqliteError extends Error {
  readonly errcode: number;
}

function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';
}

/** Extended codes carry the primary one in their low byte. */
function primaryCode(error: unknown): number | null {
  return isSqliteError(error) ? error.errcode & 0xff : null;
}

export function isBusy(error: unknown): boolean {
  return primaryCode(error) === SQLITE_BUSY;
}

/** The file is damaged or was never a database. */
export function isDamage(error: unknown): boolean {
  const code = primaryCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** ESW_ERR_STORE_IO or ESW_ERR_STORE_CORRUPT naming the file; an EswError stays what it is. */
export function storeError(path: string, error: unknown): EswError {
  if (error instanceof EswError) return error;
  const words = error instanceof Error ? error.message : String(error);
  const code = isDamage(error) ? 'ESW_ERR_STORE_CORRUPT' : 'ESW_ERR_STORE_IO';
  return new EswError(code, `${path}: ${words}`, { cause: error });
}
