/**
 * What a kind of eswitch is to the rest. Whether this host has it is decided in src/place, from the
 * same probes; a kind says what it can carry and how it does it here.
 */
import type { Probe, Snapshot } from '../kernel/port.ts';
import type { Datapath, Network } from '../model/network.ts';

export type EswitchKind = 'software' | 'switchdev' | 'legacy';

/** What is known about the host's hooks. */
export interface HostFacts {
  readonly probes: readonly Probe[];
  readonly hookMode: Snapshot['hookMode'];
}

export interface EswitchBackend {
  readonly kind: EswitchKind;
  /** Its name in `-o datapath=`. */
  readonly datapath: Exclude<Datapath, 'auto'>;
  /** Network types it can forward for (DESIGN §2). */
  readonly types: readonly Network['type'][];
  /** How it forwards on this host, e.g. `tcx`; "" when nothing is attached or could be. */
  mechanism(facts: HostFacts): string;
}
