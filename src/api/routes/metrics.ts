import { METRICS_CONTENT_TYPE, metricsText } from '../../observe/metrics.ts';
import type { ApiApp, RouteContext } from '../app.ts';

/** For Prometheus; the names are in docs/metrics.md. */
export function metricsRoutes(app: ApiApp, { sources, picture }: RouteContext): void {
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    const text = await metricsText(sources, await picture());
    return reply.type(METRICS_CONTENT_TYPE).send(text);
  });
}
