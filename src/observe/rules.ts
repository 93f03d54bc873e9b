/** Bodies of /v1/rules and /v1/plan. */
import { printOp, printResource } from '../ir/print.ts';
import type { Resource } from '../ir/resource.ts';
import type { Op } from '../kernel/port.ts';
import type { FlowRow } from '../offload/port.ts';
import type { View } from '../reconcile/port.ts';
import type { Plan, PlanOperation, RuleBody, RuleList, ViewName } from '../wire/api/rules.ts';
import { byKindAndKey } from './difference.ts';
import { EntryPlaces, flowRuleBody } from './flow-rules.ts';
import { intentOf, type Picture } from './picture.ts';
import type { RulePlace, Sources } from './sources.ts';

/** What to show; null = no such filter. */
export interface RuleFilter {
  readonly network: string | null;
  readonly endpoint: string | null;
  readonly kind: Resource['kind'] | 'flow-rule' | null;
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
  const flows = sources.offload.rows();
  const placeOf = placesOf(sources, picture, all, new EntryPlaces(flows));
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
      flow: null,
      resource: { ...resource },
    });
  }
  const shown = flowsOf(flows, name);
  return {
    view: name,
    total: all.length + shown.length,
    rules: [...rules, ...shown.filter(row => fits(row, filter)).map(flowRuleBody)],
  };
}

/** As compiled: every rule that is kept account of. As observed: those in hardware. */
function flowsOf(flows: readonly FlowRow[], name: ViewName): readonly FlowRow[] {
  if (name === 'diff') return [];
  return name === 'observed' ? flows.filter(row => row.state === 'in-hardware') : flows;
}

function fits(row: FlowRow, { kind, network, endpoint, hardware }: RuleFilter): boolean {
  if (kind !== null && kind !== 'flow-rule') return false;
  if (network !== null && row.network !== network) return false;
  if (endpoint !== null && row.src !== endpoint && row.dst !== endpoint) return false;
  return hardware === null || (row.state === 'in-hardware') === hardware;
}

/** A forwarding entry to a port of a NIC is as much in hardware as the rules that deliver there. */
function placesOf(
  sources: Sources,
  picture: Picture,
  all: readonly Row[],
  entries: EntryPlaces,
): (resource: Resource) => RulePlace | null {
  const byCapability = sources.placement.rules(all.map(row => row.resource));
  if (sources.offload.tables().length === 0) return byCapability;
  const { endpoints } = intentOf(picture);
  return resource => {
    if (resource.kind !== 'fib-entry') return byCapability(resource);
    const { endpoint } = picture.owners.of(resource);
    return entries.of(endpoint === null ? undefined : endpoints.get(endpoint)) ?? byCapability(resource);
  };
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
