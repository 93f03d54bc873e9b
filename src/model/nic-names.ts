/** NICs as people name them. */
import { EswError } from '../lib/errors.ts';
import type { Nic } from './nic.ts';

/** By handle, by device name, by a unique end of one, or by uplink. Throws ESW_ERR_NIC_UNKNOWN. */
export function findNic(nics: readonly Nic[], name: string): Nic {
  const exact = nics.find(({ handle }) => handle === name || handle.endsWith(`/${name}`));
  if (exact !== undefined) return exact;
  const found = nics.filter(
    ({ handle, uplinks }) => handle.endsWith(name) || uplinks.some(link => link.name === name),
  );
  if (found.length === 1 && found[0] !== undefined) return found[0];
  const known =
    nics.length === 0 ? 'this host has none' : `known: ${nics.map(({ handle }) => handle).join(', ')}`;
  const what = found.length === 0 ? `no NIC ${name}` : `${name} is the end of several NICs`;
  throw new EswError('ESW_ERR_NIC_UNKNOWN', `${what}; ${known}`);
}
