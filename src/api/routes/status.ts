import { errorDetail, statusBody } from '../../observe/status.ts';
import { ErrorBody } from '../../wire/api/common.ts';
import { Health, Status } from '../../wire/api/status.ts';
import type { ApiApp, RouteContext } from '../app.ts';

/** /healthz is 200 when the daemon is ready, 503 while it starts or is degraded. */
export function statusRoutes(app: ApiApp, { sources, picture }: RouteContext): void {
  app.get(
    '/v1/status',
    { schema: { summary: 'The host at a glance', response: { 200: Status, default: ErrorBody } } },
    async () => statusBody(sources, await picture()),
  );
  app.get(
    '/healthz',
    {
      schema: {
        summary: 'Whether the daemon is ready; never touches the kernel',
        response: { 200: Health, 503: Health },
      },
    },
    async (_request, reply) => {
      const { state, problem } = sources.daemon.state();
      const body = { status: state, problem: problem === null ? null : errorDetail(problem) };
      if (state !== 'ready') reply.code(503);
      return body;
    },
  );
}
