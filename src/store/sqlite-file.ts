/** Opening the database file: checked, migrated, and put aside when it cannot be trusted. */
import { chmodSync, closeSync, existsSync, openSync, renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { EswError } from '../lib/errors.ts';
import type { Store } from './port.ts';
import { isDamage, storeError } from './sqlite-error.ts';
import { APPLICATION_ID, MIGRATIONS } from './sqlite-schema.ts';

/** How long a commit waits for somebody who looks at the file with a shell. */
const BUSY_TIMEOUT_MS = 1000;

export interface OpenedFile {
  readonly database: DatabaseSync;
  readonly origin: Store['origin'];
}

/** Damage as a value, so that a foreign file and a broken one take one path. */
class DamagedFile extends Error {}

/**
 * Opens `path` (mode 0600). A file that is damaged or not ours is renamed to
 * `<path>.damaged-<time>` and a fresh one is made. Throws ESW_ERR_STORE_IO, or ESW_ERR_STORE_CORRUPT
 * for a database that a newer version wrote.
 */
export function openDatabaseFile<T>(
  path: string,
  nowMs: number,
  load: (database: DatabaseSync) => T,
): OpenedFile & { readonly content: T } {
  try {
    const isNew = !existsSync(path);
    try {
      return open(path, isNew ? 'fresh' : 'opened', load);
    } catch (error) {
      if (!(error instanceof DamagedFile) && !isDamage(error)) throw error;
      putAside(path, nowMs);
      return open(path, 'recovered', load);
    }
  } catch (error) {
    throw storeError(path, error);
  }
}

function open<T>(
  path: string,
  origin: Store['origin'],
  load: (database: DatabaseSync) => T,
): OpenedFile & { readonly content: T } {
  // SQLite gives the -wal and -shm files the mode of the main one.
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  try {
    checkOwnership(database);
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = FULL');
    database.exec('PRAGMA temp_store = MEMORY');
    checkIntegrity(database);
    migrate(database);
    return { database, origin, content: load(database) };
  } catch (error) {
    database.close();
    const isUnreadable = error instanceof SyntaxError || error instanceof TypeError;
    throw isUnreadable ? new DamagedFile(`unreadable record: ${error.message}`) : error;
  }
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

/** An empty file becomes ours; one with tables must say that it is. */
function checkOwnership(database: DatabaseSync): void {
  const owner = pragma(database, 'application_id');
  if (owner === APPLICATION_ID) return;
  const tables = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'];
  if (owner !== 0 || tables !== 0) throw new DamagedFile(`a database of something else (id ${owner})`);
}

function checkIntegrity(database: DatabaseSync): void {
  const verdict = pragma(database, 'quick_check(1)');
  if (verdict !== 'ok') throw new DamagedFile(String(verdict));
  const orphan = database.prepare('PRAGMA foreign_key_check').get();
  if (orphan !== undefined) throw new DamagedFile(`a row of ${orphan['table']} refers to nothing`);
}

/** Brings the schema up to date; each step is one transaction with its version. */
function migrate(database: DatabaseSync): void {
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  database.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY) STRICT');
  const row = database.prepare('SELECT max(version) AS version FROM schema_version').get();
  const current = Number(row?.['version'] ?? 0);
  if (current > MIGRATIONS.length) {
    const versions = `version ${current}, this daemon knows up to ${MIGRATIONS.length}`;
    throw new EswError('ESW_ERR_STORE_CORRUPT', `the database was written by a newer eswitchd: ${versions}`);
  }
  for (const [index, sql] of MIGRATIONS.slice(current).entries()) {
    const version = current + index + 1;
    database.exec(`BEGIN IMMEDIATE; ${sql} INSERT INTO schema_version VALUES (${version}); COMMIT`);
  }
}

function putAside(path: string, nowMs: number): void {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-');
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, `${path}.damaged-${stamp}${suffix}`);
  }
}
