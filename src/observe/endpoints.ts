/** Bodies of /v1/endpoints. */
import { directPortKey } from '../ir/make.ts';
import { type PairNames, portNames } from '../ir/names.ts';
import { printVia } from '../ir/print.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { functionKey } from '../model/nic.ts';
import type { EndpointBody } from '../wire/api/endpoint.ts';
import { Hardware } from './hardware.ts';
import { Troubles } from './health.ts';
import { countersOf, type Picture, requireIntent, resourceOf } from './picture.ts';
import type { Sources } from './sources.ts';
import { Traffic } from './traffic.ts';

/** By network, then by address, the order in which people look for one. */
export function compareEndpoints(a: Endpoint, b: Endpoint): number {
  if (a.networkId !== b.networkId) return a.networkId < b.networkId ? -1 : 1;
  return a.slot - b.slot;
}

export function endpointBodies(
  sources: Sources,
  picture: Picture,
  only: (endpoint: Endpoint) => boolean,
): EndpointBody[] {
  const troubles = new Troubles(picture);
  const traffic = new Traffic(countersOf(picture), new Hardware(sources.offload, picture.eswitch.why));
  return [...requireIntent(picture).endpoints.values()]
    .filter(only)
    .sort(compareEndpoints)
    .map(endpoint => {
      const names = portNames(sources.identity, endpoint.id);
      const { sandbox } = endpoint;
      return {
        id: endpoint.id,
        network: endpoint.networkId,
        mac: endpoint.mac,
        ip4: endpoint.ip4,
        ip6: endpoint.ip6,
        ...attachment(picture, names, endpoint),
        fallback: endpoint.fallback,
        function: names.fn,
        slot: endpoint.slot,
        sandbox: sandbox === null ? null : { path: sandbox.key, ifname: sandbox.ifname },
        published: { inForce: endpoint.published, ports: endpoint.bindings.map(binding => ({ ...binding })) },
        ...troubles.endpoint(endpoint, path => sources.sandboxExists(path)),
        traffic: traffic.endpoint(endpoint),
      };
    });
}

function attachment(
  picture: Picture,
  { rep, fn }: PairNames,
  { vf }: Endpoint,
): Pick<EndpointBody, 'representor' | 'attached'> {
  const direct = resourceOf(picture, directPortKey(fn));
  if (direct?.kind === 'direct-port') return { representor: null, attached: printVia(direct.via) };
  return { representor: rep, attached: vf === null ? 'veth pair' : `VF ${functionKey(vf)} with representor` };
}
