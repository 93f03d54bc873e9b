/** GET /v1/status: the host at a glance. */
import Type, { type Static } from 'typebox';
import { Drop, ErrorBody, Literals, Nullable, Share, Tally } from './common.ts';

export const ProbeBody = Type.Object({
  name: Type.String(),
  answer: Literals(['yes', 'no', 'unknown']),
  reason: Type.String({ description: "The kernel's words when the answer is not yes." }),
});
export type ProbeBody = Static<typeof ProbeBody>;

export const EswitchBody = Type.Object({
  kind: Literals(['software', 'switchdev', 'legacy']),
  mechanism: Type.String({ description: 'How it forwards on this host, e.g. `tcx`.' }),
  why: Type.String({ description: 'Why this kind and no better one.' }),
});
export type EswitchBody = Static<typeof EswitchBody>;

export const RoundBody = Type.Object({
  cause: Type.String({ description: 'start, commit, event, resync or request.' }),
  revision: Type.Integer(),
  finishedAtMs: Type.Integer({ description: 'Unix time, milliseconds.' }),
  durationMs: Type.Number(),
  operations: Type.Integer(),
  created: Type.Integer(),
  updated: Type.Integer(),
  deleted: Type.Integer(),
  failed: Type.Integer(),
  repaired: Type.Integer({ description: "Operations that undid somebody else's change." }),
});
export type RoundBody = Static<typeof RoundBody>;

export const FailureBody = Type.Object({
  key: Type.String(),
  verb: Type.String(),
  errno: Type.Integer(),
  message: Type.String({ description: "The kernel's own sentence, else the errno's name." }),
  attempts: Type.Integer(),
});
export type FailureBody = Static<typeof FailureBody>;

export const RepairBody = Type.Object({
  atMs: Type.Integer(),
  key: Type.String(),
  what: Literals(['missing', 'changed', 'left-over']),
});
export type RepairBody = Static<typeof RepairBody>;

export const ReconcileBody = Type.Object({
  rounds: Type.Integer(),
  lastRound: Nullable(RoundBody),
  failures: Type.Array(FailureBody),
  repairs: Type.Array(RepairBody),
  foreign: Type.Array(Type.Object({ key: Type.String(), what: Type.String() })),
});
export type ReconcileBody = Static<typeof ReconcileBody>;

export const FlowTable = Type.Object({
  nic: Type.String(),
  paused: Nullable(Type.String({ description: 'Why nothing is put at the moment.' })),
  size: Type.Integer({ description: 'Rules that the table holds, as far as is known.' }),
  budget: Type.Integer({ description: 'Rules that may be ours.' }),
  learned: Nullable(Type.Integer({ description: 'Rules after which the NIC said that it is full.' })),
  used: Type.Integer({ description: 'Ours in the NIC now.' }),
  takesAll: Type.Boolean({ description: 'All possible pairs are in, traffic or not.' }),
  states: Type.Record(Type.String(), Type.Integer(), { description: 'Rules by state.' }),
});
export type FlowTable = Static<typeof FlowTable>;

export const Status = Type.Object({
  host: Type.Object({ name: Type.String(), kernel: Type.String() }),
  daemon: Type.Object({
    version: Type.String(),
    pid: Type.Integer(),
    instance: Type.String(),
    startedAtMs: Type.Integer(),
    uptimeSeconds: Type.Number(),
    state: Literals(['starting', 'ready', 'degraded']),
    problem: Nullable(ErrorBody.properties.error),
  }),
  eswitch: EswitchBody,
  probes: Type.Array(ProbeBody),
  networks: Type.Integer(),
  endpoints: Type.Object({
    total: Type.Integer(),
    ready: Type.Integer(),
    pending: Type.Integer(),
    failed: Type.Integer(),
    stale: Type.Integer(),
  }),
  traffic: Type.Object({
    forwarded: Tally,
    fromContainers: Tally,
    toContainers: Tally,
    share: Share,
    drops: Type.Array(Drop),
    countersProblem: Nullable(Type.String({ description: 'Why the counters could not be read.' })),
  }),
  hardware: Type.Array(FlowTable, { description: 'The flow tables of the NICs in switchdev mode.' }),
  reconcile: ReconcileBody,
  table: Type.Object({
    generation: Type.Integer({ description: 'Kernel id of the live forwarding table, 0 = none.' }),
    hookMode: Literals(['tcx', 'clsact', 'none']),
  }),
  store: Type.Object({
    directory: Type.String(),
    origin: Literals(['fresh', 'opened', 'recovered', 'unavailable']),
    revision: Type.Integer(),
  }),
  sockets: Type.Object({ api: Type.String(), plugin: Type.String() }),
});
export type Status = Static<typeof Status>;

export const Health = Type.Object({
  status: Literals(['starting', 'ready', 'degraded']),
  problem: Nullable(ErrorBody.properties.error),
});
export type Health = Static<typeof Health>;
