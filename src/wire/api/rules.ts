/** GET /v1/rules, GET /v1/plan, POST /v1/reconcile. */
import Type, { type Static } from 'typebox';
import { Literals, Nullable } from './common.ts';
import { RoundBody } from './status.ts';

export const VIEWS = ['desired', 'observed', 'diff'] as const;
export type ViewName = (typeof VIEWS)[number];

/** Every kind of resource, in the order in which they are made. */
export const RESOURCE_KINDS = [
  'programs',
  'port',
  'vlan-link',
  'direct-port',
  'hook',
  'nft-table',
  'forward-accept',
  'address',
  'sysctl',
  'net-entry',
  'subnet-entry',
  'port-entry',
  'fib-entry',
  'nft-element',
] as const;

export const RulesQuery = Type.Object(
  {
    view: Type.Optional(Literals(VIEWS)),
    network: Type.Optional(Type.String({ description: 'Id or unique head of one.' })),
    endpoint: Type.Optional(Type.String({ description: 'Id or unique head of one.' })),
    kind: Type.Optional(Literals(RESOURCE_KINDS)),
    hardware: Type.Optional(Literals(['yes', 'no'], 'Only what is (yes) or is not (no) in the NIC.')),
  },
  { additionalProperties: false },
);
export type RulesQuery = Static<typeof RulesQuery>;

export const RuleBody = Type.Object({
  key: Type.String(),
  kind: Type.String(),
  network: Nullable(Type.String()),
  endpoint: Nullable(Type.String()),
  change: Nullable(Literals(['create', 'update', 'delete'], 'Only in view diff.')),
  text: Type.String({ description: 'One stable line.' }),
  before: Nullable(Type.String({ description: 'View diff, change update: the line as observed.' })),
  where: Nullable(Literals(['hardware', 'software'], 'null for what is not a forwarding rule.')),
  reason: Type.String({ description: 'Why it is not in hardware; "" if it is, or not a rule.' }),
  resource: Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', additionalProperties: true }),
});
export type RuleBody = Static<typeof RuleBody>;

export const RuleList = Type.Object({
  view: Literals(VIEWS),
  total: Type.Integer({ description: 'Number of resources of this view before the filters.' }),
  rules: Type.Array(RuleBody),
});
export type RuleList = Static<typeof RuleList>;

export const PlanOperation = Type.Object({
  verb: Literals(['create', 'update', 'delete', 'swap-fib']),
  key: Type.String(),
  text: Type.String(),
  entries: Type.Optional(Type.Integer({ description: 'swap-fib: entries of the new table.' })),
});
export type PlanOperation = Static<typeof PlanOperation>;

export const Plan = Type.Object({
  create: Type.Integer(),
  update: Type.Integer(),
  delete: Type.Integer(),
  operations: Type.Array(PlanOperation, { description: 'In the order in which they would run.' }),
});
export type Plan = Static<typeof Plan>;

export const ReconcileResult = Type.Object({ round: RoundBody });
export type ReconcileResult = Static<typeof ReconcileResult>;
