/** Which kind of eswitch forwards a network's packets, by its options and this host's capabilities. */
import type { Datapath, Network } from '../model/network.ts';
import type { Capabilities } from './capabilities.ts';

export type EswitchKind = Exclude<Datapath, 'auto'>;

/** `refused`: the options ask for what this host lacks; `why` is then what is missing. */
export type DatapathVerdict =
  | { readonly verdict: 'chosen'; readonly kind: EswitchKind; readonly why: string }
  | { readonly verdict: 'refused'; readonly why: string };

/** Best first. A bridge network cannot use legacy SR-IOV: packets of VFs there pass no host, so no NAT. */
const KINDS: Readonly<Record<Network['type'], readonly EswitchKind[]>> = {
  bridge: ['switchdev', 'software'],
  vlan: ['sriov', 'software'],
};

/** What of a network decides; without a type, the question is about the host as a whole. */
export type DatapathWish = Pick<Network, 'datapath' | 'require'> & Partial<Pick<Network, 'type' | 'vlan'>>;

const ALL: readonly EswitchKind[] = ['switchdev', 'sriov', 'software'];

export function chooseDatapath(network: DatapathWish, capabilities: Capabilities): DatapathVerdict {
  const { type, datapath, require } = network;
  const kinds = type === undefined ? ALL : KINDS[type];
  if (datapath !== 'auto' && !kinds.includes(datapath)) {
    return { verdict: 'refused', why: `network type ${type} has no datapath ${datapath}` };
  }
  const wanted = datapath === 'auto' ? kinds : [datapath];
  const allowed = require === 'hw' ? wanted.filter(kind => kind !== 'software') : wanted;
  if (allowed.length === 0) {
    return { verdict: 'refused', why: 'datapath=software and require=hw exclude each other' };
  }
  const kind = allowed.find(each => capabilities[each].available);
  if (kind === undefined) return { verdict: 'refused', why: reasons(allowed, capabilities) };
  const better = datapath === 'auto' ? kinds.slice(0, kinds.indexOf(kind)) : [];
  const own = type === 'vlan' && kind === 'software' ? 'macvlan links on the uplink' : capabilities[kind].why;
  const why = better.length === 0 ? own : reasons(better, capabilities);
  return { verdict: 'chosen', kind, why };
}

function reasons(kinds: readonly EswitchKind[], capabilities: Capabilities): string {
  return [...new Set(kinds.map(kind => capabilities[kind].why))].join('; ');
}
