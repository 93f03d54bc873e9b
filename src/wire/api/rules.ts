/** GET /v1/rules, GET /v1/plan, POST /v1/reconcile. */
import Type, { type Static } from 'typebox';
import { Count, Literals, Nullable } from './common.ts';
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

/** Kinds of rows in a list of rules: resources, and the rules of NICs. */
export const RULE_KINDS = [...RESOURCE_KINDS, 'flow-rule'] as const;

export const FLOW_STATES = ['in-hardware', 'refused', 'waiting', 'evicted', 'not-eligible'] as const;

export const FlowBody = Type.Object({
  nic: Type.String(),
  state: Literals(FLOW_STATES),
  code: Type.String({ description: 'One of docs/offload.md.' }),
  text: Type.String({ description: 'The code in words.' }),
  extack: Type.String({ description: "The kernel's or the driver's words." }),
  sinceMs: Nullable(Type.Integer({ description: 'Unix time, milliseconds.' })),
  src: Type.String({ description: 'Endpoint that sends.' }),
  dst: Type.String({ description: 'Endpoint that receives.' }),
  packets: Count,
  bytes: Count,
});
export type FlowBody = Static<typeof FlowBody>;

export const RulesQuery = Type.Object(
  {
    view: Type.Optional(Literals(VIEWS)),
    network: Type.Optional(Type.String({ description: 'Id or unique head of one.' })),
    endpoint: Type.Optional(Type.String({ description: 'Id or unique head of one.' })),
    kind: Type.Optional(Literals(RULE_KINDS)),
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
  flow: Nullable(FlowBody),
  resource: Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', additionalProperties: true }),
});
export type RuleBody = Static<typeof RuleBody>;

export const RuleList = Type.Object({
  view: Literals(VIEWS),
  total: Type.Integer({ description: 'Number of rows of this view before the filters.' }),
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
