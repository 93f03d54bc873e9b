/** Questions about tunnels. Pure. */
import type { FieldMatch, FlowRule } from '../ir/flow.ts';
import { ETH_P_IP } from '../ir/flow-prio.ts';
import { questionOf } from '../place/profile-check.ts';
import type { ProbeBase, ProbeLinks, ProbeQuestion } from './probe-question.ts';
import { exact, ruleOf } from './probe-rule.ts';

const WHY = 'there is no tunnel device to ask with';

/** What tells a tunnel: taken together or not at all. */
const OUTER = [exact('enc_key_id'), exact('enc_ipv4_dst'), exact('enc_dst_port')] as const;
const BESIDE = ['enc_ipv4_src', 'enc_src_port', 'enc_ip_tos', 'enc_ip_ttl'] as const;
const OUTER_IPV6 = ['enc_ipv6_src', 'enc_ipv6_dst'] as const;

/** Encapsulation from the representor; tunnel keys and decapsulation on the tunnel's own link. */
export function tunnelQuestions(base: ProbeBase, links: ProbeLinks): ProbeQuestion[] {
  const redirect = questionOf.action('redirect');
  const decap = questionOf.action('tunnel-unset');
  const about = (
    question: string,
    needs: readonly string[],
    match: readonly FieldMatch[],
  ): ProbeQuestion => ({
    ...{ question, needs, why: WHY },
    rule: decapRule(links, match),
  });
  return [
    {
      ...{ question: questionOf.action('tunnel-set'), needs: [redirect], why: WHY, dependsOnRoutes: true },
      rule: encapRule(base, links),
    },
    { ...about(decap, [redirect], OUTER), dependsOnRoutes: true },
    ...OUTER.map(({ field }) => about(questionOf.field(field), [decap], OUTER)),
    ...BESIDE.map(field => about(questionOf.field(field), [decap], [...OUTER, exact(field)])),
    ...OUTER_IPV6.map(field =>
      about(questionOf.field(field), [decap], [exact('enc_key_id'), exact('enc_dst_port'), exact(field)]),
    ),
  ];
}

function encapRule({ match }: ProbeBase, { on, tunnel }: ProbeLinks): FlowRule | null {
  if (tunnel === null) return null;
  return ruleOf(
    on,
    ETH_P_IP,
    [exact(match)],
    [
      {
        ...{ kind: 'tunnel-set', vni: 0xfffffe, src: '192.0.2.3', dst: '192.0.2.4', dstPort: 4789 },
        ...{ tos: null, ttl: null, csum: false },
      },
      { kind: 'redirect', link: tunnel },
    ],
  );
}

/** Tunnel devices take no skip_sw: whether hardware has the rule is told by in_hw. */
function decapRule({ on, tunnel }: ProbeLinks, match: readonly FieldMatch[]): FlowRule | null {
  if (tunnel === null) return null;
  const actions = [{ kind: 'tunnel-unset' }, { kind: 'redirect', link: on }] as const;
  return { ...ruleOf(tunnel, ETH_P_IP, [...match, exact('eth_dst')], actions), where: 'both' };
}
