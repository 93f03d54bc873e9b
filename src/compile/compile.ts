/**
 * Intent → resources. Pure and deterministic; the result does not depend on the order in which
 * networks and endpoints are stored, and each owner's part can be compiled on its own.
 */
import type { Key, Resource } from '../ir/resource.ts';
import type { Intent } from '../model/intent.ts';
import type { CompileContext } from './context.ts';
import { compileEndpoint } from './endpoint.ts';
import { compileHost, forwardedFamilies } from './host.ts';
import { compileNetwork } from './network.ts';

/**
 * Everything the intent asks for. Endpoints of a network that the intent lacks are left out: the
 * store refuses such an intent, and nothing could be said about their packets.
 */
export function compile(context: CompileContext, intent: Intent): Map<Key, Resource> {
  const resources = new Map<Key, Resource>();
  const add = (part: readonly Resource[]): void => {
    for (const resource of part) resources.set(resource.key, resource);
  };
  add(compileHost(context, forwardedFamilies(intent.networks.values())));
  for (const id of [...intent.networks.keys()].sort()) {
    const network = intent.networks.get(id);
    if (network !== undefined) add(compileNetwork(context, network));
  }
  for (const id of [...intent.endpoints.keys()].sort()) {
    const endpoint = intent.endpoints.get(id);
    const network = endpoint && intent.networks.get(endpoint.networkId);
    if (endpoint !== undefined && network !== undefined) add(compileEndpoint(context, network, endpoint));
  }
  return resources;
}
