/** Reads firmware-profiles/. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EswError } from '../lib/errors.ts';
import { type MatchedProfile, parseProfile, profilesOf } from './document.ts';

const SCHEMA_FILE = 'schema.json';
/** The family that stands for every NIC that no other knows. */
export const GENERIC = 'generic';

export interface ProfileSet {
  readonly known: readonly MatchedProfile[];
  readonly generic: MatchedProfile;
}

/**
 * Every profile of the folder. Throws ESW_ERR_PROFILE_INVALID naming the file and the place in it: a
 * wrong profile is a defect of the installation, and guessing past it would be worse.
 */
export function loadProfiles(folder: string): ProfileSet {
  const files = readdirSync(folder)
    .filter(name => name.endsWith('.json') && name !== SCHEMA_FILE)
    .sort();
  const all = files.flatMap(name => profilesOf(parseProfile(name, readDocument(folder, name))));
  const generic = all.find(({ profile }) => profile.id === GENERIC);
  if (generic === undefined) {
    throw new EswError('ESW_ERR_PROFILE_INVALID', `${folder}: there is no ${GENERIC}.json`);
  }
  return { known: all.filter(each => each !== generic), generic };
}

function readDocument(folder: string, name: string): unknown {
  try {
    return JSON.parse(readFileSync(join(folder, name), 'utf8'));
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new EswError('ESW_ERR_PROFILE_INVALID', `${name}: /: ${text}`, { cause });
  }
}
