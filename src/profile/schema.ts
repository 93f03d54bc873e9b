/** The form of firmware-profiles/*.json; firmware-profiles/schema.json is written from it. */
import Type, { type Static, type TSchema } from 'typebox';
import { FLOW_FIELDS, type FlowField } from '../ir/flow.ts';
import { ACTION_KINDS, CSUM_PROTOCOLS, PEDIT_FIELDS } from './names.ts';

const CLOSED = { additionalProperties: false } as const;

const oneOf = <const T extends readonly string[]>(values: T, description?: string) =>
  Type.Unsafe<T[number]>({
    type: 'string',
    enum: [...values],
    ...(description === undefined ? {} : { description }),
  });
const text = (description?: string) =>
  Type.String({ minLength: 1, ...(description === undefined ? {} : { description }) });
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const Id = Type.String({ pattern: '^[a-z0-9][a-z0-9.-]*$' });
const Hex4 = Type.String({ pattern: '^[0-9a-f]{4}$', description: 'Four hex digits, lower case.' });
const Protocol = Type.String({ pattern: '^0x[0-9a-f]{4}$', description: 'ETH_P_*, e.g. 0x0800.' });
const SourceKeys = Type.Array(Type.String(), { description: 'Keys of `sources`.' });
const Field = oneOf(Object.keys(FLOW_FIELDS) as FlowField[]);
const Action = oneOf(ACTION_KINDS);
const Pedit = oneOf(PEDIT_FIELDS);
const Link = oneOf(['representor', 'uplink', 'tunnel', 'other']);
const Cmode = oneOf(['runtime', 'driverinit', 'permanent']);

const statement = {
  answer: oneOf(['yes', 'no', 'unknown'], 'unknown: nobody found out; the driver is asked.'),
  source: SourceKeys,
  note: Type.Optional(text('What limits it, or why it is not known.')),
  silent: Type.Optional(
    Type.Literal(true, { description: 'The driver takes the rule and leaves this out of it.' }),
  ),
};
const Statement = Type.Object(statement, CLOSED);
const Bounded = Type.Object(
  {
    ...statement,
    max: orNull(Type.Integer({ minimum: 0, description: 'The highest; null: no limit known.' })),
  },
  CLOSED,
);

const FieldGroup = Type.Object(
  {
    names: Type.Array(Field, { minItems: 1 }),
    ...statement,
    mask: Type.Optional(oneOf(['any', 'prefix', 'exact'], 'Masks taken; absent: any.')),
    maskWithin: Type.Optional(
      Type.String({ pattern: '^[0-9a-f]+$', description: 'Bits that may be matched.' }),
    ),
  },
  CLOSED,
);
const max = Type.Optional(Type.Integer({ minimum: 1, description: 'Most of it in one rule.' }));
const ActionGroup = Type.Object({ names: Type.Array(Action, { minItems: 1 }), ...statement, max }, CLOSED);
const PeditGroup = Type.Object({ names: Type.Array(Pedit, { minItems: 1 }), ...statement, max }, CLOSED);
const ProtocolGroup = Type.Object({ names: Type.Array(Protocol, { minItems: 1 }), ...statement }, CLOSED);

const condition = {
  field: Type.Optional(Type.Array(Field)),
  action: Type.Optional(Type.Array(Action)),
  pedit: Type.Optional(Type.Array(Pedit)),
  protocol: Type.Optional(Type.Array(Protocol)),
  ipProto: Type.Optional(Type.Array(Type.Integer({ minimum: 0, maximum: 255 }))),
  on: Type.Optional(Type.Array(Link)),
  to: Type.Optional(Type.Array(Link)),
  tunnel: Type.Optional(oneOf(['ipv4', 'ipv6'])),
  actionsOver: Type.Optional(Type.Integer({ minimum: 0 })),
  order: Type.Optional(Type.Object({ first: Type.Array(Action), after: Type.Array(Action) }, CLOSED)),
  chain: Type.Optional(oneOf(['zero', 'other'])),
  csum: Type.Optional(Type.Array(oneOf(CSUM_PROTOCOLS))),
  vlanPrio: Type.Optional(Type.Literal('changed')),
  sameOutput: Type.Optional(Type.Literal(true)),
};
/** One level of `not` is all that a profile needs, and keeps the schema free of recursion. */
const Condition = Type.Object({ ...condition, not: Type.Optional(Type.Object(condition, CLOSED)) }, CLOSED);

const RuleLimit = Type.Object(
  {
    id: Id,
    when: Condition,
    need: Type.Optional(Condition),
    text: text('One sentence for operators: what is refused.'),
    source: SourceKeys,
  },
  CLOSED,
);

