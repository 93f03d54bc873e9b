/** GET /v1/explain: one packet walked through both layers. */
import Type, { type Static } from 'typebox';
import { Count, Literals, Nullable } from './common.ts';
import { FLOW_STATES } from './rules.ts';

export const IP_PROTOS = ['tcp', 'udp', 'icmp', 'sctp', 'other'] as const;

export const ExplainQuery = Type.Object(
  {
    src: Type.String({ minLength: 1, description: 'Sender: head of an endpoint id, address or MAC.' }),
    dst: Type.String({ minLength: 1, description: 'Receiver, likewise; or any other address.' }),
    proto: Type.Optional(Literals(IP_PROTOS, 'tcp when absent.')),
    port: Type.Optional(Type.String({ pattern: '^[0-9]{1,5}$', description: 'Destination port.' })),
  },
  { additionalProperties: false },
);
export type ExplainQuery = Static<typeof ExplainQuery>;

export const ExplainBody = Type.Object({
  packet: Type.Object({
    link: Type.String({ description: 'Representor on which it arrives.' }),
    srcMac: Type.String(),
    dstMac: Type.String(),
    src: Type.String(),
    dst: Type.String(),
    proto: Literals(IP_PROTOS),
    port: Nullable(Type.Integer()),
  }),
  handled: Literals(['hardware', 'software', 'dropped', 'unknown']),
  why: Type.String({ description: 'One sentence: where and why there.' }),
  software: Type.Object({
    compiled: Type.String({ description: 'What the table as compiled does with it.' }),
    observed: Nullable(
      Type.String({ description: 'The same by the table in the kernel; null: not readable.' }),
    ),
    agree: Type.Boolean(),
  }),
  hardware: Type.Object({
    nic: Nullable(Type.String()),
    state: Literals(FLOW_STATES),
    code: Type.String({ description: 'One of docs/offload.md.' }),
    text: Type.String(),
    extack: Type.String({ description: "The kernel's or the driver's words." }),
    sinceMs: Nullable(Type.Integer()),
    rule: Nullable(Type.String({ description: 'The rule as put or as it would be put.' })),
    seen: Nullable(
      Type.Object({
        rule: Type.String({ description: 'The rule as the kernel shows it.' }),
        inHw: Type.Boolean(),
        packets: Count,
        bytes: Count,
      }),
    ),
    problem: Nullable(Type.String({ description: 'Why the kernel could not be asked.' })),
  }),
});
export type ExplainBody = Static<typeof ExplainBody>;
