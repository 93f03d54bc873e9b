/**
 * One daemon per state directory. The lock is SQLite's own on an empty database file: the kernel
 * drops it when the process ends, however it ends, and it holds across namespaces that share the
 * directory. A file beside it names the holder.
 */
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EswError } from '../lib/errors.ts';
import { isBusy, isDamage, storeError } from './sqlite-error.ts';

export interface DirectoryLock {
  release(): void;
}

/** Makes the directory (mode 0700) and locks it. Throws ESW_ERR_STORE_LOCKED or ESW_ERR_STORE_IO. */
export function lockDirectory(directory: string): DirectoryLock {
  const lockPath = join(directory, 'lock');
  const pidPath = join(directory, 'lock.pid');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chmodSync(directory, 0o700);
    closeSync(openSync(lockPath, 'a', 0o600));
    const database = hold(lockPath);
    writeFileSync(pidPath, `${process.pid}\n`, { mode: 0o600 });
    return {
      release() {
        rmSync(pidPath, { force: true });
        database.close();
      },
    };
  } catch (error) {
    if (!isBusy(error)) throw storeError(directory, error);
    const holder = readHolder(pidPath);
    throw new EswError('ESW_ERR_STORE_LOCKED', `${directory} is in use by process ${holder}`);
  }
}

function hold(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    if (!isDamage(error)) throw error;
    // Nothing is ever written to it, so what is in there is not ours.
    rmSync(path);
    closeSync(openSync(path, 'a', 0o600));
    return hold(path);
  }
}

function readHolder(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return 'unknown (it is just starting)';
  }
}
