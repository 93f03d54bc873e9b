/** What one instance of eswitchd has before it: the model's kernel and its NICs. */
import type { Identity } from '../../model/intent.ts';
import type { SimNics } from './nics.ts';
import type { SimState } from './state.ts';

/** Sizes of the maps, as the object file has them. */
export interface Capacity {
  readonly ports: number;
  readonly fib: number;
}

/** The kernel as one instance works on it. */
export interface SimHost {
  readonly state: SimState;
  readonly identity: Identity;
  readonly capacity: Capacity;
  /** null: a host without NICs. */
  readonly nics: SimNics | null;
}
