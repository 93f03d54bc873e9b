/** The NetworkDriver methods by name: decode, act, encode. */
import { wantsNoGateway } from '../model/options.ts';
import {
  decodeCreateEndpoint,
  decodeCreateNetwork,
  decodeEndpointRef,
  decodeGenericOptions,
  decodeJoin,
  decodeNetworkId,
  decodeProgram,
} from './decode.ts';
import type { PluginDeps } from './deps.ts';
import { createEndpointAnswer, joinAnswer } from './encode.ts';
import { endpointInfo } from './endpoint-info.ts';
import { createEndpoint, deleteEndpoint, join, leave } from './endpoints.ts';
import type { Fields } from './fields.ts';
import { createNetwork, deleteNetwork } from './networks.ts';
import { Publisher } from './publish.ts';

export type Handler = (body: Fields) => object | Promise<object>;

const NOTHING = {};

/** Docker registers a driver once, by this answer: it must not depend on anything that can fail. */
const CAPABILITIES = { Scope: 'local', ConnectivityScope: 'local', GwAllocChecker: true };

export function networkDriver(deps: PluginDeps): Readonly<Record<string, Handler>> {
  const publisher = new Publisher(deps);
  return {
    GetCapabilities: () => CAPABILITIES,

    GwAllocCheck(body) {
      const skip = wantsNoGateway(decodeGenericOptions(body));
      return { SkipIPv4: skip.ipv4, SkipIPv6: skip.ipv6 };
    },

    // Only a swarm manager calls these two, and only for drivers of global scope: nothing to add.
    AllocateNetwork(body) {
      decodeNetworkId(body);
      return { Options: body.object('Options').texts() };
    },
    FreeNetwork(body) {
      decodeNetworkId(body);
      return NOTHING;
    },

    async CreateNetwork(body) {
      await createNetwork(deps, decodeCreateNetwork(body));
      return NOTHING;
    },
    async DeleteNetwork(body) {
      await deleteNetwork(deps, decodeNetworkId(body));
      return NOTHING;
    },
    async CreateEndpoint(body) {
      const request = decodeCreateEndpoint(body);
      const { mac } = await createEndpoint(deps, request);
      return createEndpointAnswer(request.returnsMac ? mac : null);
    },
    DeleteEndpoint(body) {
      deleteEndpoint(deps, decodeEndpointRef(body));
      return NOTHING;
    },
    EndpointOperInfo: body => ({ Value: endpointInfo(deps, decodeEndpointRef(body)) }),
    Join: body => joinAnswer(join(deps, decodeJoin(body))),
    Leave(body) {
      leave(deps, decodeEndpointRef(body));
      return NOTHING;
    },
    async ProgramExternalConnectivity(body) {
      await publisher.program(decodeProgram(body));
      return NOTHING;
    },
    RevokeExternalConnectivity(body) {
      publisher.revoke(decodeEndpointRef(body));
      return NOTHING;
    },

    // Other hosts of a cluster: one host's networks reach none of them.
    DiscoverNew: () => NOTHING,
    DiscoverDelete: () => NOTHING,
  };
}
