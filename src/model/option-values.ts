/** Reading the value of one `-o` option; refusals name the option and what it takes. */
import { EswError } from '../lib/errors.ts';
import { nearestName } from '../lib/suggest.ts';

export type RawOptions = Readonly<Record<string, string>>;

export function refuseValue(name: string, value: string, expected: string): EswError {
  return new EswError('ESW_ERR_OPTION_VALUE', `option ${name}="${value}": ${expected}`);
}

/** One of `known`; throws ESW_ERR_OPTION_VALUE with the list and the nearest. */
export function choice<T extends string>(raw: RawOptions, name: string, known: readonly T[], fallback: T): T {
  const value = raw[name];
  if (value === undefined) return fallback;
  const found = known.find(candidate => candidate === value);
  if (found !== undefined) return found;
  const meant = nearestName(value, known);
  throw refuseValue(
    name,
    value,
    `available: ${known.join(', ')}${meant === null ? '' : `; did you mean ${meant}?`}`,
  );
}

/** A whole number of at most seven digits from `min` to `max`. */
export function wholeNumber(name: string, value: string, min: number, max: number): number {
  const number = /^[0-9]{1,7}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= min && number <= max)) throw refuseValue(name, value, `a number from ${min} to ${max}`);
  return number;
}

/** The spellings that Go's strconv.ParseBool takes, as Docker's own drivers do. */
export function booleanValue(name: string, value: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
  throw refuseValue(name, value, 'true or false');
}
