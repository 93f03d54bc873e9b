/**
 * Whether a NIC would take a rule, as far as its profile and the probes of it tell. Pure. `null` is no
 * promise: the driver has the last word, and what it refuses is learned.
 */
import type { FieldMatch, FlowRule, PeditField } from '../ir/flow.ts';
import { fullMask } from '../ir/flow-normal.ts';
import type { Nic } from '../model/nic.ts';
import type { Answer, FieldSupport, LinkKind, NicProfile, Statement } from '../model/nic-profile.ts';
import { fulfils, type LinkKindOf, protocolName } from './profile-condition.ts';

export type RefusalCode =
  /** The NIC's eswitch takes no flower rules. */
  | 'NO_OFFLOAD'
  | 'NO_PROTOCOL'
  | 'NO_FIELD'
  /** The field is taken, this mask is not. */
  | 'MASK'
  | 'NO_ACTION'
  /** pedit of this header field. */
  | 'NO_REWRITE'
  | 'NO_CHAIN'
  /** Too many, or not in this combination. */
  | 'LIMIT';

export interface Refusal {
  readonly code: RefusalCode;
  /** One sentence for operators. */
  readonly text: string;
}

/** Outcome of one question to this very NIC; questions are named by `questionOf`. */
export interface ProbedFact {
  readonly answer: Answer;
  /** The driver's own words, "" when it gave none. */
  readonly text: string;
}

export interface ProfileFacts {
  /** By question; conclusive answers precede the profile's. */
  readonly probed?: ReadonlyMap<string, ProbedFact>;
  /** Kinds of the links that rules name. */
  linkKind?(link: string): LinkKind | null;
}

/** Names of questions that probes answer and statements of a profile answer. */
export const questionOf = {
  offload: 'offload',
  field: (field: string): string => `field:${field}`,
  action: (kind: string): string => `action:${kind}`,
  pedit: (field: string): string => `pedit:${field}`,
  protocol: (protocol: number): string => `protocol:${protocolName(protocol)}`,
  chain: 'chain',
} as const;

/** The first reason why the NIC would refuse the rule; null where nothing known speaks against it. */
export function refusalOf(profile: NicProfile, rule: FlowRule, facts: ProfileFacts = {}): Refusal | null {
  const offload = statement(questionOf.offload, profile.offload, facts);
  if (offload.answer === 'no') return { code: 'NO_OFFLOAD', text: `no rules are taken${reason(offload)}` };
  const kindOf: LinkKindOf = link => facts.linkKind?.(link) ?? null;
  return (
    protocolRefusal(profile, rule, facts) ??
    first(rule.match, match => fieldRefusal(profile, match, facts)) ??
    first(rule.actions, ({ kind }) =>
      kind === 'pedit' ? null : actionRefusal(profile, rule, kind, facts),
    ) ??
    first(rule.actions, action =>
      action.kind === 'pedit' ? rewriteRefusal(profile, action.field, facts) : null,
    ) ??
    chainRefusal(profile, rule, facts) ??
    limitRefusal(profile, rule, kindOf)
  );
}

/** Questions (see `questionOf`) about the rule that neither profile nor probes answer: the driver will. */
export function openQuestions(
  profile: NicProfile,
  rule: FlowRule,
  facts: ProfileFacts = {},
): readonly string[] {
  const { unlisted } = profile;
  const used = rule.chain !== 0 || rule.actions.some(({ kind }) => kind === 'goto');
  const asked: [string, Statement][] = [
    [questionOf.offload, profile.offload],
    [questionOf.protocol(rule.protocol), profile.protocols[protocolName(rule.protocol)] ?? unlisted],
    ...rule.match.map(({ field }): [string, Statement] => [
      questionOf.field(field),
      profile.fields[field] ?? unlisted,
    ]),
    ...rule.actions.map((action): [string, Statement] =>
      action.kind === 'pedit'
        ? [questionOf.pedit(action.field), profile.pedit[action.field] ?? unlisted]
        : [questionOf.action(action.kind), profile.actions[action.kind] ?? unlisted],
    ),
    ...(used ? [[questionOf.chain, profile.chains] as [string, Statement]] : []),
  ];
  const open = asked.filter(([name, stated]) => statement(name, stated, facts).answer === 'unknown');
  return [...new Set(open.map(([name]) => name))];
}

/** Rules that the NIC's table holds; null: not known, found out by ENOSPC. */
export function tableSizeOf({ table }: NicProfile, nic: Pick<Nic, 'resources'>): number | null {
  const resource = nic.resources.find(({ name }) => name === table.resource);
  return resource?.size ?? table.size;
}

