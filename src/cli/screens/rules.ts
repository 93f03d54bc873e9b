/** Screens of `eswitchctl rules`, `plan` and `reconcile`. */
import type { Plan, PlanOperation, ReconcileResult, RuleBody, RuleList } from '../../wire/api/rules.ts';
import { ago, bytes, grouped, milliseconds, packets, plural } from '../format.ts';
import { type Colour, hang, paint, type Style } from '../text.ts';

const SIGNS: Readonly<Record<PlanOperation['verb'], readonly [string, Colour]>> = {
  create: ['+', 'green'],
  update: ['~', 'yellow'],
  delete: ['-', 'red'],
  'swap-fib': ['=', 'cyan'],
};

/** The text without the kind it starts with: that is the heading. */
const body = (text: string, kind: string): string =>
  text.startsWith(`${kind} `) ? text.slice(kind.length + 1) : text;

function block(text: string, head: string, style: Style): string[] {
  return hang(text, style.width, head, ' '.repeat(head.length + 2));
}

/** State of a NIC's rule, below the rule. */
function flowLines({ flow }: RuleBody, style: Style, nowMs: number): string[] {
  if (flow === null) return [];
  const { state, code, text, extack, sinceMs } = flow;
  const since = sinceMs === null ? '' : `, ${ago(sinceMs, nowMs)}`;
  const isIn = state === 'in-hardware';
  const counted = `${packets(flow.packets)}, ${bytes(flow.bytes)}`;
  const words = isIn ? counted : `${code}: ${text}${extack === '' ? '' : `: ${extack}`}`;
  return hang(`${state}${since}: ${words}`, style.width, '      ', '        ').map(line =>
    paint(style, isIn ? 'green' : 'yellow', line),
  );
}

function ruleLines(rule: RuleBody, style: Style, nowMs: number): string[] {
  const { change, text, before, kind } = rule;
  if (change === null) return [...block(body(text, kind), '  ', style), ...flowLines(rule, style, nowMs)];
  const [sign, colour] = SIGNS[change];
  const lines = (mark: string, tint: Colour, value: string) =>
    block(body(value, kind), `  ${mark} `, style).map(line => paint(style, tint, line));
  if (before === null) return lines(sign, colour, text);
  return [...lines('-', 'red', before), ...lines('+', 'green', text)];
}

function emptyText({ view, total }: RuleList): string {
  if (total > 0)
    return `None of the ${plural(total, view === 'diff' ? 'difference' : 'resource')} fits the filter.`;
  return view === 'diff' ? 'No difference: the kernel is as it should be.' : 'Nothing.';
}

/** Why rules are not in hardware, each reason once. */
function reasonLines(rules: readonly RuleBody[], style: Style): string[] {
  const reasons = Map.groupBy(
    rules.filter(rule => rule.flow === null && rule.where === 'software' && rule.reason !== ''),
    rule => rule.reason,
  );
  return [...reasons].flatMap(([reason, list]) =>
    hang(`${plural(list.length, 'rule')} not in hardware: ${reason}`, style.width, '', '  '),
  );
}

/** Grouped by kind; a rule that does not fit the width goes on, indented. */
export function rulesScreen(list: RuleList, style: Style, nowMs: number): string[] {
  if (list.rules.length === 0) return [emptyText(list)];
  const kinds = Map.groupBy(list.rules, rule => rule.kind);
  const groups = [...kinds].flatMap(([kind, rules]) => [
    paint(style, 'bold', `${kind} (${grouped(rules.length)})`),
    ...rules.flatMap(rule => ruleLines(rule, style, nowMs)),
  ]);
  const reasons = reasonLines(list.rules, style);
  return reasons.length === 0 ? groups : [...groups, '', ...reasons];
}

export function planScreen(plan: Plan, style: Style): string[] {
  const { operations } = plan;
  if (operations.length === 0) return ['Nothing to do: the kernel is as it should be.'];
  const summary = `${plan.create} to create, ${plan.update} to update, ${plan.delete} to delete`;
  return [
    paint(style, 'bold', `${plural(operations.length, 'operation')}: ${summary}`),
    ...operations.flatMap(({ verb, text }) => {
      const [sign, colour] = SIGNS[verb];
      return block(text, `${sign} `, style).map(line => paint(style, colour, line));
    }),
  ];
}

export function reconcileScreen({ round }: ReconcileResult, style: Style): string[] {
  const { created, updated, deleted, failed, repaired, durationMs } = round;
  const parts = [`${created} created`, `${updated} updated`, `${deleted} deleted`];
  if (repaired > 0) parts.push(plural(repaired, 'repair'));
  const done = `Reconciled in ${milliseconds(durationMs)}: ${parts.join(', ')}`;
  if (failed === 0) return [done];
  return [done, paint(style, 'red', `${plural(failed, 'operation')} failed: see eswitchctl status`)];
}
