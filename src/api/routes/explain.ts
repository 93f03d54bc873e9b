import { EswError } from '../../lib/errors.ts';
import { explain } from '../../observe/explain.ts';
import { requireIntent } from '../../observe/picture.ts';
import { ErrorBody } from '../../wire/api/common.ts';
import { ExplainBody, ExplainQuery } from '../../wire/api/explain.ts';
import type { ApiApp, RouteContext } from '../app.ts';
import { resolveParties } from '../parties.ts';

function portOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const port = Number(text);
  if (port > 65_535) throw new EswError('ESW_ERR_REQUEST_FIELD', `port ${text} is above 65535`);
  return port;
}

export function explainRoutes(app: ApiApp, { sources, picture }: RouteContext): void {
  app.get(
    '/v1/explain',
    {
      schema: {
        summary: 'Where a packet is handled, and why there',
        querystring: ExplainQuery,
        response: { 200: ExplainBody, default: ErrorBody },
      },
    },
    async request => {
      const { src, dst, proto = 'tcp', port } = request.query;
      const seen = await picture();
      const parties = resolveParties(requireIntent(seen), src, dst);
      return explain(sources, seen, { ...parties, proto, port: portOf(port) });
    },
  );
}
