/**
 * Questions to a NIC that no profile answers for, each a rule that is put and removed at once. Pure.
 * A rule matches addresses that nobody has (a MAC of our own making, documentation ranges), so it
 * takes no packet even while it is there.
 */
import type { FieldMatch, FlowAction, FlowField, FlowRule } from '../ir/flow.ts';
import { ETH_P_ARP, ETH_P_IP, ETH_P_IPV6 } from '../ir/flow-prio.ts';
import { questionOf } from '../place/profile-check.ts';
import type { ProbeBase, ProbeLinks, ProbeQuestion } from './probe-question.ts';
import { ETH_P_8021AD, ETH_P_8021Q, ETH_P_ALL, exact, ruleOf } from './probe-rule.ts';
import { tunnelQuestions } from './probe-tunnel.ts';

/** Bases in the order in which they are tried, each a rule for IPv4. */
export function baseCandidates(links: ProbeLinks): readonly { base: ProbeBase; rule: FlowRule }[] {
  const matches = ['eth_dst', 'eth_src', 'ipv4_dst'] as const;
  const actions = ['drop', 'redirect', 'trap'] as const;
  return matches.flatMap(match =>
    actions.map(action => {
      const base = { match, action };
      return { base, rule: ruleOf(links.on, ETH_P_IP, [exact(match)], [ending(base, links)]) };
    }),
  );
}

const ending = ({ action }: ProbeBase, { to }: ProbeLinks): FlowAction =>
  action === 'redirect' ? { kind: 'redirect', link: to } : { kind: action };

/** Every question, those that others need first. */
export function probePlan(base: ProbeBase, links: ProbeLinks): readonly ProbeQuestion[] {
  return [
    ...protocolQuestions(base, links),
    ...FIELD_QUESTIONS.filter(({ field }) => field !== base.match).map(spec =>
      fieldQuestion(base, links, spec),
    ),
    ...actionQuestions(base, links),
    ...tunnelQuestions(base, links),
  ];
}

/** What a base that was taken answers by itself. */
export function answeredBy({ match, action }: ProbeBase): readonly string[] {
  return [
    questionOf.offload,
    questionOf.protocol(ETH_P_IP),
    questionOf.field(match),
    questionOf.action(action),
  ];
}

function protocolQuestions(base: ProbeBase, links: ProbeLinks): ProbeQuestion[] {
  return [ETH_P_IPV6, ETH_P_ARP, ETH_P_8021Q, ETH_P_8021AD, ETH_P_ALL].map(protocol => {
    const question = questionOf.protocol(protocol);
    // Without a MAC to match nothing narrows such a rule down to packets that nobody sends.
    if (!base.match.startsWith('eth_')) {
      return { question, needs: [], rule: null, why: 'this NIC matches no MAC address' };
    }
    return {
      question,
      needs: [],
      rule: ruleOf(links.on, protocol, [exact(base.match)], [ending(base, links)]),
    };
  });
}

interface FieldSpec {
  readonly field: FlowField;
  readonly protocol: number;
  /** Fields that must be matched beside it. */
  readonly beside: readonly FieldMatch[];
}

const spec = (protocol: number, field: FlowField, ...beside: readonly FieldMatch[]): FieldSpec => ({
  field,
  protocol,
  beside,
});

const TCP = exact('ip_proto', '06');
const ICMP = exact('ip_proto', '01');
const INNER_TAG = exact('vlan_ethtype', '8100');

const FIELD_QUESTIONS: readonly FieldSpec[] = [
  ...(['eth_dst', 'eth_src', 'ip_proto', 'ip_tos', 'ip_ttl', 'ip_flags'] as const).map(each =>
    spec(ETH_P_IP, each),
  ),
  spec(ETH_P_IP, 'ipv4_src'),
  spec(ETH_P_IP, 'ipv4_dst'),
  spec(ETH_P_IPV6, 'ipv6_src'),
  spec(ETH_P_IPV6, 'ipv6_dst'),
  ...(['src_port', 'dst_port', 'tcp_flags'] as const).map(each => spec(ETH_P_IP, each, TCP)),
  spec(ETH_P_IP, 'icmp_type', ICMP),
  spec(ETH_P_IP, 'icmp_code', ICMP),
  ...(['vlan_id', 'vlan_prio', 'vlan_ethtype'] as const).map(each => spec(ETH_P_8021Q, each)),
  ...(['cvlan_id', 'cvlan_prio', 'cvlan_ethtype'] as const).map(each => spec(ETH_P_8021AD, each, INNER_TAG)),
];

