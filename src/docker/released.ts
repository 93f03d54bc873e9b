/**
 * An engine that starts while our socket is not there yet deletes the endpoints of dead containers without us, and
 * releases their addresses when we answer. Docker releases an address only after its endpoint: whoever still
 * has it here, and whose sandbox is gone, was deleted.
 */
import { parseIp } from '../lib/ip.ts';
import type { PluginDeps } from './deps.ts';
import { deleteEndpoint } from './endpoints.ts';

/** Deletes such an endpoint, so that the release that follows frees its address. */
export function forgetReleased(deps: PluginDeps, poolId: string, text: string): void {
  const { store, sandboxExists, log } = deps;
  const pool = store.pool(poolId);
  const address = parseIp(text);
  if (pool === null || address === null) return;
  for (const network of store.intent().networks.values()) {
    if (!network.subnets.some(subnet => subnet.pool === pool.pool)) continue;
    const endpoint = store.endpointByAddress(network.id, address);
    const sandbox = endpoint?.sandbox ?? null;
    if (endpoint === null || sandbox === null || sandboxExists(sandbox.key)) continue;
    log.warn({ endpoint: endpoint.id, network: network.id }, 'Docker deleted this endpoint without us');
    deleteEndpoint(deps, endpoint);
  }
}
