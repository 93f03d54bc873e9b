/** Ids as people type them: whole, or a head that only one has. */
import { EswError } from '../lib/errors.ts';

function resolve<K extends string>(text: string, ids: Iterable<K>, noun: 'network' | 'endpoint'): K {
  const found: K[] = [];
  for (const id of ids) {
    if (id === text) return id;
    if (id.startsWith(text)) found.push(id);
  }
  const [only, ...others] = found;
  if (only === undefined) {
    const code = noun === 'network' ? 'ESW_ERR_NETWORK_UNKNOWN' : 'ESW_ERR_ENDPOINT_UNKNOWN';
    throw new EswError(code, `no ${noun} has an id that starts with ${text}`);
  }
  if (others.length > 0) {
    const shown = found.slice(0, 3).map(id => id.slice(0, Math.max(12, text.length + 1)));
    const more = found.length > shown.length ? ', …' : '';
    throw new EswError(
      'ESW_ERR_REQUEST_FIELD',
      `${text} is the start of ${found.length} ${noun} ids: ${shown.join(', ')}${more}`,
    );
  }
  return only;
}

/** Throws ESW_ERR_NETWORK_UNKNOWN, or ESW_ERR_REQUEST_FIELD when several fit. */
export const resolveNetwork = <K extends string>(text: string, ids: Iterable<K>): K =>
  resolve(text, ids, 'network');

/** Throws ESW_ERR_ENDPOINT_UNKNOWN, or ESW_ERR_REQUEST_FIELD when several fit. */
export const resolveEndpoint = <K extends string>(text: string, ids: Iterable<K>): K =>
  resolve(text, ids, 'endpoint');
