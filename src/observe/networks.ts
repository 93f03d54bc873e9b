/** Bodies of /v1/networks. */
import { gatewayNames } from '../ir/names.ts';
import type { Network } from '../model/network.ts';
import type { NetworkBody } from '../wire/api/network.ts';
import { Hardware } from './hardware.ts';
import { Troubles } from './health.ts';
import { countersOf, type Picture, requireIntent } from './picture.ts';
import type { Sources } from './sources.ts';
import { Traffic } from './traffic.ts';

export function networkBodies(
  sources: Sources,
  picture: Picture,
  only: (network: Network) => boolean,
): NetworkBody[] {
  const intent = requireIntent(picture);
  const troubles = new Troubles(picture);
  const traffic = new Traffic(countersOf(picture), new Hardware(sources.offload, picture.eswitch.why));
  const members = Map.groupBy(intent.endpoints.values(), endpoint => endpoint.networkId);
  return [...intent.networks.values()]
    .filter(only)
    .sort((a, b) => a.slot - b.slot)
    .map(network => {
      const endpoints = members.get(network.id) ?? [];
      const { datapath, require } = network;
      return {
        id: network.id,
        type: network.type,
        subnets: network.subnets.map(({ pool, gateway }) => ({ pool, gateway })),
        mtu: network.mtu,
        internal: network.internal,
        nat: network.nat,
        hostBinding: network.hostBinding,
        options: { ...network.options },
        datapath: { wanted: datapath, require, ...sources.placement.datapath(network) },
        slot: network.slot,
        ...switchFacts(sources, network),
        vlan: network.vlan === undefined ? null : { ...network.vlan },
        ...troubles.network(network),
        endpoints: endpoints.length,
        traffic: traffic.network(network, endpoints),
      };
    });
}

/** A network on the physical one has neither a switch of its own nor a gateway port. */
function switchFacts(
  { identity }: Sources,
  { id, type, switchMac, gatewayMac }: Network,
): Pick<NetworkBody, 'switchMac' | 'gateway'> {
  if (type === 'vlan') return { switchMac: null, gateway: null };
  const { rep, fn } = gatewayNames(identity, id);
  return { switchMac, gateway: { device: fn, representor: rep, mac: gatewayMac } };
}
