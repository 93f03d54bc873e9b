/** What every store does around its tables: one commit at a time, undone whole when it fails. */
import type { Revision } from '../lib/brand.ts';
import { EswError } from '../lib/errors.ts';
import type { Durability, Store, StoreWriter } from './port.ts';
import { TableReader } from './reader.ts';
import type { Change, Tables } from './tables.ts';
import { Transaction } from './transaction.ts';

interface Position {
  revision: Revision;
}

export abstract class TableStore extends TableReader implements Store {
  readonly origin: Store['origin'];
  readonly #position: Position;
  #committing = false;

  protected constructor(tables: Tables, revision: Revision, origin: Store['origin']) {
    const position: Position = { revision };
    super(tables, () => position.revision);
    this.#position = position;
    this.origin = origin;
  }

  commit<T>(
    change: (tx: StoreWriter) => T,
    survives: Durability = 'power-cut',
  ): { readonly value: T; readonly revision: Revision } {
    if (this.#committing) throw new EswError('ESW_ERR_INTERNAL', 'a commit was started inside a commit');
    this.#committing = true;
    const tx = new Transaction(this.tables, this.#position.revision, Date.now());
    try {
      const value = change(tx);
      const changes = tx.seal();
      if (changes.length > 0) {
        const revision = (this.#position.revision + 1) as Revision;
        this.persist(changes, revision, survives);
        this.#position.revision = revision;
      }
      return { value, revision: this.#position.revision };
    } catch (error) {
      tx.rollBack();
      throw error;
    } finally {
      this.#committing = false;
    }
  }

  abstract close(): void;

  /** Makes the changes durable or throws; they are in the tables already. */
  protected abstract persist(changes: readonly Change[], revision: Revision, survives: Durability): void;
}
