/** Docker's side of the daemon: the network and IPAM drivers on their socket. */
import type { FunctionSource } from '../docker/deps.ts';
import { engineHasNetwork } from '../docker/engine.ts';
import { checkHostPort } from '../docker/host-port.ts';
import { listenOnSocket } from '../docker/listen.ts';
import { Orphans } from '../docker/orphans.ts';
import { createPluginServer } from '../docker/server.ts';
import { parseDefaultPools } from '../ipam/default-pools.ts';
import { createIpam, type Ipam } from '../ipam/ipam.ts';
import type { NetworkId } from '../lib/brand.ts';
import type { Identity } from '../model/intent.ts';
import type { Inventory } from '../model/nic.ts';
import { capabilitiesOf } from '../place/capabilities.ts';
import { nicsOf } from '../place/function-choice.ts';
import type { Reconciler } from '../reconcile/port.ts';
import type { Store } from '../store/port.ts';
import type { Config } from './config.ts';
import { ethernetLink, hostId, hostRoutes, isNamespace, uplinkMtu } from './host.ts';
import type { Logger } from './logger.ts';

/** Docker's callers lose patience after 30 s; ours must have an answer before. */
const JOIN_TIMEOUT_MS = 20_000;
/** Longest time between two looks for orphans. */
const ORPHAN_LOOK_MS = 15_000;

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
  inventory(): Inventory;
  readonly functions: FunctionSource;
}

/** Looks for orphans from time to time; returns how to stop. */
function watchOrphans({ config, log, store, reconciler, functions }: PluginPartDeps, ipam: Ipam): () => void {
  const { orphanGraceMs: graceMs, dockerSocket } = config;
  if (graceMs === 0) return () => undefined;
  const dockerHas = (id: NetworkId) => engineHasNetwork(dockerSocket, id);
  const orphans = new Orphans({
    store,
    reconciler,
    ipam,
    log,
    clock: () => performance.now(),
    graceMs,
    sandboxExists: isNamespace,
    dockerHas,
  });
  const look = () =>
    orphans.collect().then(
      count => count > 0 && functions.freed(),
      error => log.warn({ err: error }, 'orphans were not looked for'),
    );
  const timer = setInterval(look, Math.min(Math.max(graceMs / 4, 250), ORPHAN_LOOK_MS));
  return () => clearInterval(timer);
}

/** The uplink of a NIC that is named by its handle or device; null for other names. */
function uplinkOf(inventory: Inventory, name: string): string | null {
  return name.includes(':') ? (nicsOf(inventory, name).nics[0]?.uplinks[0]?.name ?? null) : null;
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
    parentLink: async parent => ethernetLink(uplinkOf(deps.inventory(), parent) ?? parent),
    capabilities: uplink => capabilitiesOf(reconciler.probes(), nicsOf(deps.inventory(), uplink)),
    functions: deps.functions,
    log,
    clock: () => performance.now(),
    sandboxExists: isNamespace,
    checkHostPort,
    joinTimeoutMs: JOIN_TIMEOUT_MS,
  });
  await listenOnSocket(app, config.pluginSocket);
  const stopWatching = watchOrphans(deps, ipam);
  return {
    reclaim: () => ipam.reclaim(),
    async close() {
      stopWatching();
      await app.close();
    },
  };
}
