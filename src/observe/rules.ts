/** Bodies of /v1/rules and /v1/plan. */
import { printOp, printResource } from '../ir/print.ts';
import type { Resource } from '../ir/resource.ts';
import type { Op } from '../kernel/port.ts';
import type { View } from '../reconcile/port.ts';
import type { Plan, PlanOperation, RuleBody, RuleList, ViewName } from '../wire/api/rules.ts';
import { byKindAndKey } from './difference.ts';
import type { Picture } from './picture.ts';
import type { Sources } from './sources.ts';

/** What to show; null = no such filter. */
export interface RuleFilter {
  readonly network: string | null;
  readonly endpoint: string | null;
  readonly kind: Resource['kind'] | null;
  readonly hardware: boolean | null;
}

interface Row {
  readonly resource: Resource;
  readonly change: RuleBody['change'];
  readonly before: Resource | null;
}

function rows(view: View, picture: Picture, name: ViewName): Row[] {
  if (name === 'diff')
    return picture.differences.map(({ resource, change, before }) => ({ resource, change, before }));
  return [...view[name].values()]
    .sort(byKindAndKey)
    .map(resource => ({ resource, change: null, before: null }));
}

/** Throws what kept the kernel from being read. */
export function ruleList(sources: Sources, picture: Picture, name: ViewName, filter: RuleFilter): RuleList {
  if (!picture.view.ok) throw picture.view.problem;
  const all = rows(picture.view.value, picture, name);
  const placeOf = sources.placement.rules(all.map(row => row.resource));
  const rules: RuleBody[] = [];
  for (const { resource, change, before } of all) {
    if (filter.kind !== null && resource.kind !== filter.kind) continue;
    const owner = picture.owners.of(resource);
    if (filter.network !== null && owner.network !== filter.network) continue;
    if (filter.endpoint !== null && owner.endpoint !== filter.endpoint) continue;
    const place = placeOf(resource);
    if (filter.hardware !== null && (place === null || (place.where === 'hardware') !== filter.hardware)) {
      continue;
    }
    rules.push({
      key: resource.key,
      kind: resource.kind,
      ...owner,
      change,
      text: printResource(resource),
      before: before === null ? null : printResource(before),
      where: place?.where ?? null,
      reason: place?.reason ?? '',
      resource: { ...resource },
    });
  }
  return { view: name, total: all.length, rules };
}

function planOperation(op: Op): PlanOperation {
  // The verb is a field of its own; the sign before the text would say it twice.
  if (op.verb === 'swap-fib') {
    return { verb: op.verb, key: op.key, text: printOp(op).slice(2), entries: op.entries.length };
  }
  return { verb: op.verb, key: op.resource.key, text: printResource(op.resource) };
}

/** A replaced forwarding table counts as one update: packets see one change. */
export function planBody(picture: Picture): Plan {
  if (!picture.view.ok) throw picture.view.problem;
  const operations = picture.view.value.plan.map(planOperation);
  const count = (...verbs: PlanOperation['verb'][]) =>
    operations.filter(operation => verbs.includes(operation.verb)).length;
  return {
    create: count('create'),
    update: count('update', 'swap-fib'),
    delete: count('delete'),
    operations,
  };
}
