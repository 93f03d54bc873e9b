/** What one host needs once, whatever its networks. */

import { forwardAccept, nftTable, programs, sysctl } from '../ir/make.ts';
import { gatewayPrefix } from '../ir/names.ts';
import type { Resource } from '../ir/resource.ts';
import { type Family, ipFamily } from '../lib/ip.ts';
import type { Network } from '../model/network.ts';
import type { CompileContext } from './context.ts';

/** Address families in which some network lets packets leave: only those make the host a router. */
export function forwardedFamilies(networks: Iterable<Network>): ReadonlySet<Family> {
  const families = new Set<Family>();
  for (const network of networks) {
    // What is on the physical network is routed there.
    if (!network.internal && network.type === 'bridge')
      for (const subnet of network.subnets) families.add(ipFamily(subnet.pool));
  }
  return families;
}

/**
 * Forwarding is switched on per family and only when a network needs it: IPv6 forwarding makes the
 * kernel ignore router advertisements, which a host without IPv6 containers must not suffer.
 */
export function compileHost(context: CompileContext, families: ReadonlySet<Family>): Resource[] {
  const resources: Resource[] = [programs(context.programsDigest), nftTable(context.nftDigest)];
  const prefix = gatewayPrefix(context.identity);
  if (families.has(4)) resources.push(forwardAccept('ip', prefix), sysctl('net/ipv4/ip_forward', '1'));
  if (families.has(6))
    resources.push(forwardAccept('ip6', prefix), sysctl('net/ipv6/conf/all/forwarding', '1'));
  return resources;
}
