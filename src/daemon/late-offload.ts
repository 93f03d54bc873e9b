/** An offload that may not be there yet, or not at all: until then no rule is in hardware. */
import { NO_OFFLOAD } from '../offload/none.ts';
import type { Offload } from '../offload/port.ts';

export class LateOffload implements Offload {
  #inner: Offload = NO_OFFLOAD;

  arrive(inner: Offload): void {
    this.#inner = inner;
  }

  tables(): ReturnType<Offload['tables']> {
    return this.#inner.tables();
  }

  rows(): ReturnType<Offload['rows']> {
    return this.#inner.rows();
  }

  totals(...args: Parameters<Offload['totals']>): ReturnType<Offload['totals']> {
    return this.#inner.totals(...args);
  }

  placeOf(...args: Parameters<Offload['placeOf']>): ReturnType<Offload['placeOf']> {
    return this.#inner.placeOf(...args);
  }

  ruleOf(...args: Parameters<Offload['ruleOf']>): ReturnType<Offload['ruleOf']> {
    return this.#inner.ruleOf(...args);
  }

  seen(...args: Parameters<Offload['seen']>): ReturnType<Offload['seen']> {
    return this.#inner.seen(...args);
  }

  errors(): ReturnType<Offload['errors']> {
    return this.#inner.errors();
  }
}
