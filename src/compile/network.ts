/** A network. Type `bridge`: its gateway port, its entry, its subnets and its place in the nftables sets. */

import {
  address,
  fibEntry,
  hook,
  netEntry,
  nftElement,
  port,
  portEntry,
  subnetEntry,
  sysctl,
} from '../ir/make.ts';
import { gatewayNames } from '../ir/names.ts';
import type { Resource } from '../ir/resource.ts';
import type { Ip } from '../lib/brand.ts';
import { cidrLength, cidrOf, ipFamily, linkLocalOf } from '../lib/ip.ts';
import type { Network } from '../model/network.ts';
import type { CompileContext } from './context.ts';
import { compileVlanNetwork } from './vlan.ts';

/** It forwards for others, so any source will do. */
const GATEWAY_SOURCES = { ip4: null, ip6: null, trusted: true, countPairs: false } as const;

export function compileNetwork(context: CompileContext, network: Network): Resource[] {
  if (network.vlan !== undefined) return compileVlanNetwork(context, network, network.vlan);
  const { rep, fn } = gatewayNames(context.identity, network.id);
  const { slot: net, gatewaySlot, gatewayMac, switchMac, internal, mtu } = network;
  return [
    port({ rep, fn, repMac: switchMac, fnMac: gatewayMac, mtu, role: 'gateway', vf: null, sandbox: null }),
    hook(rep),
    portEntry({ rep, slot: gatewaySlot, net, mac: gatewayMac, ...GATEWAY_SOURCES }),
    netEntry({ net, internal, gateway: fn, gatewaySlot, switchMac, gatewayMac }),
    // Replies to published ports leave on a path that plain reverse-path filtering would refuse, and
    // localhost clients of published ports need 127/8 to cross the gateway link.
    sysctl(`net/ipv4/conf/${fn}/rp_filter`, '2'),
    sysctl(`net/ipv4/conf/${fn}/route_localnet`, '1'),
    ...network.subnets.flatMap(({ pool, gateway }) => [
      subnetEntry(net, pool),
      ...(gateway === null ? [] : [address(fn, cidrOf(gateway, cidrLength(pool)))]),
    ]),
    ...gatewayAddresses(network).map(addr => {
      return fibEntry({ net, addr, link: fn, slot: gatewaySlot, mac: gatewayMac, delivery: 'host' });
    }),
    ...networkElements(network, fn),
  ];
}

/** Addresses that the host itself answers on inside the network. */
function gatewayAddresses(network: Network): Ip[] {
  const gateways = network.subnets.flatMap(subnet => (subnet.gateway === null ? [] : [subnet.gateway]));
  const speaks6 = network.subnets.some(subnet => ipFamily(subnet.pool) === 6);
  return speaks6 ? [...gateways, linkLocalOf(network.gatewayMac)] : gateways;
}

function networkElements(network: Network, fn: string): Resource[] {
  const name = `"${fn}"`;
  const elements = [nftElement('gateways', name)];
  if (network.internal) return [...elements, nftElement('internal', name)];
  if (!network.nat) return [...elements, nftElement('routed', name)];
  return [...elements, ...network.subnets.map(({ pool }) => nftElement(`masq${ipFamily(pool)}`, pool))];
}