const Source = Type.Object(
  {
    where: text('Path in the kernel tree, or a title.'),
    what: text('Function, table or section.'),
    version: text('Version looked at.'),
  },
  CLOSED,
);

const Match = Type.Object(
  {
    drivers: Type.Array(text(), { minItems: 1 }),
    pci: Type.Optional(Type.Array(Type.Object({ vendor: Hex4, devices: Type.Array(Hex4) }, CLOSED))),
    firmware: Type.Optional(
      Type.Object({ version: text(), min: Type.Optional(text()), max: Type.Optional(text()) }, CLOSED),
    ),
  },
  CLOSED,
);

const Quirk = Type.Object({ id: Id, text: text(), source: SourceKeys }, CLOSED);

const Table = Type.Object(
  {
    size: orNull(Type.Integer({ minimum: 1, description: 'Rules; null: not published.' })),
    resource: orNull(text('devlink resource that tells the size.')),
    source: SourceKeys,
    note: Type.Optional(text()),
  },
  CLOSED,
);

const Param = Type.Object(
  {
    name: text(),
    cmode: Cmode,
    value: Type.String(),
    why: text(),
    source: SourceKeys,
    mode: Type.Optional(oneOf(['legacy', 'switchdev'])),
  },
  CLOSED,
);

const Vendor = Type.Object(
  {
    id: Id,
    want: text(),
    why: text(),
    command: text('{pci}, {netdev} and {vfs} are filled in.'),
    show: orNull(text()),
    effect: oneOf(['now', 'driver-reload', 'firmware-reset', 'reboot', 'power-cycle']),
    resetCommand: orNull(text()),
    needed: oneOf(['always', 'no-vfs', 'no-offload'], 'When it is asked for.'),
    source: SourceKeys,
  },
  CLOSED,
);

const Firmware = Type.Object(
  {
    version: orNull(text('Name in devlink info.')),
    minimum: orNull(text('null: not known.')),
    flash: Statement,
    fwActivate: Statement,
    driverReinit: Statement,
    activation: oneOf(['reload', 'reboot', 'power-cycle', 'unknown']),
    source: SourceKeys,
    note: Type.Optional(text()),
  },
  CLOSED,
);

/** What a variant may say otherwise. Groups add to the family's and precede them. */
const stated = {
  offload: Statement,
  switchdev: Statement,
  legacy: Statement,
  quirks: Type.Array(Quirk),
  fields: Type.Array(FieldGroup),
  actions: Type.Array(ActionGroup),
  pedit: Type.Array(PeditGroup),
  protocols: Type.Array(ProtocolGroup),
  limits: Type.Array(RuleLimit),
  table: Table,
  params: Type.Array(Param),
  vendor: Type.Array(Vendor),
  firmware: Firmware,
};

const Variant = Type.Object(
  {
    id: Id,
    title: text(),
    match: Type.Omit(Match, ['drivers']),
    ...Type.Partial(Type.Object(stated)).properties,
  },
  CLOSED,
);

export const ProfileSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    id: Id,
    title: text(),
    match: Match,
    probe: Type.Boolean({ description: 'Ask such NICs with throw-away rules.' }),
    sources: Type.Record(Type.String({ pattern: '^[a-z0-9-]+$' }), Source),
    ...stated,
    unlisted: Statement,
    chains: Bounded,
    priorities: Bounded,
    variants: Type.Array(Variant),
  },
  { ...CLOSED, title: 'NIC profile', description: 'What a NIC family can do and wants; see README.md.' },
);

export type ProfileDocument = Static<typeof ProfileSchema>;
export type ProfileVariant = ProfileDocument['variants'][number];

/** Parts that occur many times: written once, as $defs. */
const SHARED: Readonly<Record<string, TSchema>> = {
  condition: Condition,
  field: Field,
  action: Action,
  pedit: Pedit,
  statement: Statement,
  fieldGroup: FieldGroup,
  actionGroup: ActionGroup,
  peditGroup: PeditGroup,
  protocolGroup: ProtocolGroup,
  ruleLimit: RuleLimit,
  table: Table,
  param: Param,
  vendor: Vendor,
  firmware: Firmware,
  quirk: Quirk,
};

/** firmware-profiles/schema.json. */
export function profileSchemaText(): string {
  const names = new Map(Object.entries(SHARED).map(([name, schema]) => [JSON.stringify(schema), name]));
  const referred = (value: unknown, top: boolean): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const name = top ? undefined : names.get(JSON.stringify(value));
    if (name !== undefined) return { $ref: `#/$defs/${name}` };
    if (Array.isArray(value)) return value.map(each => referred(each, false));
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, referred(each, false)]));
  };
  const document = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...(referred(ProfileSchema, true) as object),
    $defs: Object.fromEntries(Object.entries(SHARED).map(([name, schema]) => [name, referred(schema, true)])),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
