/** Reads the configuration: flags over environment over file over built-in values. */
import Value from 'typebox/value';
import { EswError } from '../lib/errors.ts';
import { nearestName } from '../lib/suggest.ts';
import { CONFIG_KEYS, type Config, type ConfigKey, ConfigSchema, configDefaults } from './config-schema.ts';

export type { Config, ConfigKey } from './config-schema.ts';

/** Where the values come from. `file` is the parsed JSON document, null when there is no file. */
export interface ConfigSources {
  readonly repoRoot: string;
  readonly file: { readonly path: string; readonly document: unknown } | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: ReadonlyMap<string, string>;
}

const ENV_PREFIX = 'ESWITCHD_';
/** Environment names that are not configuration keys. */
const ENV_OTHER: ReadonlySet<string> = new Set(['ESWITCHD_CONFIG', 'ESWITCHD_CACHE']);

export const envName = (key: string): string =>
  ENV_PREFIX + key.replaceAll(/[A-Z]/g, letter => `_${letter}`).toUpperCase();
export const flagName = (key: string): string =>
  `--${key.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`;

/** `spell` writes a key as this source does (`stateDir`, `--state-dir`, `ESWITCHD_STATE_DIR`). */
function unknownKey(source: string, name: string, spell: (key: string) => string): EswError {
  const plain = name.replace(ENV_PREFIX, '').replaceAll(/[-_]/g, '');
  const meant = nearestName(plain, CONFIG_KEYS);
  const suggestion =
    meant === null ? `known: ${CONFIG_KEYS.map(spell).join(', ')}` : `did you mean ${spell(meant)}?`;
  return new EswError('ESW_ERR_CONFIG_KEY', `${source}: unknown ${name}; ${suggestion}`);
}

/** Text from the environment or a flag, in the type that the key's schema asks for. */
function fromText(key: ConfigKey, text: string): unknown {
  const schema = ConfigSchema.properties[key];
  if ('type' in schema && schema.type === 'integer') return /^[0-9]+$/.test(text) ? Number(text) : text;
  if (key === 'defaultPools') return text === '' ? [] : text.split(',').map(pool => pool.trim());
  if (key === 'bpffs' && text === '') return null;
  return text;
}

function check(source: string, shown: string, key: ConfigKey, value: unknown): void {
  const schema = ConfigSchema.properties[key];
  if (Value.Check(schema, value)) return;
  const choices: unknown = 'enum' in schema ? schema.enum : undefined;
  let expected = Value.Errors(schema, value)[0]?.message ?? 'it does not fit';
  if (Array.isArray(choices)) {
    const meant = typeof value === 'string' ? nearestName(value, choices.map(String)) : null;
    expected = `one of ${choices.join(', ')}${meant === null ? '' : `; did you mean ${meant}?`}`;
  }
  throw new EswError(
    'ESW_ERR_CONFIG_VALUE',
    `${source}: ${shown} cannot be ${JSON.stringify(value)}: ${expected}`,
  );
}

function fromFile(source: NonNullable<ConfigSources['file']>): Map<ConfigKey, unknown> {
  const { path, document } = source;
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new EswError('ESW_ERR_CONFIG_VALUE', `${path}: the document must be one JSON object`);
  }
  const values = new Map<ConfigKey, unknown>();
  for (const [name, value] of Object.entries(document)) {
    const key = CONFIG_KEYS.find(known => known === name);
    if (key === undefined) throw unknownKey(path, name, known => known);
    check(path, name, key, value);
    values.set(key, value);
  }
  return values;
}

function fromEnv(env: ConfigSources['env']): Map<ConfigKey, unknown> {
  const byName = new Map(CONFIG_KEYS.map(key => [envName(key), key]));
  const values = new Map<ConfigKey, unknown>();
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(ENV_PREFIX) || ENV_OTHER.has(name) || text === undefined) continue;
    const key = byName.get(name);
    if (key === undefined) throw unknownKey('environment', name, envName);
    const value = fromText(key, text);
    check('environment', name, key, value);
    values.set(key, value);
  }
  return values;
}

function fromFlags(flags: ConfigSources['flags']): Map<ConfigKey, unknown> {
  const byName = new Map(CONFIG_KEYS.map(key => [flagName(key), key]));
  const values = new Map<ConfigKey, unknown>();
  for (const [name, text] of flags) {
    const key = byName.get(name);
    if (key === undefined) throw unknownKey('command line', name, flagName);
    const value = fromText(key, text);
    check('command line', name, key, value);
    values.set(key, value);
  }
  return values;
}

/** Throws ESW_ERR_CONFIG_KEY or ESW_ERR_CONFIG_VALUE, naming the source, the key and the nearest right one. */
export function readConfig(sources: ConfigSources): Config {
  const file = sources.file === null ? new Map<ConfigKey, unknown>() : fromFile(sources.file);
  const given = new Map([...file, ...fromEnv(sources.env), ...fromFlags(sources.flags)]);
  const runDir = given.get('runDir');
  const defaults = configDefaults(sources.repoRoot, typeof runDir === 'string' ? runDir : undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}
