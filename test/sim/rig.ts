/** A daemon's core over the model of the kernel: store, kernel, reconciler. */
import { compile } from '../../src/compile/compile.ts';
import { fingerprint } from '../../src/ir/fingerprint.ts';
import type { Key, Resource } from '../../src/ir/resource.ts';
import { SimKernel, type SimOptions } from '../../src/kernel/sim/kernel.ts';
import { Outside } from '../../src/kernel/sim/outside.ts';
import type { Intent } from '../../src/model/intent.ts';
import type { Reconciler } from '../../src/reconcile/port.ts';
import { createReconciler, type ReconcilerOptions } from '../../src/reconcile/reconciler.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Store } from '../../src/store/port.ts';
import { CONTEXT } from './sim-harness.ts';

export interface Rig {
  readonly store: Store;
  readonly kernel: SimKernel;
  readonly outside: Outside;
  readonly reconciler: Reconciler;
}

type Given = Partial<Pick<ReconcilerOptions, 'store' | 'onError' | 'onReport' | 'resyncMs'>> & {
  readonly kernel?: SimKernel;
  readonly sim?: SimOptions;
};

export function rig(given: Given = {}): Rig {
  const {
    store = createMemoryStore(),
    kernel = new SimKernel(CONTEXT.identity, given.sim),
    sim: _sim,
    ...rest
  } = given;
  const sandboxExists = (path: string): boolean => kernel.state.namespaces.has(path);
  const reconciler = createReconciler({
    resyncMs: 3_600_000,
    context: CONTEXT,
    sandboxExists,
    ...rest,
    store,
    kernel,
  });
  return { store, kernel, outside: new Outside(kernel.state), reconciler };
}

/** The same store and kernel under a new daemon. */
export function restarted({ store, kernel }: Rig): Rig {
  return rig({ store, kernel: new SimKernel(CONTEXT.identity, { state: kernel.state }) });
}

/** Makes the store hold exactly `intent`, in one commit. */
export function commit(store: Store, intent: Intent): void {
  store.commit(tx => {
    const before = tx.intent();
    for (const endpoint of [...before.endpoints.values()]) tx.deleteEndpoint(endpoint.id);
    for (const each of [...before.networks.values()])
      if (!intent.networks.has(each.id)) tx.deleteNetwork(each.id);
    for (const each of intent.networks.values()) tx.putNetwork(each);
    for (const each of intent.endpoints.values()) tx.putEndpoint(each);
  });
}

/** Fingerprints of all but sysctls, which show whether wanted or not; sorted. */
export function picture(resources: ReadonlyMap<Key, Resource>): string[] {
  return [...resources.values()]
    .filter(r => r.kind !== 'sysctl')
    .map(fingerprint)
    .sort();
}

export const wanted = (store: Store): Map<Key, Resource> => compile(CONTEXT, store.intent());
