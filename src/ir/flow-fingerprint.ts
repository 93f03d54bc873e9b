/** What a flow rule does, as 64 bits that travel in its action cookie. */
import { Fnv1a64 } from '../lib/hash.ts';
import type { FlowAction, FlowRule } from './flow.ts';
import { normalFlow } from './flow-normal.ts';

/** Pieces are fed one by one: a text of the whole rule would be made only to be thrown away. */
function addAction(hash: Fnv1a64, action: FlowAction): void {
  hash.add('|').add(action.kind).add(' ');
  switch (action.kind) {
    case 'redirect':
    case 'mirror':
      hash.add(action.link);
      break;
    case 'pedit':
      hash.add(action.field).add('=').add(action.value).add('/').add(action.mask);
      break;
    case 'csum':
      hash.add(action.of.join(','));
      break;
    case 'tunnel-set': {
      const { vni, src, dst, dstPort, tos, ttl, csum } = action;
      hash.add(`${vni} `).add(src).add(' ').add(dst).add(` ${dstPort} ${tos} ${ttl} ${csum}`);
      break;
    }
    case 'vlan-push':
    case 'vlan-modify':
      hash.add(`${action.id} ${action.prio} ${action.tpid}`);
      break;
    case 'police':
      hash.add(`${action.rateBps} ${action.burstBytes}`);
      break;
    case 'goto':
      hash.add(String(action.chain));
      break;
    default:
      break;
  }
}

/** Feeds a rule that is normal. */
export function hashNormal(hash: Fnv1a64, { protocol, where, match, actions }: FlowRule): void {
  hash.add(String(protocol)).add(where);
  for (const { field, value, mask } of match) hash.add('|').add(field).add('=').add(value).add('/').add(mask);
  for (const action of actions) addAction(hash, action);
}

/**
 * FNV-1a over protocol, placement, match and actions. Not over the identity (link, chain, prio, handle),
 * by which a rule is found anyway. Equal for rules that the kernel shows alike; never 0, which a dump
 * gives for rules of others. Throws RangeError for a malformed match.
 */
export function flowFingerprint(rule: FlowRule): bigint {
  const hash = new Fnv1a64();
  hashNormal(hash, normalFlow(rule));
  return BigInt(`0x${hash.hex()}`) || 1n;
}
