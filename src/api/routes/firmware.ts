import type { FirmwareControl, FirmwareWishes } from '../../model/firmware.ts';
import { ErrorBody } from '../../wire/api/common.ts';
import {
  FirmwareApplyBody,
  FirmwareList,
  FirmwarePlanBody,
  FirmwarePlanQuery,
  FirmwareResultBody,
  NicParams,
} from '../../wire/api/firmware.ts';
import type { ApiApp } from '../app.ts';

/** VFs that a vendor command asks for when nobody says how many: what small families offer at most. */
const DEFAULT_VFS = 8;

interface Given {
  readonly file?: string;
  readonly component?: string;
  readonly vfs?: number;
}

const wishes = ({ file = '', component = '', vfs = DEFAULT_VFS }: Given): FirmwareWishes => ({
  file: file === '' ? null : file,
  component: component === '' ? null : component,
  vfs,
});

export function firmwareRoutes(app: ApiApp, firmware: FirmwareControl): void {
  app.get(
    '/v1/firmware',
    {
      schema: {
        summary: "NICs' firmware and devlink parameters beside what their profiles want",
        response: { 200: FirmwareList, default: ErrorBody },
      },
    },
    async () => ({ nics: [...(await firmware.status())] }),
  );
  app.get(
    '/v1/firmware/:nic/plan',
    {
      schema: {
        summary: 'What would bring a NIC to what its profile wants; changes nothing',
        params: NicParams,
        querystring: FirmwarePlanQuery,
        response: { 200: FirmwarePlanBody, default: ErrorBody },
      },
    },
    async request => {
      const { vfs, ...rest } = request.query;
      const asked = vfs === undefined ? rest : { ...rest, vfs: Number(vfs) };
      return firmware.plan(request.params.nic, wishes(asked));
    },
  );
  app.post(
    '/v1/firmware/:nic/apply',
    {
      schema: {
        summary: 'Does the plan through devlink, in order, up to the first failure',
        params: NicParams,
        body: FirmwareApplyBody,
        response: { 200: FirmwareResultBody, default: ErrorBody },
      },
    },
    async request => {
      const { dryRun = false, force = false, ...rest } = request.body;
      return firmware.apply(request.params.nic, wishes(rest), { dryRun, force });
    },
  );
}
