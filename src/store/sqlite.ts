/**
 * The durable store: SQLite through node:sqlite, WAL with synchronous=FULL, so a commit that returned
 * survives a power cut (one that need only survive `kill -9` is told so and skips the fsync). Reads never touch the file: everything is in memory, and a commit writes
 * through. At most a few MB for 10,000 endpoints.
 */
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Revision } from '../lib/brand.ts';
import { EswError } from '../lib/errors.ts';
import { TableStore } from './committer.ts';
import { type DirectoryLock, lockDirectory } from './directory-lock.ts';
import type { Durability, Store } from './port.ts';
import { storeError } from './sqlite-error.ts';
import { openDatabaseFile } from './sqlite-file.ts';
import { loadTables, RowWriter } from './sqlite-rows.ts';
import type { Change, Tables } from './tables.ts';

const FILE_NAME = 'eswitchd.db';

interface Content {
  readonly database: DatabaseSync;
  readonly tables: Tables;
  readonly revision: Revision;
  readonly origin: Store['origin'];
}

class SqliteStore extends TableStore {
  readonly #path: string;
  readonly #lock: DirectoryLock;
  readonly #database: DatabaseSync;
  readonly #rows: RowWriter;

  constructor(path: string, lock: DirectoryLock, content: Content) {
    super(content.tables, content.revision, content.origin);
    this.#path = path;
    this.#lock = lock;
    this.#database = content.database;
    this.#rows = new RowWriter(content.database);
  }

  /** Closes the file and gives up the directory. Safe to call twice. */
  close(): void {
    if (!this.#database.isOpen) return;
    this.#database.close();
    this.#lock.release();
  }

  protected override persist(changes: readonly Change[], revision: Revision, survives: Durability): void {
    if (!this.#database.isOpen) throw new EswError('ESW_ERR_STORE_IO', `${this.#path} is closed`);
    try {
      this.#rows.begin(survives);
      for (const change of changes) this.#rows.write(change);
      this.#rows.finish(revision);
    } catch (error) {
      this.#abandon();
      throw storeError(this.#path, error);
    }
  }

  #abandon(): void {
    try {
      this.#rows.abandon();
    } catch {
      // The file is in a bad way: the failure that led here says so, and the next commit will too.
    }
  }
}

/**
 * Opens (or makes) the store in `stateDir`. Throws ESW_ERR_STORE_LOCKED when another process has it,
 * ESW_ERR_STORE_IO when the directory cannot be used. A damaged or foreign database is kept aside
 * and `origin` is then `recovered`.
 */
export function openSqliteStore(stateDir: string, nowMs: number = Date.now()): Store {
  const lock = lockDirectory(stateDir);
  const path = join(stateDir, FILE_NAME);
  try {
    const { database, origin, content } = openDatabaseFile(path, nowMs, loadTables);
    return new SqliteStore(path, lock, { database, origin, ...content });
  } catch (error) {
    lock.release();
    throw error;
  }
}
