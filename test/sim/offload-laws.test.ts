/** Hardware is a cache of the software table: whatever part of the rules it holds, no verdict changes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import {
  compilePair,
  PAIR_VARIANTS,
  type PairPort,
  pairOfRef,
  pairVariants,
} from '../../src/compile/pair.ts';
import { evaluate, tablesOf } from '../../src/ir/eval.ts';
import type { FieldMatch, FlowRule } from '../../src/ir/flow.ts';
import { asVerdict, evaluateFlow, type FlowPacket, flowPacket } from '../../src/ir/flow-eval.ts';
import { portNames } from '../../src/ir/names.ts';
import type { Packet } from '../../src/ir/packet.ts';
import { cidrAddress } from '../../src/lib/ip.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import type { Intent } from '../../src/model/intent.ts';
import type { DevlinkHandle } from '../../src/model/nic.ts';
import { overlaps, upwardClosed } from '../../src/place/precedence.ts';
import { intents, packets } from './arbitrary.ts';
import { CONTEXT } from './sim-harness.ts';

const port = (endpoint: Endpoint): PairPort => ({
  slot: endpoint.slot,
  rep: portNames(CONTEXT.identity, endpoint.id).rep,
  mac: endpoint.mac,
  ip4: endpoint.ip4 && cidrAddress(endpoint.ip4),
  ip6: endpoint.ip6 && cidrAddress(endpoint.ip6),
});

interface Pair {
  readonly src: Endpoint;
  readonly dst: Endpoint;
}

const pairs = (intent: Intent): Pair[] =>
  [...intent.endpoints.values()].flatMap(src =>
    [...intent.endpoints.values()]
      .filter(dst => dst.id !== src.id && dst.networkId === src.networkId)
      .map(dst => ({ src, dst })),
  );

function allRules(intent: Intent): FlowRule[] {
  return pairs(intent).flatMap(({ src, dst }) => {
    const network = intent.networks.get(src.networkId);
    if (network === undefined) return [];
    return PAIR_VARIANTS.flatMap(
      variant => compilePair(network.switchMac, port(src), port(dst), variant) ?? [],
    );
  });
}

/** Packets that an endpoint would really send to another, some of them changed in one field. */
function honest(intent: Intent): fc.Arbitrary<Packet> {
  const all = pairs(intent);
  if (all.length === 0) return packets(intent);
  return fc
    .tuple(fc.constantFrom(...all), fc.boolean(), packets(intent), fc.nat(14))
    .map(([{ src, dst }, wants6, other, change]) => {
      const [from, to] = wants6 ? [src.ip6, dst.ip6] : [src.ip4, dst.ip4];
      const payload: Packet['payload'] =
        from === null || to === null
          ? other.payload
          : { type: 'ip', src: cidrAddress(from), dst: cidrAddress(to) };
      const { switchMac = other.dstMac } = intent.networks.get(src.networkId) ?? {};
      const packet: Packet = {
        link: port(src).rep,
        srcMac: src.mac,
        dstMac: switchMac,
        tagged: false,
        payload,
      };
      const field = (['link', 'srcMac', 'dstMac', 'tagged', 'payload'] as const)[change];
      return field === undefined ? packet : { ...packet, [field]: other[field] };
    });
}

const NIC = 'pci/0000:3b:00.0' as DevlinkHandle;

/** Every endpoint on a VF of one NIC. */
const onNic = (intent: Intent): Intent => ({
  ...intent,
  endpoints: new Map(
    [...intent.endpoints].map(([id, each]) => [
      id,
      { ...each, vf: { nic: NIC, controller: 0, pf: 0, kind: 'vf', index: each.slot } },
    ]),
  ),
});

/** Intents in which somebody has somebody to talk to. */
const social = intents.filter(intent => pairs(intent).length > 0).map(onNic);

const scenes = social.chain(intent =>
  fc.record({
    intent: fc.constant(intent),
    packet: fc.oneof(packets(intent), { weight: 4, arbitrary: honest(intent) }),
    ipProto: fc.constantFrom(1, 6, 17, 58, 132),
    chosen: fc.infiniteStream(fc.boolean()),
  }),
);

