import { EswError } from '../../lib/errors.ts';
import { networkBodies } from '../../observe/networks.ts';
import { requireIntent } from '../../observe/picture.ts';
import { ErrorBody, IdParams } from '../../wire/api/common.ts';
import { NetworkBody, NetworkList } from '../../wire/api/network.ts';
import type { ApiApp, RouteContext } from '../app.ts';
import { resolveNetwork } from '../resolve.ts';

export function networkRoutes(app: ApiApp, { sources, picture }: RouteContext): void {
  app.get(
    '/v1/networks',
    { schema: { summary: 'Every network', response: { 200: NetworkList, default: ErrorBody } } },
    async () => ({ networks: networkBodies(sources, await picture(), () => true) }),
  );
  app.get(
    '/v1/networks/:id',
    {
      schema: {
        summary: 'One network, by id or unique head of one',
        params: IdParams,
        response: { 200: NetworkBody, default: ErrorBody },
      },
    },
    async request => {
      const seen = await picture();
      const id = resolveNetwork(request.params.id, requireIntent(seen).networks.keys());
      const [body] = networkBodies(sources, seen, network => network.id === id);
      if (body === undefined) throw new EswError('ESW_ERR_NETWORK_UNKNOWN', `network ${id} is gone`);
      return body;
    },
  );
}
