import { EswError } from '../../lib/errors.ts';
import { endpointBodies } from '../../observe/endpoints.ts';
import { requireIntent } from '../../observe/picture.ts';
import { ErrorBody, IdParams } from '../../wire/api/common.ts';
import { EndpointBody, EndpointList, EndpointQuery } from '../../wire/api/endpoint.ts';
import type { ApiApp, RouteContext } from '../app.ts';
import { resolveEndpoint, resolveNetwork } from '../resolve.ts';

export function endpointRoutes(app: ApiApp, { sources, picture }: RouteContext): void {
  app.get(
    '/v1/endpoints',
    {
      schema: {
        summary: 'Every endpoint, or those of one network',
        querystring: EndpointQuery,
        response: { 200: EndpointList, default: ErrorBody },
      },
    },
    async request => {
      const seen = await picture();
      const { network } = request.query;
      const id = network === undefined ? null : resolveNetwork(network, requireIntent(seen).networks.keys());
      return {
        endpoints: endpointBodies(sources, seen, endpoint => id === null || endpoint.networkId === id),
      };
    },
  );
  app.get(
    '/v1/endpoints/:id',
    {
      schema: {
        summary: 'One endpoint, by id or unique head of one',
        params: IdParams,
        response: { 200: EndpointBody, default: ErrorBody },
      },
    },
    async request => {
      const seen = await picture();
      const id = resolveEndpoint(request.params.id, requireIntent(seen).endpoints.keys());
      const [body] = endpointBodies(sources, seen, endpoint => endpoint.id === id);
      if (body === undefined) throw new EswError('ESW_ERR_ENDPOINT_UNKNOWN', `endpoint ${id} is gone`);
      return body;
    },
  );
}
