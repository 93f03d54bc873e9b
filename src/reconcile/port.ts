/** What the API, the plugin and the CLI may ask of the reconciler. */

import type { Key, Resource } from '../ir/resource.ts';
import type { Counters, Op, Probe, Snapshot } from '../kernel/port.ts';
import type { EndpointId, NetworkId, Revision } from '../lib/brand.ts';

export interface Failure {
  readonly key: Key;
  readonly verb: Op['verb'];
  readonly errno: number;
  readonly extack: string;
  readonly attempts: number;
}

export interface RoundReport {
  /** What started it: `start`, `commit`, `event`, `resync`, `request`. */
  readonly cause: string;
  readonly revision: Revision;
  /** Unix time, milliseconds. */
  readonly finishedAtMs: number;
  readonly durationMs: number;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly failed: number;
  /** Of the operations: how many undid somebody else's change (drift), not our own intent. */
  readonly repaired: number;
}

/** One repair of drift, kept in a bounded list for `status`. */
export interface Repair {
  readonly atMs: number;
  readonly key: Key;
  readonly what: 'missing' | 'changed' | 'left-over';
}

export interface ReconcileStatus {
  readonly lastRound: RoundReport | null;
  readonly rounds: number;
  readonly failures: readonly Failure[];
  readonly repairs: readonly Repair[];
  readonly foreign: Snapshot['foreign'];
  readonly generation: number;
  readonly hookMode: Snapshot['hookMode'];
  /** Endpoints whose sandbox and port are both gone (host restarted, container killed): not rebuilt. */
  readonly detached?: readonly EndpointId[];
}

/** The table as compiled, as observed and the difference, as one consistent picture. */
export interface View {
  readonly desired: ReadonlyMap<Key, Resource>;
  readonly observed: ReadonlyMap<Key, Resource>;
  readonly plan: readonly Op[];
}

export interface Reconciler {
  /** Adopts what is in the kernel, then runs until `stop`. Resolves after the first full round. */
  start(): Promise<void>;
  /** Tells that the store moved; only these need recompiling (none given: everything). */
  notify(changed?: {
    readonly networks?: readonly NetworkId[];
    readonly endpoints?: readonly EndpointId[];
  }): void;
  /**
   * Resolves when every resource of `revision` that belongs to `scope` is in place; rejects with
   * ESW_ERR_KERNEL_REFUSED (the kernel's words) or ESW_ERR_RECONCILE_TIMEOUT.
   */
  waitFor(revision: Revision, scope: NetworkId | EndpointId, timeoutMs: number): Promise<void>;
  /** Full dump and compare now. */
  resync(cause: string): Promise<RoundReport>;
  /** Fresh look at the kernel; changes nothing. */
  view(): Promise<View>;
  status(): ReconcileStatus;
  counters(): Promise<Counters>;
  probes(): readonly Probe[];
  /** Finishes the running round and stops; kernel state stays. */
  stop(): Promise<void>;
}
