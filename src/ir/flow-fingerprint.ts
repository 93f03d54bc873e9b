/** What a flow rule does, as 64 bits that travel in its action cookie. */
import { fnv1a64 } from '../lib/hash.ts';
import type { FlowAction, FlowRule } from './flow.ts';
import { normalFlow } from './flow-normal.ts';

/** Fields in a fixed order, whatever order the object was made in. */
function actionText(action: FlowAction): string {
  const { kind, ...rest } = action;
  const values = Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${kind}(${values.map(([name, value]) => `${name}=${String(value)}`).join(',')})`;
}

/**
 * FNV-1a over protocol, placement, match and actions. Not over the identity (link, chain, prio, handle),
 * by which a rule is found anyway. Equal for rules that the kernel shows alike; never 0, which a dump
 * gives for rules of others. Throws RangeError for a malformed match.
 */
export function flowFingerprint(rule: FlowRule): bigint {
  const { protocol, where, match, actions } = normalFlow(rule);
  const fields = match.map(({ field, value, mask }) => `${field}=${value}/${mask}`);
  const text = [protocol, where, fields.join(' '), actions.map(actionText).join(' ')].join('|');
  return BigInt(`0x${fnv1a64(text)}`) || 1n;
}
