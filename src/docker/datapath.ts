/** Which way of forwarding a network gets, and why. */
import { EswError } from '../lib/errors.ts';
import type { Datapath, Network } from '../model/network.ts';
import type { DatapathKind } from './deps.ts';

type Kind = DatapathKind['kind'];

/** Best first. A bridge network has no legacy SR-IOV datapath: virtual functions there cannot be NATed. */
const KINDS: Readonly<Record<Network['type'], readonly Kind[]>> = { bridge: ['switchdev', 'software'] };

/** Throws ESW_ERR_DATAPATH_UNAVAILABLE saying what is missing. */
export function chooseDatapath(
  found: readonly DatapathKind[],
  wanted: Pick<Network, 'type' | 'datapath' | 'require'>,
): DatapathKind {
  const allowed = KINDS[wanted.type].filter(kind => isAllowed(kind, wanted.datapath, wanted.require));
  const candidates = allowed.map(
    kind => found.find(one => one.kind === kind) ?? { kind, available: false, why: 'not probed' },
  );
  const best = candidates.find(candidate => candidate.available);
  if (best !== undefined) return best;
  const asked = `datapath=${wanted.datapath}, require=${wanted.require}`;
  const why = candidates.map(candidate => `${candidate.kind}: ${candidate.why}`).join('; ');
  const detail = why === '' ? `network type ${wanted.type} has none that fits` : why;
  throw new EswError('ESW_ERR_DATAPATH_UNAVAILABLE', `${asked}: ${detail}`);
}

function isAllowed(kind: Kind, datapath: Datapath, require: Network['require']): boolean {
  if (require === 'hw' && kind === 'software') return false;
  return datapath === 'auto' || datapath === kind;
}
