import type { Endpoint } from './endpoint.ts';
import type { Network } from './network.ts';

/** Everything the store holds that decides what must happen to packets. */
export interface Intent {
  readonly networks: ReadonlyMap<string, Network>;
  readonly endpoints: ReadonlyMap<string, Endpoint>;
}

/** Names that keep several daemons (and tests) on one kernel apart. */
export interface Identity {
  /** Instance name: BPF pin directory, nftables table, altname prefix. `[a-z][a-z0-9-]{0,23}`. */
  readonly instance: string;
  /** One to four characters that every link of this instance starts with. */
  readonly linkPrefix: string;
}
