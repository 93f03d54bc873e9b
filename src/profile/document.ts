/** A profile file checked and spread out: groups become tables, a variant's statements precede its family's. */
import Value from 'typebox/value';
import { EswError } from '../lib/errors.ts';
import type { NicProfile, ProfileMatch } from '../model/nic-profile.ts';
import { type ProfileDocument, ProfileSchema, type ProfileVariant } from './schema.ts';

/** A family or one model of it, with what it is recognised by. */
export interface MatchedProfile {
  readonly profile: NicProfile;
  readonly match: ProfileMatch;
}

/** Throws ESW_ERR_PROFILE_INVALID, naming the file and the place in it. */
export function parseProfile(file: string, document: unknown): ProfileDocument {
  if (!Value.Check(ProfileSchema, document)) {
    const error = Value.Errors(ProfileSchema, document)[0];
    const place = error?.instancePath === '' || error === undefined ? '/' : error.instancePath;
    throw invalid(file, place, error?.message ?? 'does not fit the schema');
  }
  checkSources(file, document, document, '');
  return document;
}

const invalid = (file: string, place: string, what: string): EswError =>
  new EswError('ESW_ERR_PROFILE_INVALID', `${file}: ${place}: ${what}`);

/** Every `source` names one of `sources`, and only an unknown answer has none. */
function checkSources(file: string, document: ProfileDocument, value: unknown, place: string): void {
  if (typeof value !== 'object' || value === null) return;
  const entries = Object.entries(value);
  for (const [key, child] of entries) {
    if (key !== 'source' || !Array.isArray(child)) {
      if (!(place === '' && key === 'sources')) checkSources(file, document, child, `${place}/${key}`);
      continue;
    }
    const missing = child.find(name => !Object.hasOwn(document.sources, String(name)));
    if (missing !== undefined) throw invalid(file, `${place}/source`, `no source ${String(missing)}`);
    const answer = entries.find(([name]) => name === 'answer')?.[1];
    if (child.length === 0 && answer !== undefined && answer !== 'unknown') {
      throw invalid(file, `${place}/source`, `the answer ${String(answer)} needs a source`);
    }
  }
}

/** Variants first, so that the first match is the closest; the family's own statements last. */
export function profilesOf(document: ProfileDocument): readonly MatchedProfile[] {
  const family = { profile: spread(document, null), match: document.match };
  const variants = document.variants.map(variant => ({
    profile: spread(document, variant),
    match: { ...variant.match, drivers: document.match.drivers },
  }));
  return [...variants, family];
}

interface Named {
  readonly names: readonly string[];
}

/** Groups to a table; the first group that names something counts. */
function tableOf<T extends Named>(
  ...lists: readonly (readonly T[] | undefined)[]
): Record<string, Omit<T, 'names'>> {
  const table: Record<string, Omit<T, 'names'>> = {};
  for (const { names, ...rest } of lists.flatMap(list => list ?? [])) {
    for (const name of names) table[name] ??= rest;
  }
  return table;
}

/** By id: a variant's entry replaces the family's. */
function merged<T extends { readonly id: string }>(own: readonly T[] | undefined, family: readonly T[]): T[] {
  const named = new Set((own ?? []).map(({ id }) => id));
  return [...(own ?? []), ...family.filter(({ id }) => !named.has(id))];
}

function spread(document: ProfileDocument, variant: ProfileVariant | null): NicProfile {
  const own: Partial<ProfileVariant> = variant ?? {};
  const params = own.params ?? [];
  return {
    id: document.id,
    variant: variant?.id ?? null,
    title: variant?.title ?? document.title,
    probe: document.probe,
    offload: own.offload ?? document.offload,
    switchdev: own.switchdev ?? document.switchdev,
    legacy: own.legacy ?? document.legacy,
    quirks: merged(own.quirks, document.quirks),
    fields: tableOf(own.fields, document.fields),
    actions: tableOf(own.actions, document.actions),
    pedit: tableOf(own.pedit, document.pedit),
    protocols: tableOf(own.protocols, document.protocols),
    unlisted: document.unlisted,
    chains: document.chains,
    priorities: document.priorities,
    limits: merged(own.limits, document.limits),
    table: own.table ?? document.table,
    params: [...params, ...document.params.filter(({ name }) => !params.some(each => each.name === name))],
    vendor: merged(own.vendor, document.vendor),
    firmware: own.firmware ?? document.firmware,
    sources: document.sources,
  };
}
