/** EndpointOperInfo: what `docker network inspect -v` and people with curl get to see. */
import { portNames } from '../ir/names.ts';
import { ipFamily } from '../lib/ip.ts';
import type { Endpoint, PortBinding } from '../model/endpoint.ts';

import { functionKey } from '../model/nic.ts';
import { requireDatapath } from './datapath.ts';
import type { PluginDeps } from './deps.ts';
import { requireEndpoint, requireNetwork } from './endpoints.ts';
import type { EndpointRef } from './requests.ts';

/** Keys are our own: under Docker's label names its engines expect types that JSON cannot carry. */
export function endpointInfo(deps: PluginDeps, ref: EndpointRef): Readonly<Record<string, unknown>> {
  const endpoint = requireEndpoint(deps.store, ref);
  const network = requireNetwork(deps.store, ref);
  const { rep, fn } = portNames(deps.identity, endpoint.id);
  return {
    mac: endpoint.mac,
    addresses: [endpoint.ip4, endpoint.ip6].filter(address => address !== null),
    mtu: network.mtu,
    representor: network.type === 'vlan' ? null : rep,
    function: fn,
    sandbox: endpoint.sandbox?.key ?? null,
    ...datapathFacts(deps, network),
    ...ownDatapath(endpoint),
    vf: endpoint.vf && functionKey(endpoint.vf),
    nic: endpoint.vf?.nic ?? null,
    whyNotHardware: endpoint.fallback,
    published: endpoint.published ? endpoint.bindings.map(showBinding) : [],
  };
}

/** What it got when it was made may differ from what its network would get now. */
function ownDatapath({ vf, fallback }: Endpoint): {
  readonly datapath?: string;
  readonly datapathWhy?: string;
} {
  if (fallback !== null) return { datapath: 'software', datapathWhy: fallback };
  return vf === null ? {} : { datapathWhy: `function ${functionKey(vf)}` };
}

/** An endpoint may outlive the NIC it was made on: then say so instead of failing. */
function datapathFacts(
  deps: PluginDeps,
  network: Parameters<typeof requireDatapath>[1],
): { readonly datapath: string; readonly datapathWhy: string } {
  try {
    const { kind, why } = requireDatapath(deps, network);
    return { datapath: kind, datapathWhy: why };
  } catch (error) {
    return { datapath: 'none', datapathWhy: error instanceof Error ? error.message : String(error) };
  }
}

/** As `docker ps` writes it: `0.0.0.0:8080->80/tcp`; `*` = every address. */
export function showBinding({ hostIp, hostPort, containerPort, proto }: PortBinding): string {
  const host = hostIp === null ? '*' : ipFamily(hostIp) === 6 ? `[${hostIp}]` : hostIp;
  return `${host}:${hostPort}->${containerPort}/${proto}`;
}