function first<T>(items: readonly T[], check: (item: T) => Refusal | null): Refusal | null {
  for (const item of items) {
    const refusal = check(item);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** What was probed of this NIC, else what its profile states. */
function statement(question: string, stated: Statement, facts: ProfileFacts): Statement {
  const probed = facts.probed?.get(question);
  // A driver that leaves things out says yes to a probe as well.
  if (probed === undefined || probed.answer === 'unknown' || stated.silent === true) return stated;
  // The limits that the profile states beside its answer hold none the less.
  return { ...stated, answer: probed.answer, note: probed.text };
}

const reason = ({ note }: Statement): string => (note === undefined || note === '' ? '' : `: ${note}`);

function protocolRefusal(profile: NicProfile, rule: FlowRule, facts: ProfileFacts): Refusal | null {
  const name = protocolName(rule.protocol);
  const found = statement(
    questionOf.protocol(rule.protocol),
    profile.protocols[name] ?? profile.unlisted,
    facts,
  );
  if (found.answer !== 'no') return null;
  return { code: 'NO_PROTOCOL', text: `protocol ${name} is not matched${reason(found)}` };
}

function fieldRefusal(profile: NicProfile, match: FieldMatch, facts: ProfileFacts): Refusal | null {
  const { field } = match;
  const stated: FieldSupport = profile.fields[field] ?? profile.unlisted;
  const found = statement(questionOf.field(field), stated, facts);
  if (found.answer === 'no')
    return { code: 'NO_FIELD', text: `field ${field} is not matched${reason(found)}` };
  return maskRefusal(match, stated);
}

function maskRefusal(
  { field, mask }: FieldMatch,
  { mask: taken = 'any', maskWithin }: FieldSupport,
): Refusal | null {
  const ones = [...mask].map(digit => Number.parseInt(digit, 16).toString(2).padStart(4, '0')).join('');
  if (taken === 'exact' && mask !== fullMask(field)) {
    return { code: 'MASK', text: `field ${field} is matched whole only, not under mask ${mask}` };
  }
  if (taken === 'prefix' && ones.includes('01')) {
    return {
      code: 'MASK',
      text: `field ${field} is matched by its leading bits only, not under mask ${mask}`,
    };
  }
  if (maskWithin !== undefined && outside(mask, maskWithin)) {
    return { code: 'MASK', text: `of field ${field} only the bits ${maskWithin} are matched, not ${mask}` };
  }
  return null;
}

const outside = (mask: string, within: string): boolean =>
  [...mask].some(
    (digit, i) => (Number.parseInt(digit, 16) & ~Number.parseInt(within[i] ?? '0', 16) & 0xf) !== 0,
  );

function actionRefusal(
  profile: NicProfile,
  { actions }: FlowRule,
  kind: string,
  facts: ProfileFacts,
): Refusal | null {
  const stated = profile.actions[kind];
  const found = statement(questionOf.action(kind), stated ?? profile.unlisted, facts);
  if (found.answer === 'no') return { code: 'NO_ACTION', text: `action ${kind} is not done${reason(found)}` };
  const count = actions.filter(action => action.kind === kind).length;
  if (stated?.max === undefined || count <= stated.max) return null;
  return { code: 'LIMIT', text: `${count} times action ${kind}: at most ${stated.max} in one rule` };
}

function rewriteRefusal(profile: NicProfile, field: PeditField, facts: ProfileFacts): Refusal | null {
  const found = statement(questionOf.pedit(field), profile.pedit[field] ?? profile.unlisted, facts);
  if (found.answer !== 'no') return null;
  return { code: 'NO_REWRITE', text: `rewriting ${field} is not done${reason(found)}` };
}

function chainRefusal(profile: NicProfile, rule: FlowRule, facts: ProfileFacts): Refusal | null {
  const { max } = profile.chains;
  const used = [
    rule.chain,
    ...rule.actions.flatMap(action => (action.kind === 'goto' ? [action.chain] : [])),
  ];
  const highest = Math.max(...used);
  if (highest === 0) return null;
  const found = statement(questionOf.chain, profile.chains, facts);
  if (found.answer === 'no')
    return { code: 'NO_CHAIN', text: `chains other than 0 are not taken${reason(found)}` };
  if (max === null || highest <= max) return null;
  return { code: 'NO_CHAIN', text: `chain ${highest}: the highest is ${max}` };
}

function limitRefusal(profile: NicProfile, rule: FlowRule, kindOf: LinkKindOf): Refusal | null {
  const { max } = profile.priorities;
  if (max !== null && rule.prio > max)
    return { code: 'LIMIT', text: `prio ${rule.prio}: the highest is ${max}` };
  const broken = profile.limits.find(
    ({ when, need }) => fulfils(rule, when, kindOf) && (need === undefined || !fulfils(rule, need, kindOf)),
  );
  return broken === undefined ? null : { code: 'LIMIT', text: broken.text };
}
