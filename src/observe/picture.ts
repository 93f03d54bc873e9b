/** One consistent look at everything an answer needs; what cannot be read is a problem, not a failure. */
import type { Resource } from '../ir/resource.ts';
import type { Counters } from '../kernel/port.ts';
import { asEswError, type EswError } from '../lib/errors.ts';
import type { Intent } from '../model/intent.ts';
import type { ReconcileStatus, View } from '../reconcile/port.ts';
import type { EswitchBody } from '../wire/api/status.ts';
import { type Difference, differences } from './difference.ts';
import { Owners } from './owners.ts';
import type { Sources } from './sources.ts';

/** A value, or why there is none. */
export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: EswError };

export interface Picture {
  readonly intent: Read<Intent>;
  readonly view: Read<View>;
  readonly counters: Read<Counters>;
  readonly reconcile: ReconcileStatus;
  readonly eswitch: EswitchBody;
  readonly owners: Owners;
  /** Empty when there is no view. */
  readonly differences: readonly Difference[];
}

const NOTHING: Intent = { networks: new Map(), endpoints: new Map() };
const NO_COUNTERS: Counters = { ports: new Map(), drops: [] };

async function attempt<T>(read: () => T | Promise<T>): Promise<Read<T>> {
  try {
    return { ok: true, value: await read() };
  } catch (error) {
    return { ok: false, problem: asEswError(error) };
  }
}

export async function takePicture(sources: Sources): Promise<Picture> {
  const { reconciler, store, placement, identity } = sources;
  const [view, counters] = await Promise.all([
    attempt(() => reconciler.view()),
    attempt(() => reconciler.counters()),
  ]);
  // After the waits, so that an endpoint committed meanwhile is not taken for something left over.
  const intent = await attempt(() => store.intent());
  const reconcile = reconciler.status();
  return {
    intent,
    view,
    counters,
    reconcile,
    eswitch: placement.eswitch(reconciler.probes(), reconcile.hookMode),
    owners: new Owners(identity, intent.ok ? intent.value : NOTHING),
    differences: view.ok ? differences(view.value) : [],
  };
}

/** Nothing when the store cannot be read: for answers that say so elsewhere. */
export const intentOf = (picture: Picture): Intent => (picture.intent.ok ? picture.intent.value : NOTHING);

/** For answers that would be untrue without it: throws why the store cannot be read. */
export function requireIntent(picture: Picture): Intent {
  if (!picture.intent.ok) throw picture.intent.problem;
  return picture.intent.value;
}

export const countersOf = (picture: Picture): Counters =>
  picture.counters.ok ? picture.counters.value : NO_COUNTERS;

/** The resource of that key, as it should be or else as it is. */
export function resourceOf(picture: Picture, key: string): Resource | undefined {
  if (!picture.view.ok) return undefined;
  return picture.view.value.desired.get(key) ?? picture.view.value.observed.get(key);
}
