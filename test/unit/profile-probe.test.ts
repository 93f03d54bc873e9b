import { describe, expect, it } from 'vitest';
import type { FlowRule } from '../../src/ir/flow.ts';
import { flowProblem } from '../../src/ir/flow-check.ts';
import { SimFlows } from '../../src/kernel/sim/flows.ts';
import { ERRNO } from '../../src/lib/errno.ts';
import { refusalOf } from '../../src/place/profile-check.ts';
import { loadProfiles } from '../../src/profile/load.ts';
import { baseCandidates, probePlan } from '../../src/profile/probe-plan.ts';
import { type ProbeAnswers, probeNic } from '../../src/profile/probe-run.ts';
import { PROFILE_RULES } from './profile-rules.ts';

const LINKS = { on: 'rep0', to: 'uplink', tunnel: null };
const { generic } = loadProfiles(new URL('../../firmware-profiles', import.meta.url).pathname);

function lab(refuse: (rule: FlowRule) => string | null): SimFlows {
  const flows = new SimFlows({ refuse });
  flows.addLink('rep0', 'representor');
  flows.addLink('uplink', 'uplink');
  flows.addLink('vxlan0', 'vxlan');
  return flows;
}

const uses = (rule: FlowRule, names: readonly string[]): string | null => {
  const used = [
    ...rule.match.map(({ field }) => field),
    ...rule.actions.map(({ kind }) => kind),
    ...rule.actions.flatMap(action => (action.kind === 'pedit' ? [`pedit ${action.field}`] : [])),
  ];
  const found = names.find(name => used.includes(name as (typeof used)[number]));
  return found === undefined ? null : `${found} is not supported`;
};
const with_ = (answers: ProbeAnswers, answer: string): string[] =>
  [...answers].flatMap(([question, fact]) => (fact.answer === answer ? [question] : [])).sort();
const textOf = (answers: ProbeAnswers, question: string) => answers.get(question)?.text;

describe('a probe plan', () => {
  it('has rules that the kernel would take, of addresses that nobody has', () => {
    for (const links of [LINKS, { ...LINKS, tunnel: 'vxlan0' }]) {
      for (const { base, rule } of baseCandidates(links)) {
        const rules = [
          rule,
          ...probePlan(base, links).flatMap(each => (each.rule === null ? [] : [each.rule])),
        ];
        expect(rules.map(flowProblem).filter(problem => problem !== null)).toEqual([]);
        for (const { match } of rules) {
          const unreal = match.some(
            ({ field, value }) => /^0a7072|^c00002|^20010db8/.test(value) && field !== 'ip_proto',
          );
          expect(unreal).toBe(true);
        }
      }
    }
  });

  it('asks what others need first, and each question once', () => {
    const base = { match: 'eth_dst', action: 'drop' } as const;
    const seen = new Set(['protocol:0x0800', 'field:eth_dst', 'action:drop']);
    for (const { question, needs } of probePlan(base, { ...LINKS, tunnel: 'vxlan0' })) {
      expect(needs.filter(need => !seen.has(need))).toEqual([]);
      expect(seen.has(question)).toBe(false);
      seen.add(question);
    }
  });
});

describe('probing', () => {
  it('finds out what a NIC takes, and leaves nothing behind', async () => {
    const flows = lab(rule => uses(rule, ['tcp_flags', 'mirror', 'pedit ipv6_src']));
    const answers = await probeNic(flows, LINKS);
    expect(with_(answers, 'no')).toEqual(['action:mirror', 'field:tcp_flags', 'pedit:ipv6_src']);
    expect(textOf(answers, 'action:mirror')).toBe('mirror is not supported');
    expect(with_(answers, 'unknown').every(question => /tunnel|enc_/.test(question))).toBe(true);
    expect((await flows.dump(['rep0', 'uplink'])).count).toBe(0);
  });

  it('does not blame a field for what it needs', async () => {
    const answers = await probeNic(
      lab(rule => uses(rule, ['ip_proto', 'redirect'])),
      LINKS,
    );
    expect(with_(answers, 'no')).toEqual(['action:redirect', 'field:ip_proto']);
    expect(textOf(answers, 'field:src_port')).toBe('cannot be asked without field:ip_proto');
    expect(textOf(answers, 'action:vlan-push')).toBe('cannot be asked without action:redirect');
  });

  it('starts from another rule where the first is refused', async () => {
    const noDrop = await probeNic(
      lab(rule => uses(rule, ['drop'])),
      LINKS,
    );
    expect(noDrop.get('action:drop')?.answer).toBe('no');
    expect(noDrop.get('field:eth_src')?.answer).toBe('yes');
    const noMacs = await probeNic(
      lab(rule => uses(rule, ['eth_dst', 'eth_src'])),
      LINKS,
    );
    expect(noMacs.get('field:ipv4_src')?.answer).toBe('yes');
    expect(noMacs.get('protocol:0x86dd')).toEqual({
      answer: 'unknown',
      text: 'this NIC matches no MAC address',
    });
  });

  it('says no to all only when all was refused for what it is', async () => {
    const none = await probeNic(
      lab(() => 'no offload here'),
      LINKS,
    );
    expect([...none]).toEqual([['offload', { answer: 'no', text: 'no offload here' }]]);
    const full = lab(() => null);
    full.capacity = 0;
    expect((await probeNic(full, LINKS)).get('offload')).toEqual({
      answer: 'unknown',
      text: 'the flow table is full',
    });
  });

  it('keeps an open mind while the NIC is busy', async () => {
    const flows = lab(() => null);
    flows.failNext(ERRNO.EBUSY, 'reset in progress');
    const answers = await probeNic(flows, LINKS);
    expect(answers.get('action:drop')?.answer).toBe('yes');
  });

  it('asks about tunnels where there is one', async () => {
    const flows = lab(rule => uses(rule, ['enc_ip_ttl', 'tunnel-set']));
    const answers = await probeNic(flows, { ...LINKS, tunnel: 'vxlan0' });
    // The refusal may be for want of a route.
    expect(answers.get('action:tunnel-set')).toEqual({
      answer: 'unknown',
      text: 'tunnel-set is not supported',
    });
    expect(answers.get('action:tunnel-unset')?.answer).toBe('yes');
    expect(answers.get('field:enc_ip_ttl')?.answer).toBe('no');
    expect(answers.get('field:enc_key_id')?.answer).toBe('yes');
  });

  it('becomes facts for the placement of rules', async () => {
    const probed = await probeNic(
      lab(rule => uses(rule, ['mirror'])),
      LINKS,
    );
    const mirror = PROFILE_RULES['mirror'] as FlowRule;
    expect(refusalOf(generic.profile, mirror, { probed })?.text).toBe(
      'action mirror is not done: mirror is not supported',
    );
    expect(refusalOf(generic.profile, PROFILE_RULES['pair ip4'] as FlowRule, { probed })).toBeNull();
  });
});
