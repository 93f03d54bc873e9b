/** What the Docker plugin does to store and reconciler, for tests of the loop. */
import { afterEach, expect } from 'vitest';
import { portNames } from '../../src/ir/names.ts';
import type { Op } from '../../src/ir/op.ts';
import type { EndpointId } from '../../src/lib/brand.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import { endpoint, network } from './arbitrary.ts';
import { picture, type Rig, rig, wanted } from './rig.ts';
import { CONTEXT } from './sim-harness.ts';

export const NET = network(1);
/** Link names of endpoint 1 of NET. */
export const { rep, fn } = portNames(CONTEXT.identity, endpoint(NET, 1).id);
const running: Rig[] = [];

/** A started daemon core; stopped after the test. */
export async function started(given: Parameters<typeof rig>[0] = {}): Promise<Rig> {
  const made = stopLater(rig(given));
  await made.reconciler.start();
  return made;
}

export function stopLater(the: Rig): Rig {
  running.push(the);
  return the;
}

afterEach(async () => {
  for (const each of running.splice(0)) await each.reconciler.stop();
});

/** As CreateNetwork does. */
export async function addNetwork({ store, reconciler }: Rig, net = NET): Promise<void> {
  const { revision } = store.commit(tx => tx.putNetwork(net));
  reconciler.notify({ networks: [net.id] });
  await reconciler.waitFor(revision, net.id, 1000);
}

/** As CreateEndpoint (or any later change) does. */
export async function putEndpoint({ store, reconciler }: Rig, each: Endpoint): Promise<void> {
  const { revision } = store.commit(tx => tx.putEndpoint(each));
  reconciler.notify({ endpoints: [each.id] });
  await reconciler.waitFor(revision, each.id, 1000);
}

export async function deleteEndpoint({ store, reconciler }: Rig, id: EndpointId): Promise<void> {
  const { revision } = store.commit(tx => tx.deleteEndpoint(id));
  reconciler.notify({ endpoints: [id] });
  await reconciler.waitFor(revision, id, 1000);
}

export async function expectConverged(the: Rig): Promise<void> {
  expect(picture((await the.kernel.dump()).resources)).toEqual(picture(wanted(the.store)));
}

export const kinds = (ops: readonly Op[]): string[] =>
  ops.map(op => (op.verb === 'swap-fib' ? op.verb : `${op.verb} ${op.resource.kind}`));
