/** Where the picture comes from. The daemon supplies these; tests supply fakes. */
import type { Resource } from '../ir/resource.ts';
import type { Probe, Snapshot } from '../kernel/port.ts';
import type { EswError } from '../lib/errors.ts';
import type { Identity } from '../model/intent.ts';
import type { Network } from '../model/network.ts';
import type { Offload } from '../offload/port.ts';
import type { Reconciler } from '../reconcile/port.ts';
import type { Store } from '../store/port.ts';
import type { NetworkBody } from '../wire/api/network.ts';
import type { EswitchBody, Status } from '../wire/api/status.ts';

/** Where a forwarding rule lives, and why it is not in hardware ("" if it is). */
export interface RulePlace {
  readonly where: 'hardware' | 'software';
  readonly reason: string;
}

/** What the placement pass and the eswitch kinds know. */
export interface Placement {
  /** The eswitch of this host, from its probes. */
  eswitch(probes: readonly Probe[], hookMode: Snapshot['hookMode']): EswitchBody;
  /** What `-o datapath=…` came to for this network. */
  datapath(network: Network): Pick<NetworkBody['datapath'], 'used' | 'why'>;
  /** Places all forwarding rules among these at once; the answer is null for what is none. */
  rules(resources: Iterable<Resource>): (resource: Resource) => RulePlace | null;
}

/** Facts about the running daemon. */
export interface DaemonFacts {
  readonly version: string;
  readonly pid: number;
  readonly startedAtMs: number;
  readonly hostName: string;
  readonly kernelRelease: string;
  readonly stateDir: string;
  readonly apiSocket: string;
  readonly pluginSocket: string;
  /** How the daemon is; `problem` is what degraded it. */
  state(): { readonly state: Status['daemon']['state']; readonly problem: EswError | null };
}

export interface Sources {
  readonly store: Pick<Store, 'intent' | 'revision' | 'origin'>;
  readonly reconciler: Pick<Reconciler, 'view' | 'status' | 'counters' | 'probes' | 'resync'>;
  readonly placement: Placement;
  readonly offload: Offload;
  readonly identity: Identity;
  readonly daemon: DaemonFacts;
  /** Whether a network namespace path still leads to a namespace. */
  sandboxExists(path: string): boolean;
  /** Unix time, milliseconds. */
  clock(): number;
}
