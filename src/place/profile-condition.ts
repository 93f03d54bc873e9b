/** Whether a rule fulfils a condition of a NIC profile. */
import type { FlowAction, FlowRule } from '../ir/flow.ts';
import type { LinkKind, RuleCondition } from '../model/nic-profile.ts';

/** What is known about links; null: not known. */
export type LinkKindOf = (link: string) => LinkKind | null;

type Test = (rule: FlowRule, condition: RuleCondition, kindOf: LinkKindOf) => boolean;

const has = (list: readonly string[], name: string): boolean => list.includes(name);

const TESTS: Readonly<Record<keyof RuleCondition, Test>> = {
  field: ({ match }, { field = [] }) => match.some(each => has(field, each.field)),
  action: ({ actions }, { action = [] }) => actions.some(({ kind }) => has(action, kind)),
  pedit: ({ actions }, { pedit = [] }) =>
    actions.some(action => action.kind === 'pedit' && has(pedit, action.field)),
  protocol: (rule, { protocol = [] }) => has(protocol, protocolName(rule.protocol)),
  ipProto: ({ match }, { ipProto = [] }) =>
    match.some(
      ({ field, value, mask }) =>
        field === 'ip_proto' && mask === 'ff' && ipProto.includes(Number.parseInt(value, 16)),
    ),
  on: (rule, { on = [] }, kindOf) => known(linkKindOf(rule, kindOf), on),
  to: (rule, { to = [] }, kindOf) =>
    outputs(rule).some(link => known(kindOf(link) ?? (tunnelled(rule) ? 'tunnel' : null), to)),
  tunnel: ({ actions }, { tunnel }) =>
    actions.some(action => action.kind === 'tunnel-set' && action.dst.includes(':') === (tunnel === 'ipv6')),
  actionsOver: ({ actions }, { actionsOver = 0 }) => countActions(actions) > actionsOver,
  order: ({ actions }, { order }) => {
    const first = actions.findIndex(({ kind }) => has(order?.first ?? [], kind));
    return first >= 0 && actions.slice(first + 1).some(({ kind }) => has(order?.after ?? [], kind));
  },
  chain: (rule, { chain }) => (rule.chain === 0) === (chain === 'zero'),
  csum: ({ actions }, { csum = [] }) =>
    actions.some(action => action.kind === 'csum' && action.of.some(each => has(csum, each))),
  vlanPrio: rule =>
    rule.actions.some(action => action.kind === 'vlan-modify' && action.prio !== prioOf(rule)),
  sameOutput: rule => new Set(outputs(rule)).size < outputs(rule).length,
  not: (rule, { not = {} }, kindOf) => !fulfils(rule, not, kindOf),
};

/** All members hold. */
export function fulfils(rule: FlowRule, condition: RuleCondition, kindOf: LinkKindOf): boolean {
  return (Object.keys(condition) as (keyof RuleCondition)[]).every(key =>
    TESTS[key](rule, condition, kindOf),
  );
}

export const protocolName = (protocol: number): string => `0x${protocol.toString(16).padStart(4, '0')}`;

const known = (kind: LinkKind | null, kinds: readonly LinkKind[]): boolean =>
  kind !== null && kinds.includes(kind);

/** Tunnel keys are matched nowhere but on a tunnel's own link. */
function linkKindOf(rule: FlowRule, kindOf: LinkKindOf): LinkKind | null {
  const kind = kindOf(rule.link);
  if (kind !== null) return kind;
  return rule.match.some(({ field }) => field.startsWith('enc_')) ? 'tunnel' : null;
}

const outputs = ({ actions }: FlowRule): string[] =>
  actions.flatMap(action => (action.kind === 'redirect' || action.kind === 'mirror' ? [action.link] : []));

const tunnelled = ({ actions }: FlowRule): boolean => actions.some(({ kind }) => kind === 'tunnel-set');

/** Pedits become one tc action, so they count once. */
function countActions(actions: readonly FlowAction[]): number {
  const pedits = actions.filter(({ kind }) => kind === 'pedit').length;
  return actions.length - Math.max(0, pedits - 1);
}

function prioOf({ match }: FlowRule): number {
  const found = match.find(({ field }) => field === 'vlan_prio');
  if (found === undefined) return 0;
  return Number.parseInt(found.value, 16) & Number.parseInt(found.mask, 16);
}
