/** A network of type `vlan` and its endpoints: links on the physical network, and nothing in the tables. */
import { directPort, vlanLink } from '../ir/make.ts';
import { portNames, vlanLinkName } from '../ir/names.ts';
import type { DirectVia, Resource } from '../ir/resource.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Identity } from '../model/intent.ts';
import type { Network, VlanSettings } from '../model/network.ts';
import type { FunctionRef } from '../model/nic.ts';
import type { CompileContext } from './context.ts';
import { placement } from './placement.ts';

/** The sub-interface that containers without a VF stand on; a network that never falls back needs none. */
export function compileVlanNetwork(
  { identity }: CompileContext,
  network: Network,
  { parent, vlan }: VlanSettings,
): Resource[] {
  const fallsBack = network.require === 'any' && network.datapath !== 'sriov';
  if (vlan === 0 || !fallsBack) return [];
  return [vlanLink({ link: vlanLinkName(identity, network.id), parent, vlan, mtu: network.mtu })];
}

export function compileVlanEndpoint(
  { identity }: CompileContext,
  network: Network,
  settings: VlanSettings,
  endpoint: Endpoint,
): Resource[] {
  const { fn } = portNames(identity, endpoint.id);
  const via = endpoint.vf === null ? macvlanVia(identity, network, settings) : vfVia(endpoint.vf, settings);
  return [
    directPort({ fn, mac: endpoint.mac, mtu: network.mtu, via, sandbox: placement(network, endpoint) }),
  ];
}

function macvlanVia(identity: Identity, network: Network, { parent, vlan }: VlanSettings): DirectVia {
  return { kind: 'macvlan', parent: vlan === 0 ? parent : vlanLinkName(identity, network.id) };
}

function vfVia(ref: FunctionRef, { parent: _, ...attributes }: VlanSettings): DirectVia {
  return { kind: 'vf', ref, ...attributes };
}
