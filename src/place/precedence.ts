/**
 * Which rules may be in hardware together. Hardware sees a packet first, so a rule may be there only
 * if every overlapping rule that precedes it on the same link is there too; otherwise the wrong one
 * would win. Pair rules never overlap, which makes this free for them; rules with different masks
 * (tunnels, whole prefixes) need it.
 */
import type { FieldMatch, FlowRule } from '../ir/flow.ts';

const ANY_PROTOCOL = 0x0003;

/** Whether one packet could match both. Actions and precedence do not matter. */
export function overlaps(a: FlowRule, b: FlowRule): boolean {
  if (a.link !== b.link || a.chain !== b.chain) return false;
  if (a.protocol !== b.protocol && a.protocol !== ANY_PROTOCOL && b.protocol !== ANY_PROTOCOL) return false;
  return a.match.every(mine => {
    const other = b.match.find(each => each.field === mine.field);
    return other === undefined || compatible(mine, other);
  });
}

function compatible(a: FieldMatch, b: FieldMatch): boolean {
  const mask = and(a.mask, b.mask);
  return and(a.value, mask) === and(b.value, mask);
}

function and(a: string, b: string): string {
  let text = '';
  for (let i = 0; i < a.length; i++) {
    text += (Number.parseInt(a[i] ?? '0', 16) & Number.parseInt(b[i] ?? '0', 16)).toString(16);
  }
  return text;
}

/** Rules of one set of masks on one link, chain and protocol. */
interface Shape {
  readonly protocol: number;
  readonly masks: ReadonlyMap<string, string>;
  readonly rules: FlowRule[];
  /** By the masks shared with another shape: values under those masks → rules. Built on first use. */
  readonly byCommon: Map<string, Map<string, FlowRule[]>>;
}

/**
 * Finds overlapping rules without comparing all pairs: rules are grouped by their masks, and two
 * groups overlap exactly where the values under their common masks are equal. The cost of a question
 * is one lookup per group.
 */
export class OverlapIndex {
  readonly #places = new Map<string, Map<string, Shape>>();

  constructor(rules: Iterable<FlowRule>) {
    for (const rule of rules) this.#shapeOf(rule).rules.push(rule);
  }

  /** Rules that overlap `rule` and precede it, or stand beside it with the same priority. */
  *before(rule: FlowRule): Generator<FlowRule> {
    for (const shape of this.#places.get(placeOf(rule))?.values() ?? []) {
      if (
        shape.protocol !== rule.protocol &&
        shape.protocol !== ANY_PROTOCOL &&
        rule.protocol !== ANY_PROTOCOL
      ) {
        continue;
      }
      for (const other of lookup(shape, rule)) {
        if (other.prio < rule.prio || (other.prio === rule.prio && other.handle !== rule.handle)) yield other;
      }
    }
  }

  #shapeOf(rule: FlowRule): Shape {
    const place = placeOf(rule);
    let shapes = this.#places.get(place);
    if (shapes === undefined) {
      shapes = new Map();
      this.#places.set(place, shapes);
    }
    const masks = new Map(rule.match.map(({ field, mask }) => [field as string, mask]));
    const key = `${rule.protocol} ${[...masks].sort(([a], [b]) => (a < b ? -1 : 1)).join(' ')}`;
    let shape = shapes.get(key);
    if (shape === undefined) {
      shape = { protocol: rule.protocol, masks, rules: [], byCommon: new Map() };
      shapes.set(key, shape);
    }
    return shape;
  }
}

const placeOf = ({ link, chain }: FlowRule): string => `${link} ${chain}`;

function lookup(shape: Shape, rule: FlowRule): readonly FlowRule[] {
  const common = rule.match
    .flatMap(({ field, mask }) => {
      const theirs = shape.masks.get(field);
      return theirs === undefined ? [] : [[field, and(mask, theirs)] as const];
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const name = common.join(' ');
  let index = shape.byCommon.get(name);
  if (index === undefined) {
    index = Map.groupBy(shape.rules, each => valuesUnder(each, common));
    shape.byCommon.set(name, index);
  }
  return index.get(valuesUnder(rule, common)) ?? [];
}

function valuesUnder(rule: FlowRule, common: readonly (readonly [string, string])[]): string {
  return common
    .map(([field, mask]) => and(rule.match.find(each => each.field === field)?.value ?? mask, mask))
    .join(' ');
}

/**
 * The largest part of `wanted` that is upward closed among `all`: what else of `wanted` is left out
 * would be matched by hardware before the rule that should win.
 */
export function upwardClosed(all: readonly FlowRule[], wanted: ReadonlySet<FlowRule>): Set<FlowRule> {
  const index = new OverlapIndex(all);
  const kept = new Set(wanted);
  // Taking one out may uncover another behind it, so this runs until nothing changes: once per
  // level of precedence at most.
  for (let changed = true; changed; ) {
    changed = false;
    for (const rule of kept) {
      for (const other of index.before(rule)) {
        if (kept.has(other)) continue;
        kept.delete(rule);
        changed = true;
        break;
      }
    }
  }
  return kept;
}