describe('laws of the offload', () => {
  it('eval(hardware) ?? eval(software) = eval(table), whatever part of the rules is in hardware', () => {
    let hits = 0;
    fc.assert(
      fc.property(scenes, ({ intent, packet, ipProto, chosen }) => {
        const tables = tablesOf(compile(CONTEXT, intent).values());
        const inHardware = allRules(intent).filter(() => chosen.next().value);
        const hardware = evaluateFlow(inHardware, flowPacket(packet, ipProto))?.verdict ?? null;
        const table = evaluate(tables, packet);
        if (hardware !== null) hits += 1;
        expect(hardware === null ? evaluate(tables, packet) : asVerdict(hardware)).toEqual(table);
      }),
      { numRuns: 1000 },
    );
    // A law that no packet tests is none.
    expect(hits).toBeGreaterThan(40);
  });

  it('pair rules never overlap, and no two share an identity', () => {
    fc.assert(
      fc.property(intents, intent => {
        const rules = allRules(intent);
        const names = rules.map(rule => `${rule.link} ${rule.chain} ${rule.prio} ${rule.handle}`);
        expect(new Set(names).size).toBe(rules.length);
        for (const [i, rule] of rules.entries()) {
          for (const other of rules.slice(i + 1)) expect(overlaps(rule, other)).toBe(false);
        }
        expect(upwardClosed(rules, new Set(rules)).size).toBe(rules.length);
      }),
      { numRuns: 30 },
    );
  });

  it('the identity says the pair', () => {
    fc.assert(
      fc.property(intents, intent => {
        for (const { src, dst } of pairs(intent)) {
          for (const variant of pairVariants(port(src), port(dst))) {
            const rule = compilePair('02:00:00:00:00:01' as never, port(src), port(dst), variant);
            expect(rule && pairOfRef(rule)).toEqual({ dstSlot: dst.slot, variant });
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('neighbour solicitations are never matched', () => {
    fc.assert(
      fc.property(scenes, ({ intent, packet }) => {
        fc.pre(packet.payload.type !== 'ip');
        expect(evaluateFlow(allRules(intent), flowPacket(packet, 58))).toBeNull();
      }),
    );
  });
});

/** Rules with masks of any kind on two links, so that they overlap in every way. */
const nibble = fc.constantFrom('0', 'f', '3', '8');
const field = (name: 'ip_tos' | 'ip_ttl' | 'ip_proto') =>
  fc.tuple(nibble, nibble, fc.nat(255)).map(([high, low, value]): FieldMatch => {
    const mask = `${high}${low}`;
    const bits = value & Number.parseInt(mask, 16);
    return { field: name, mask, value: bits.toString(16).padStart(2, '0') };
  });

const maskedRules = fc
  .array(
    fc.record({
      link: fc.constantFrom('a', 'b'),
      prio: fc.integer({ min: 1, max: 5 }),
      protocol: fc.constantFrom(0x0800, 0x86dd, 0x0003),
      match: fc
        .tuple(
          ...(['ip_tos', 'ip_ttl', 'ip_proto'] as const).map(name => fc.option(field(name), { nil: null })),
        )
        .map(fields => fields.filter(each => each !== null)),
      target: fc.constantFrom('x', 'y', null),
    }),
    { maxLength: 8 },
  )
  .map(shapes =>
    shapes.map(
      ({ target, ...shape }, i): FlowRule => ({
        ...shape,
        chain: 0,
        // Rules of one priority that overlap have no defined order, so each gets its own.
        prio: shape.prio * 10 + i,
        handle: i + 1,
        actions: [target === null ? { kind: 'drop' } : { kind: 'redirect', link: target }],
        where: 'both',
      }),
    ),
  );

const flowPackets: fc.Arbitrary<FlowPacket> = fc.record({
  link: fc.constantFrom('a', 'b'),
  protocol: fc.constantFrom(0x0800, 0x86dd, 0x0806),
  fields: fc
    .tuple(fc.nat(255), fc.nat(255), fc.nat(255))
    .map(
      values =>
        new Map(
          (['ip_tos', 'ip_ttl', 'ip_proto'] as const).map((name, i) => [
            name,
            (values[i] ?? 0).toString(16).padStart(2, '0'),
          ]),
        ),
    ),
});

describe('laws of precedence', () => {
  it('an upward closed part in hardware and the rest in software say what the whole table says', () => {
    fc.assert(
      fc.property(
        maskedRules,
        fc.infiniteStream(fc.boolean()),
        fc.array(flowPackets, { minLength: 10, maxLength: 20 }),
        (rules, chosen, seen) => {
          const kept = upwardClosed(rules, new Set(rules.filter(() => chosen.next().value)));
          const software = rules.filter(rule => !kept.has(rule));
          for (const packet of seen) {
            const whole = evaluateFlow(rules, packet);
            expect(evaluateFlow(kept, packet) ?? evaluateFlow(software, packet)).toEqual(whole);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('the index finds exactly what a comparison of all pairs finds', () => {
    fc.assert(
      fc.property(maskedRules, fc.infiniteStream(fc.boolean()), (rules, chosen) => {
        const wanted = new Set(rules.filter(() => chosen.next().value));
        const kept = upwardClosed(rules, wanted);
        for (const rule of wanted) {
          const before = rules.filter(other => other.prio < rule.prio && overlaps(other, rule));
          // Kept ones have all that precede them; ones left out lack at least one.
          expect(before.every(other => kept.has(other))).toBe(kept.has(rule));
        }
      }),
      { numRuns: 300 },
    );
  });
});
