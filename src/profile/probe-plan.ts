/**
 * Questions to a NIC that no profile answers for, each a rule that is put and removed at once. Pure.
 * A rule matches addresses that nobody has (a MAC of our own making, documentation ranges), so it
 * takes no packet even while it is there.
 */
import { type FieldMatch, FLOW_FIELDS, type FlowAction, type FlowField, type FlowRule } from '../ir/flow.ts';
import { fullMask } from '../ir/flow-normal.ts';
import { ETH_P_ARP, ETH_P_IP, ETH_P_IPV6, PROBE_PRIO } from '../ir/flow-prio.ts';
import { questionOf } from '../place/profile-check.ts';

/** Where to ask. */
export interface ProbeLinks {
  /** A representor. */
  readonly on: string;
  /** Another port of the same NIC; a rule may send there. */
  readonly to: string;
  /** A vxlan device, null: questions about tunnels stay open. */
  readonly tunnel: string | null;
}

export interface ProbeQuestion {
  /** As `questionOf` names it. */
  readonly question: string;
  /** Questions that must have been answered with yes: else a refusal would say nothing about this one. */
  readonly needs: readonly string[];
  /** null: cannot be asked here, see `why`. */
  readonly rule: FlowRule | null;
  readonly why?: string;
}

/** A rule that the NIC took; the questions are variations of it. */
export interface ProbeBase {
  readonly match: FlowField;
  readonly action: 'drop' | 'redirect' | 'trap';
}

const ETH_P_ALL = 0x0003;
const ETH_P_8021Q = 0x8100;
const ETH_P_8021AD = 0x88a8;

const PRIO: Readonly<Record<number, number>> = {
  [ETH_P_IP]: PROBE_PRIO.ip4,
  [ETH_P_IPV6]: PROBE_PRIO.ip6,
  [ETH_P_ARP]: PROBE_PRIO.arp,
  [ETH_P_8021Q]: PROBE_PRIO.vlan,
  [ETH_P_8021AD]: PROBE_PRIO.qinq,
  [ETH_P_ALL]: PROBE_PRIO.all,
};

/** Rules are removed before the next is put, so one handle does for all. */
const HANDLE = 1;

/** Values of no packet: local MACs, RFC 5737 and 3849 addresses, discard ports. */
const VALUES: Readonly<Record<FlowField, string>> = {
  eth_dst: '0a70726f6265',
  eth_src: '0a70726f6266',
  vlan_id: '0ffe',
  vlan_prio: '07',
  vlan_ethtype: '0800',
  cvlan_id: '0ffe',
  cvlan_prio: '07',
  cvlan_ethtype: '0800',
  ip_proto: '06',
  ip_tos: '04',
  ip_ttl: '01',
  ip_flags: '00000001',
  ipv4_src: 'c0000201',
  ipv4_dst: 'c0000202',
  ipv6_src: '20010db8000000000000000000000001',
  ipv6_dst: '20010db8000000000000000000000002',
  src_port: '0009',
  dst_port: '0009',
  tcp_flags: '0002',
  icmp_type: '08',
  icmp_code: '00',
  enc_key_id: '00fffffe',
  enc_ipv4_src: 'c0000203',
  enc_ipv4_dst: 'c0000204',
  enc_ipv6_src: '20010db8000000000000000000000003',
  enc_ipv6_dst: '20010db8000000000000000000000004',
  enc_src_port: '0009',
  enc_dst_port: '12b5',
  enc_ip_tos: '04',
  enc_ip_ttl: '01',
};

/** Masks other than whole fields: single bits of a field of flags. */
const MASKS: Readonly<Partial<Record<FlowField, string>>> = { ip_flags: '00000001', tcp_flags: '0002' };

const exact = (field: FlowField, value: string = VALUES[field]): FieldMatch => ({
  field,
  value: value.padStart(FLOW_FIELDS[field] * 2, '0'),
  mask: MASKS[field] ?? fullMask(field),
});

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

function ruleOf(
  link: string,
  protocol: number,
  match: readonly FieldMatch[],
  actions: readonly FlowAction[],
  chain = 0,
): FlowRule {
  const where = protocol in PRIO ? 'hw' : 'both';
  return {
    link,
    chain,
    prio: PRIO[protocol] ?? PROBE_PRIO.all,
    protocol,
    handle: HANDLE,
    match,
    actions,
    where,
  };
}

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

/** Encapsulation from the representor; tunnel keys and decapsulation on the tunnel's own link. */
function tunnelQuestions(base: ProbeBase, links: ProbeLinks): ProbeQuestion[] {
  const { tunnel } = links;
  const why = 'there is no tunnel device to ask with';
  const redirect = questionOf.action('redirect');
  const outer = [exact('enc_key_id'), exact('enc_ipv4_dst'), exact('enc_dst_port')];
  const fields = [
    'enc_key_id',
    'enc_ipv4_dst',
    'enc_dst_port',
    'enc_ipv4_src',
    'enc_src_port',
    'enc_ip_tos',
    'enc_ip_ttl',
  ] as const;
  const on = (match: readonly FieldMatch[], protocol = ETH_P_IP): FlowRule | null =>
    tunnel === null
      ? null
      : {
          ...ruleOf(
            tunnel,
            protocol,
            [...match, exact('eth_dst')],
            [{ kind: 'tunnel-unset' }, { kind: 'redirect', link: links.on }],
          ),
          where: 'both',
        };
  const decap = questionOf.action('tunnel-unset');
  const extra = fields.filter(field => !outer.some(match => match.field === field));
  return [
    {
      question: questionOf.action('tunnel-set'),
      needs: [redirect],
      rule:
        tunnel === null
          ? null
          : ruleOf(
              links.on,
              ETH_P_IP,
              [exact(base.match)],
              [
                {
                  ...{ kind: 'tunnel-set', vni: 0xfffffe, src: '192.0.2.3', dst: '192.0.2.4', dstPort: 4789 },
                  ...{ tos: null, ttl: null, csum: false },
                },
                { kind: 'redirect', link: tunnel },
              ],
            ),
      why,
    },
    { question: decap, needs: [redirect], rule: on(outer), why },
    // Taken together or not at all: a tunnel cannot be told without them.
    ...outer.map(({ field }) => ({
      question: questionOf.field(field),
      needs: [decap],
      rule: on(outer),
      why,
    })),
    ...extra.map(field => ({
      question: questionOf.field(field),
      needs: [decap],
      rule: on([...outer, exact(field)]),
      why,
    })),
    ...(['enc_ipv6_src', 'enc_ipv6_dst'] as const).map(field => ({
      question: questionOf.field(field),
      needs: [decap],
      rule: on([exact('enc_key_id'), exact('enc_dst_port'), exact(field)]),
      why,
    })),
  ];
}
