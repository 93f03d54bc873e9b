/** An endpoint: its port, its entries in every table and its published ports. */

import { fibEntry, hook, nftElement, port, portEntry } from '../ir/make.ts';
import { portNames } from '../ir/names.ts';
import type { NftElement, Resource } from '../ir/resource.ts';
import type { Ip } from '../lib/brand.ts';
import { cidrAddress, type Family, ipFamily, linkLocalOf } from '../lib/ip.ts';
import type { Endpoint, PortBinding } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import type { CompileContext } from './context.ts';
import { placement } from './placement.ts';
import { compileVlanEndpoint } from './vlan.ts';

/** Cost: O(addresses + bindings) of this endpoint, whatever else the host has. */
export function compileEndpoint(context: CompileContext, network: Network, endpoint: Endpoint): Resource[] {
  if (network.vlan !== undefined) return compileVlanEndpoint(context, network, network.vlan, endpoint);
  const { rep, fn } = portNames(context.identity, endpoint.id);
  const { slot, mac, vf } = endpoint;
  const net = network.slot;
  const ip4 = endpoint.ip4 && cidrAddress(endpoint.ip4);
  const ip6 = endpoint.ip6 && cidrAddress(endpoint.ip6);
  // Docker disables IPv6 in a sandbox without an IPv6 address: no link-local address there to reach.
  const addresses = [ip4, ip6, ip6 && linkLocalOf(mac)].filter(ip => ip !== null);
  const delivery = vf === null ? 'peer' : 'transmit';
  const sandbox = placement(network, endpoint);
  return [
    port({ rep, fn, repMac: network.switchMac, fnMac: mac, mtu: network.mtu, role: 'endpoint', vf, sandbox }),
    hook(rep),
    portEntry({ rep, slot, net, mac, ip4, ip6, trusted: false, countPairs: vf !== null }),
    ...addresses.map(addr => fibEntry({ net, addr, link: rep, slot, mac, delivery })),
    ...(endpoint.published && !network.internal ? publish(endpoint.bindings, ip4, ip6) : []),
  ];
}

/** Elements of the DNAT maps: one per binding and family in which the endpoint can answer. */
function publish(bindings: readonly PortBinding[], ip4: Ip | null, ip6: Ip | null): NftElement[] {
  return bindings.flatMap(binding =>
    ([4, 6] as const).flatMap(family => {
      const target = family === 4 ? ip4 : ip6;
      return target === null ? [] : element(binding, family, target);
    }),
  );
}

/** A binding to 0.0.0.0 or :: means every local address of that family alone. */
function element(binding: PortBinding, family: Family, target: Ip): NftElement[] {
  const { proto, hostIp, hostPort, containerPort } = binding;
  if (hostIp !== null && ipFamily(hostIp) !== family) return [];
  const value = `${target} . ${containerPort}`;
  return hostIp === null || hostIp === '0.0.0.0' || hostIp === '::'
    ? [nftElement(`pub${family}any`, `${proto} . ${hostPort}`, value)]
    : [nftElement(`pub${family}`, `${hostIp} . ${proto} . ${hostPort}`, value)];
}
