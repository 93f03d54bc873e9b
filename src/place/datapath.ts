/** Which kind of eswitch forwards a network's packets, by its options and this host's capabilities. */
import type { Datapath, Network } from '../model/network.ts';
import type { Capabilities } from './capabilities.ts';

export type EswitchKind = Exclude<Datapath, 'auto'>;

/** `refused`: the options ask for what this host lacks; `why` is then what is missing. */
export type DatapathVerdict =
  | { readonly verdict: 'chosen'; readonly kind: EswitchKind; readonly why: string }
  | { readonly verdict: 'refused'; readonly why: string };

/** Best first. */
const KINDS: readonly EswitchKind[] = ['switchdev', 'sriov', 'software'];

export function chooseDatapath(
  network: Pick<Network, 'datapath' | 'require'>,
  capabilities: Capabilities,
): DatapathVerdict {
  const { datapath, require } = network;
  const wanted = datapath === 'auto' ? KINDS : [datapath];
  const allowed = require === 'hw' ? wanted.filter(kind => kind !== 'software') : wanted;
  if (allowed.length === 0) {
    return { verdict: 'refused', why: 'datapath=software and require=hw exclude each other' };
  }
  const kind = allowed.find(each => capabilities[each].available);
  if (kind === undefined) return { verdict: 'refused', why: reasons(allowed, capabilities) };
  const better = datapath === 'auto' ? KINDS.slice(0, KINDS.indexOf(kind)) : [];
  const why = better.length === 0 ? capabilities[kind].why : reasons(better, capabilities);
  return { verdict: 'chosen', kind, why };
}

function reasons(kinds: readonly EswitchKind[], capabilities: Capabilities): string {
  return [...new Set(kinds.map(kind => capabilities[kind].why))].join('; ');
}
