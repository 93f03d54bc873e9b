/** Docker's side of the daemon: the network and IPAM drivers on their socket. */
import type { DatapathKind } from '../docker/deps.ts';
import { checkHostPort } from '../docker/host-port.ts';
import { listenOnSocket } from '../docker/listen.ts';
import { createPluginServer } from '../docker/server.ts';
import { parseDefaultPools } from '../ipam/default-pools.ts';
import { createIpam } from '../ipam/ipam.ts';
import type { Probe } from '../kernel/port.ts';
import type { Identity } from '../model/intent.ts';
import { capabilitiesOf } from '../place/capabilities.ts';
import type { Reconciler } from '../reconcile/port.ts';
import type { Store } from '../store/port.ts';
import type { Config } from './config.ts';
import { hostId, hostRoutes, uplinkMtu } from './host.ts';
import type { Logger } from './logger.ts';

/** Docker's callers lose patience after 30 s; ours must have an answer before. */
const JOIN_TIMEOUT_MS = 20_000;

export interface PluginPart {
  /** Frees leases whose endpoints never came to be; once, when the store is open. */
  reclaim(): number;
  close(): Promise<void>;
}

export interface PluginPartDeps {
  readonly config: Config;
  readonly identity: Identity;
  readonly log: Logger;
  readonly store: Store;
  readonly reconciler: Reconciler;
}

function datapathKinds(probes: readonly Probe[]): readonly DatapathKind[] {
  const { switchdev, sriov, software } = capabilitiesOf(probes);
  return [
    { kind: 'switchdev', ...switchdev },
    { kind: 'sriov', ...sriov },
    { kind: 'software', ...software },
  ];
}

/** Resolves when Docker can call. Throws ESW_ERR_CONFIG_VALUE for pools that are none. */
export async function openPlugin(deps: PluginPartDeps): Promise<PluginPart> {
  const { config, identity, log, store, reconciler } = deps;
  const defaultPools = parseDefaultPools(config.defaultPools, hostId());
  const ipam = createIpam({ store, defaultPools, hostRoutes });
  const app = createPluginServer({
    store,
    reconciler,
    ipam,
    identity,
    maxPorts: config.maxPorts,
    uplinkMtu,
    capabilities: () => datapathKinds(reconciler.probes()),
    log,
    clock: () => performance.now(),
    checkHostPort,
    joinTimeoutMs: JOIN_TIMEOUT_MS,
  });
  await listenOnSocket(app, config.pluginSocket);
  return { reclaim: () => ipam.reclaim(), close: () => app.close() };
}
