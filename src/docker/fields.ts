/** Reading the fields of a JSON object, with errors that name the field: `Interface.Address: …`. */
import { EswError } from '../lib/errors.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function fieldError(path: string, problem: string): EswError {
  return new EswError('ESW_ERR_REQUEST_FIELD', `${path}: ${problem}`);
}

/** What a value is, for people. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : value === undefined ? 'nothing' : `a ${typeof value}`;
}

/**
 * One object of a request. Go sends `null` for an empty slice, map or pointer, so null and absent
 * mean the same for everything that is not required. Fields nobody asks for are ignored.
 */
export class Fields {
  readonly #object: JsonObject;
  readonly #path: string;

  constructor(object: JsonObject, path = '') {
    this.#object = object;
    this.#path = path;
  }

  /** Full name of a field, for errors. */
  name(key: string): string {
    return this.#path === '' ? key : `${this.#path}.${key}`;
  }

  raw(key: string): unknown {
    return Object.hasOwn(this.#object, key) ? (this.#object[key] ?? undefined) : undefined;
  }

  /** "" when absent. */
  text(key: string): string {
    const value = this.raw(key);
    if (value === undefined) return '';
    if (typeof value !== 'string') throw fieldError(this.name(key), `expected text, got ${kindOf(value)}`);
    return value;
  }

  required(key: string): string {
    const value = this.text(key);
    if (value === '') throw fieldError(this.name(key), 'is missing or empty');
    return value;
  }

  flag(key: string): boolean {
    const value = this.raw(key);
    if (value === undefined) return false;
    // Generic option maps pass through stores that know only text.
    if (value === 'true' || value === 'false') return value === 'true';
    if (typeof value !== 'boolean')
      throw fieldError(this.name(key), `expected true or false, got ${kindOf(value)}`);
    return value;
  }

  /** 0 when absent. */
  integer(key: string, min: number, max: number): number {
    const value = this.raw(key) ?? 0;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      const shown = typeof value === 'number' ? String(value) : kindOf(value);
      throw fieldError(this.name(key), `expected a whole number from ${min} to ${max}, got ${shown}`);
    }
    return value;
  }

  /** Empty when absent. */
  object(key: string): Fields {
    const value = this.raw(key) ?? {};
    if (!isObject(value)) throw fieldError(this.name(key), `expected an object, got ${kindOf(value)}`);
    return new Fields(value, this.name(key));
  }

  /** Objects of an array; none when absent. */
  objects(key: string): readonly Fields[] {
    const value = this.raw(key) ?? [];
    if (!Array.isArray(value)) throw fieldError(this.name(key), `expected an array, got ${kindOf(value)}`);
    return value.map((item: unknown, index) => {
      const path = `${this.name(key)}[${index}]`;
      if (!isObject(item)) throw fieldError(path, `expected an object, got ${kindOf(item)}`);
      return new Fields(item, path);
    });
  }

  /** Every entry as text: text as it is, anything else as JSON. Absent ones are left out. */
  texts(): Readonly<Record<string, string>> {
    const entries = Object.entries(this.#object).flatMap(([key, value]): [string, string][] => {
      if (value === null || value === undefined) return [];
      return [[key, typeof value === 'string' ? value : JSON.stringify(value)]];
    });
    return Object.fromEntries(entries);
  }
}
