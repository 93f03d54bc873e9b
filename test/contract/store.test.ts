/** Both stores against the one contract. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { createMemoryStore } from '../../src/store/memory.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { storeContract } from './store.contract.ts';

describe('memory', () => {
  storeContract(() => ({ open: createMemoryStore, reopen: null, cleanUp: () => undefined }));
});

describe('sqlite', () => {
  storeContract(() => {
    const directory = mkdtempSync(join(tmpdir(), 'esw-store-'));
    return {
      open: () => openSqliteStore(directory),
      reopen(store) {
        store.close();
        return openSqliteStore(directory);
      },
      cleanUp: () => rmSync(directory, { recursive: true, force: true }),
    };
  });
});
