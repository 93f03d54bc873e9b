/** A store that may not be open yet, so that the sockets can answer before (and without) it. */
import { EswError } from '../lib/errors.ts';
import type { Store } from '../store/port.ts';

export interface LateStore {
  /** Every use throws the problem until `arrive`. */
  readonly store: Store;
  readonly isOpen: boolean;
  arrive(inner: Store): void;
  fail(problem: EswError): void;
  /** Closes what arrived. */
  close(): void;
}

export function createLateStore(): LateStore {
  let inner: Store | null = null;
  let problem = new EswError('ESW_ERR_STORE_IO', 'the daemon is starting');
  const store = new Proxy({} as Store, {
    get(_target, name) {
      if (inner === null) throw problem;
      const value: unknown = Reflect.get(inner, name, inner);
      return typeof value === 'function' ? value.bind(inner) : value;
    },
  });
  return {
    store,
    get isOpen() {
      return inner !== null;
    },
    arrive: opened => {
      inner = opened;
    },
    fail: error => {
      problem = error;
    },
    close: () => {
      inner?.close();
    },
  };
}
