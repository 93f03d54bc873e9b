/**
 * What nobody will ever ask us to delete: a daemon or an engine was killed between two steps, and
 * Docker forgot what we had committed. Looked for away from the handlers, after a grace in which a
 * call that is still under way has long ended.
 */

import type { NetworkId } from '../lib/brand.ts';
import { cidrAddress, ipFamily } from '../lib/ip.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import type { StoreWriter } from '../store/port.ts';
import type { PluginDeps } from './deps.ts';

export interface OrphanDeps extends Pick<PluginDeps, 'store' | 'reconciler' | 'ipam' | 'log' | 'clock'> {
  /** Milliseconds that something must have looked forgotten. */
  readonly graceMs: number;
  /** Whether a network namespace is still at this path. */
  sandboxExists(path: string): boolean;
  /** Whether Docker still has the network; null when it cannot be asked. */
  dockerHas(network: NetworkId): Promise<boolean | null>;
}

export class Orphans {
  readonly #deps: OrphanDeps;
  /** When each suspect was first seen as such. */
  readonly #suspectSinceMs = new Map<string, number>();

  constructor(deps: OrphanDeps) {
    this.#deps = deps;
  }

  /** One look; removes what has been suspect for the whole grace. Returns how many were removed. */
  async collect(): Promise<number> {
    const { networks, endpoints } = this.#deps.store.intent();
    const inUse = new Set([...endpoints.values()].map(endpoint => endpoint.networkId));
    // Docker joins an endpoint right after it has made it, and deletes it right after it has left.
    const idle = [...endpoints.values()].filter(endpoint => this.#isIdle(endpoint));
    const empty = [...networks.values()].filter(network => !inUse.has(network.id));
    const overdue = this.#overdue([...idle, ...empty]);
    const forgotten = idle.filter(({ id }) => overdue.has(id));
    const candidates = empty.filter(({ id }) => overdue.has(id));
    const gone = (await Promise.all(candidates.map(network => this.#unlessKept(network)))).flat();
    for (const endpoint of forgotten) this.#removeEndpoint(endpoint);
    for (const network of gone) this.#removeNetwork(network);
    return forgotten.length + gone.length;
  }

  /** In no sandbox, or in one that ended while nobody could tell us. */
  #isIdle({ sandbox }: Endpoint): boolean {
    return sandbox === null || !this.#deps.sandboxExists(sandbox.key);
  }

  #overdue(suspects: readonly { readonly id: string }[]): ReadonlySet<string> {
    const { clock, graceMs } = this.#deps;
    const now = clock();
    const ids = new Set<string>(suspects.map(({ id }) => id));
    for (const id of this.#suspectSinceMs.keys()) if (!ids.has(id)) this.#suspectSinceMs.delete(id);
    for (const id of ids) if (!this.#suspectSinceMs.has(id)) this.#suspectSinceMs.set(id, now);
    return new Set([...ids].filter(id => now - (this.#suspectSinceMs.get(id) ?? now) >= graceMs));
  }

  /** A network without endpoints is normal as long as Docker knows it. */
  async #unlessKept(network: Network): Promise<readonly Network[]> {
    return (await this.#deps.dockerHas(network.id)) === false ? [network] : [];
  }

  #removeEndpoint({ id, networkId }: Endpoint): void {
    const { store, reconciler, log } = this.#deps;
    const isRemoved = store.commit(tx => {
      const current = tx.endpoint(id);
      // Joined while Docker was being asked about networks.
      if (current === null || !this.#isIdle(current)) return false;
      tx.deleteEndpoint(id);
      releaseAddresses(tx, current);
      return true;
    }).value;
    if (!isRemoved) return;
    log.warn({ endpoint: id, network: networkId }, 'removed an endpoint that Docker made and forgot');
    reconciler.notify({ endpoints: [id] });
  }

  #removeNetwork({ id }: Network): void {
    const { store, reconciler, ipam, log } = this.#deps;
    const isRemoved = store.commit(tx => {
      const current = tx.network(id);
      if (current === null || [...tx.intent().endpoints.values()].some(one => one.networkId === id))
        return false;
      tx.deleteNetwork(id);
      ipam.networkDeleted(tx, current);
      return true;
    }).value;
    if (!isRemoved) return;
    log.warn({ network: id }, 'removed a network that Docker does not have');
    reconciler.notify({ networks: [id] });
  }
}

/** Docker would have released them itself. */
function releaseAddresses(tx: StoreWriter, endpoint: Endpoint): void {
  const network = tx.network(endpoint.networkId);
  for (const cidr of [endpoint.ip4, endpoint.ip6]) {
    if (cidr === null || network === null) continue;
    const address = cidrAddress(cidr);
    const subnet = network.subnets.find(({ pool }) => ipFamily(pool) === ipFamily(cidr));
    for (const pool of tx.pools()) {
      if (pool.pool === subnet?.pool) tx.deleteLease(pool.id, address);
    }
  }
}