function fieldQuestion(
  base: ProbeBase,
  links: ProbeLinks,
  { field, protocol, beside }: FieldSpec,
): ProbeQuestion {
  const question = questionOf.field(field);
  const needs = [
    questionOf.protocol(protocol),
    ...beside.filter(match => match.field !== field).map(match => questionOf.field(match.field)),
  ];
  // A base by IPv4 address cannot stand beside another protocol.
  if (base.match === 'ipv4_dst' && protocol !== ETH_P_IP) {
    return { question, needs, rule: null, why: 'this NIC matches no MAC address' };
  }
  const match = [exact(base.match), ...beside.filter(each => each.field !== field), exact(field)];
  return { question, needs, rule: ruleOf(links.on, protocol, match, [ending(base, links)]) };
}

const PEDITS = [
  ['eth_dst', '0a70726f6267'],
  ['eth_src', '0a70726f6268'],
  ['ipv4_src', 'c0000205'],
  ['ipv4_dst', 'c0000206'],
  ['ip_ttl', '02'],
  ['ip_tos', '08'],
  ['ipv6_src', '20010db8000000000000000000000005'],
  ['ipv6_dst', '20010db8000000000000000000000006'],
  ['ipv6_hoplimit', '02'],
  ['tcp_sport', '000a'],
  ['tcp_dport', '000a'],
  ['udp_sport', '000a'],
  ['udp_dport', '000a'],
] as const;

/** Actions before an output: they need one that the NIC does. */
function actionQuestions(base: ProbeBase, links: ProbeLinks): ProbeQuestion[] {
  const redirect: FlowAction = { kind: 'redirect', link: links.to };
  const ask = (
    action: FlowAction,
    needs: readonly string[] = [],
    {
      protocol = ETH_P_IP,
      beside = [] as readonly FieldMatch[],
      after = [redirect] as readonly FlowAction[],
    } = {},
  ): ProbeQuestion => ({
    question: action.kind === 'pedit' ? questionOf.pedit(action.field) : questionOf.action(action.kind),
    needs: [...needs, ...(after.length > 0 ? [questionOf.action('redirect')] : [])],
    rule:
      base.match === 'ipv4_dst' && protocol !== ETH_P_IP
        ? null
        : ruleOf(links.on, protocol, [exact(base.match), ...beside], [action, ...after]),
    why: 'this NIC matches no MAC address',
  });
  const alone = { after: [] };
  const tagged = { protocol: ETH_P_8021Q, beside: [exact('vlan_id')] };
  const tags = [questionOf.protocol(ETH_P_8021Q), questionOf.field('vlan_id')];
  const done = answeredBy(base);
  return [
    ask(redirect, [], alone),
    ask({ kind: 'drop' }, [], alone),
    ask({ kind: 'trap' }, [], alone),
    ask({ kind: 'pass' }, [], alone),
    ask({ kind: 'mirror', link: links.to }, [], { after: [{ kind: 'drop' }] }),
    ask({ kind: 'vlan-push', id: 4094, prio: 0, tpid: 0x8100 }),
    ask({ kind: 'vlan-pop' }, tags, tagged),
    ask({ kind: 'vlan-modify', id: 4093, prio: 0, tpid: 0x8100 }, tags, tagged),
    ask({ kind: 'police', rateBps: 1_000_000_000, burstBytes: 65_536 }),
    ...PEDITS.map(([field, value]) => peditQuestion(ask, field, value)),
    csumQuestion(base, links),
    ask({ kind: 'goto', chain: 1 }, [], alone),
    {
      question: questionOf.chain,
      needs: [],
      rule: ruleOf(links.on, ETH_P_IP, [exact(base.match)], [ending(base, links)], 1),
    },
  ].filter(({ question }) => !done.includes(question));
}

type Ask = (
  action: FlowAction,
  needs?: readonly string[],
  more?: { protocol?: number; beside?: readonly FieldMatch[] },
) => ProbeQuestion;

function peditQuestion(ask: Ask, field: (typeof PEDITS)[number][0], value: string): ProbeQuestion {
  const action: FlowAction = { kind: 'pedit', field, value, mask: 'f'.repeat(value.length) };
  const protocol = field.startsWith('ipv6') ? ETH_P_IPV6 : ETH_P_IP;
  // Drivers want to know the transport before they rewrite what its checksum covers.
  const proto = exact('ip_proto', field.startsWith('udp') ? '11' : '06');
  const beside = field.startsWith('eth') ? [] : [proto];
  const needs = [questionOf.protocol(protocol), ...beside.map(match => questionOf.field(match.field))];
  return ask(action, needs, { protocol, beside });
}

function csumQuestion(base: ProbeBase, links: ProbeLinks): ProbeQuestion {
  const rewrite: FlowAction = { kind: 'pedit', field: 'ipv4_dst', value: 'c0000206', mask: 'ffffffff' };
  return {
    question: questionOf.action('csum'),
    needs: [questionOf.pedit('ipv4_dst'), questionOf.field('ip_proto'), questionOf.action('redirect')],
    rule: ruleOf(
      links.on,
      ETH_P_IP,
      [exact(base.match), TCP],
      [rewrite, { kind: 'csum', of: ['ipv4', 'tcp'] }, { kind: 'redirect', link: links.to }],
    ),
  };
}
