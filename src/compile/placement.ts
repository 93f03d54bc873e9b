/** Where a lost port is rebuilt, and how Docker had configured it there. */
import type { SandboxPlacement } from '../ir/resource.ts';
import type { Cidr, Ip } from '../lib/brand.ts';
import { ipFamily } from '../lib/ip.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';

/** Known once the interface was seen in the sandbox under its name. */
export function placement(network: Network, endpoint: Endpoint): SandboxPlacement | null {
  const { sandbox } = endpoint;
  if (sandbox === null || sandbox.ifname === null) return null;
  const addresses = [endpoint.ip4, endpoint.ip6].filter(cidr => cidr !== null);
  const gateways = network.internal
    ? []
    : network.subnets.flatMap(subnet => gatewayFor(subnet.gateway, addresses));
  return { netns: sandbox.key, ifname: sandbox.ifname, addresses, gateways };
}

function gatewayFor(gateway: Ip | null, addresses: readonly Cidr[]): readonly Ip[] {
  return gateway !== null && addresses.some(cidr => ipFamily(cidr) === ipFamily(gateway)) ? [gateway] : [];
}
