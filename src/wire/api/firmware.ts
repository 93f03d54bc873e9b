/** GET /v1/firmware, GET /v1/firmware/:nic/plan, POST /v1/firmware/:nic/apply. Shapes: src/model/firmware.ts. */
import Type, { type Static } from 'typebox';
import type { FirmwarePlan, FirmwareResult, FirmwareStatus } from '../../model/firmware.ts';
import { Literals, Nullable } from './common.ts';

const CMODES = ['runtime', 'driverinit', 'permanent'] as const;
const NEEDS = ['fw-activate', 'driver-reload', 'firmware-reset', 'reboot', 'power-cycle', 'unknown'] as const;

export const NicParams = Type.Object({
  nic: Type.String({
    pattern: '^[0-9A-Za-z_.:/-]{1,64}$',
    description: 'devlink handle, PCI address, a unique end of one, or the name of the uplink.',
  }),
});

const File = Type.String({
  pattern: '^(?!/)(?!.*\\.\\.)[0-9A-Za-z_./+-]{1,200}$',
  description: 'Name below /lib/firmware.',
});
const wishes = {
  file: Type.Optional(File),
  component: Type.Optional(Type.String({ pattern: '^[0-9A-Za-z_.-]{1,64}$' })),
  vfs: Type.Optional(Type.Integer({ minimum: 1, maximum: 1024, description: 'For vendor commands.' })),
};

/** Query values come as text. */
export const FirmwarePlanQuery = Type.Object(
  { ...wishes, vfs: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,3}$' })) },
  { additionalProperties: false },
);

export const FirmwareApplyBody = Type.Object(
  {
    ...wishes,
    dryRun: Type.Optional(Type.Boolean({ description: 'Answer with what would be done.' })),
    force: Type.Optional(Type.Boolean({ description: 'Also under functions in use.' })),
  },
  { additionalProperties: false },
);
export type FirmwareApplyBody = Static<typeof FirmwareApplyBody>;

const PendingBody = Type.Object({
  what: Type.String(),
  needs: Literals(NEEDS),
  text: Type.String(),
});

const CommandBody = Type.Object({
  want: Type.String(),
  why: Type.String(),
  command: Type.String({ description: 'Exact, to be run by hand.' }),
  show: Nullable(Type.String()),
  needs: Literals(['now', ...NEEDS]),
  resetCommand: Nullable(Type.String()),
});

export const FirmwareStatusBody = Type.Unsafe<FirmwareStatus>(
  Type.Object({
    nic: Type.String(),
    driver: Type.String(),
    profile: Type.Object({ id: Type.String(), variant: Nullable(Type.String()), title: Type.String() }),
    versions: Type.Array(
      Type.Object({
        name: Type.String(),
        running: Nullable(Type.String()),
        stored: Nullable(Type.String()),
        pending: Type.Boolean({ description: 'Another version is stored than runs.' }),
      }),
    ),
    minimum: Nullable(Type.String()),
    minimumMet: Literals(['yes', 'no', 'unknown']),
    params: Type.Array(
      Type.Object({
        name: Type.String(),
        cmode: Literals(CMODES),
        current: Nullable(Type.String()),
        wanted: Type.String(),
        state: Literals(['ok', 'differs', 'blocked', 'absent']),
        why: Type.String(),
      }),
    ),
    pending: Type.Array(PendingBody),
    probed: Type.Array(
      Type.Object({
        question: Type.String({ description: '`field:ip_ttl`, `action:mirror`, `chain` and so on.' }),
        answer: Literals(['yes', 'no']),
        text: Type.String({ description: "The driver's words." }),
      }),
      { description: 'Conclusive answers of a NIC that no profile knows.' },
    ),
    users: Type.Array(Type.String(), { description: 'What uses functions of this NIC.' }),
    state: Literals(['ok', 'differs', 'pending']),
  }),
);
export type FirmwareStatusBody = Static<typeof FirmwareStatusBody>;

export const FirmwareList = Type.Object({ nics: Type.Array(FirmwareStatusBody) });
export type FirmwareList = Static<typeof FirmwareList>;

const step = {
  verb: Literals(['param-set', 'flash', 'reload']),
  text: Type.String(),
  interrupts: Type.Boolean({ description: 'Ports of the NIC lose their link for a while.' }),
};

export const FirmwarePlanBody = Type.Unsafe<FirmwarePlan>(
  Type.Object({
    nic: Type.String(),
    steps: Type.Array(Type.Object(step)),
    commands: Type.Array(CommandBody),
    pending: Type.Array(PendingBody, { description: 'What will be pending once the steps are done.' }),
    blocked: Type.Array(Type.String()),
    users: Type.Array(Type.String()),
  }),
);
export type FirmwarePlanBody = Static<typeof FirmwarePlanBody>;

export const FirmwareResultBody = Type.Unsafe<FirmwareResult>(
  Type.Object({
    nic: Type.String(),
    dryRun: Type.Boolean(),
    steps: Type.Array(
      Type.Object({
        ...step,
        result: Literals(['done', 'failed', 'skipped']),
        error: Type.String({ description: "The kernel's words." }),
      }),
    ),
    commands: Type.Array(CommandBody),
    pending: Type.Array(PendingBody),
    blocked: Type.Array(Type.String()),
  }),
);
export type FirmwareResultBody = Static<typeof FirmwareResultBody>;
