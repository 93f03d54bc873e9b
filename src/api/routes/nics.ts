import type { NicControl } from '../../model/nic-control.ts';
import { findNic } from '../../model/nic-names.ts';
import { nicBodies, nicBody, portBodies } from '../../observe/nics.ts';
import { ErrorBody } from '../../wire/api/common.ts';
import { NicParams } from '../../wire/api/firmware.ts';
import { EswitchChangeBody, EswitchChangeRequest, NicBody, NicList, PortList } from '../../wire/api/nic.ts';
import type { ApiApp, RouteContext } from '../app.ts';

export function nicRoutes(app: ApiApp, { sources, picture }: RouteContext, control: NicControl): void {
  app.get(
    '/v1/nics',
    {
      schema: {
        summary: 'NICs with their eswitches and functions, looked at now',
        response: { 200: NicList, default: ErrorBody },
      },
    },
    async () => ({ nics: nicBodies(control, await control.inventory()) }),
  );
  app.get(
    '/v1/nics/:nic',
    { schema: { summary: 'One NIC', params: NicParams, response: { 200: NicBody, default: ErrorBody } } },
    async request => {
      const inventory = await control.inventory();
      return nicBody(control, findNic(inventory.nics, request.params.nic), control.uses(inventory));
    },
  );
  app.post(
    '/v1/nics/:nic/eswitch',
    {
      schema: {
        summary: 'Brings an eswitch into a mode, or says what that would take',
        params: NicParams,
        body: EswitchChangeRequest,
        response: { 200: EswitchChangeBody, default: ErrorBody },
      },
    },
    async request => {
      const { mode, vfs = null, encap = null, dryRun = false, force = false } = request.body;
      const change = await control.change(request.params.nic, { mode, vfs, encap }, { dryRun, force });
      return {
        ...change,
        steps: change.steps.map(step => ({ ...step })),
        disturbed: [...change.disturbed],
        notes: [...change.notes],
      };
    },
  );
  app.get(
    '/v1/ports',
    {
      schema: {
        summary: 'Every function and software port: free or whose',
        response: { 200: PortList, default: ErrorBody },
      },
    },
    async () => {
      const [inventory, seen] = await Promise.all([control.inventory(), picture()]);
      return { ports: portBodies(sources, control, inventory, seen) };
    },
  );
}
