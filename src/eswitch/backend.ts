/** What a kind of eswitch is to the rest: which networks it takes, and whether it is there. */
import type { Answer, Probe, Snapshot } from '../kernel/port.ts';
import type { Network } from '../model/network.ts';

export type EswitchKind = 'software' | 'switchdev' | 'legacy';

/** Whether a kind can be used here; `why` says what is there (yes) or what is missing (no, unknown). */
export interface Availability {
  readonly answer: Answer;
  /** How it forwards, e.g. `tcx`; "" when it does not. */
  readonly mechanism: string;
  readonly why: string;
}

/** What `detectEswitch` is told about the host. */
export interface HostFacts {
  readonly probes: readonly Probe[];
  readonly hookMode: Snapshot['hookMode'];
}

/** One kind of eswitch. Kinds do not chain: what one cannot do is decided rule by rule in `place`. */
export interface EswitchBackend {
  readonly kind: EswitchKind;
  /** Network types it can forward for. */
  readonly types: readonly Network['type'][];
  availability(facts: HostFacts): Availability;
}
