/** A store that forgets everything when it is closed: for tests and for simulations. */
import type { Revision } from '../lib/brand.ts';
import { EswError } from '../lib/errors.ts';
import { TableStore } from './committer.ts';
import type { Store } from './port.ts';
import { Tables } from './tables.ts';

class MemoryStore extends TableStore {
  #open = true;

  constructor() {
    super(new Tables(), 0 as Revision, 'fresh');
  }

  close(): void {
    this.#open = false;
  }

  protected override persist(): void {
    if (!this.#open) throw new EswError('ESW_ERR_STORE_IO', 'the store is closed');
  }
}

export function createMemoryStore(): Store {
  return new MemoryStore();
}
