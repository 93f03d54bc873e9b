/** Telling the reconciler what was committed, and waiting for the kernel where Docker must. */
import type { EndpointId, NetworkId, Revision } from '../lib/brand.ts';
import type { PluginDeps } from './deps.ts';

export type Changed = Parameters<PluginDeps['reconciler']['notify']>[0];

/**
 * Wakes the reconciler and waits until `scope` is in the kernel as of `revision`. Rejects with
 * ESW_ERR_KERNEL_REFUSED in the kernel's words, or ESW_ERR_RECONCILE_TIMEOUT.
 */
export async function settle(
  deps: PluginDeps,
  revision: Revision,
  scope: NetworkId | EndpointId,
  changed: Changed,
): Promise<void> {
  deps.reconciler.notify(changed);
  await deps.reconciler.waitFor(revision, scope, deps.joinTimeoutMs);
}
