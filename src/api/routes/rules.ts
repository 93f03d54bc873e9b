import { requireIntent } from '../../observe/picture.ts';
import { planBody, ruleList } from '../../observe/rules.ts';
import { roundBody } from '../../observe/status.ts';
import { ErrorBody } from '../../wire/api/common.ts';
import { Plan, ReconcileResult, RuleList, RulesQuery } from '../../wire/api/rules.ts';
import type { ApiApp, RouteContext } from '../app.ts';
import { resolveEndpoint, resolveNetwork } from '../resolve.ts';

export function ruleRoutes(app: ApiApp, { sources, picture }: RouteContext): void {
  app.get(
    '/v1/rules',
    {
      schema: {
        summary: 'The table as compiled, as observed, or the difference',
        querystring: RulesQuery,
        response: { 200: RuleList, default: ErrorBody },
      },
    },
    async request => {
      const { view = 'desired', network, endpoint, kind, hardware } = request.query;
      const seen = await picture();
      return ruleList(sources, seen, view, {
        network: network === undefined ? null : resolveNetwork(network, requireIntent(seen).networks.keys()),
        endpoint:
          endpoint === undefined ? null : resolveEndpoint(endpoint, requireIntent(seen).endpoints.keys()),
        kind: kind ?? null,
        hardware: hardware === undefined ? null : hardware === 'yes',
      });
    },
  );
  app.get(
    '/v1/plan',
    {
      schema: {
        summary: 'What a reconcile round would do now; changes nothing',
        response: { 200: Plan, default: ErrorBody },
      },
    },
    async () => planBody(await picture()),
  );
  app.post(
    '/v1/reconcile',
    {
      schema: {
        summary: 'Looks at the whole kernel now and repairs what differs',
        response: { 200: ReconcileResult, default: ErrorBody },
      },
    },
    async () => ({ round: roundBody(await sources.reconciler.resync('request')) }),
  );
}
