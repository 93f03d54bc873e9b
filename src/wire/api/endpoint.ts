/** GET /v1/endpoints and /v1/endpoints/{id}. */
import Type, { type Static } from 'typebox';
import { Drop, Literals, Nullable, Share, Tally } from './common.ts';

export const ENDPOINT_STATES = ['ready', 'pending', 'failed', 'stale'] as const;

export const PublishedPort = Type.Object({
  proto: Literals(['tcp', 'udp', 'sctp']),
  containerPort: Type.Integer(),
  hostIp: Nullable(Type.String({ description: 'null = every local address.' })),
  hostPort: Type.Integer(),
});
export type PublishedPort = Static<typeof PublishedPort>;

export const EndpointBody = Type.Object({
  id: Type.String(),
  network: Type.String(),
  mac: Type.String(),
  ip4: Nullable(Type.String()),
  ip6: Nullable(Type.String()),
  representor: Nullable(Type.String({ description: 'null: the port has no host side.' })),
  attached: Type.String({
    description: 'What its link is: `veth pair`, `macvlan on eth1`, a VF with its attributes.',
  }),
  fallback: Nullable(
    Type.String({
      description: 'Why it has no function of a NIC; null: it has one, or none was to be had here.',
    }),
  ),
  function: Type.String({ description: 'Name of the function side as it was created.' }),
  slot: Type.Integer(),
  sandbox: Nullable(Type.Object({ path: Type.String(), ifname: Nullable(Type.String()) })),
  published: Type.Object({
    inForce: Type.Boolean({ description: "Docker chose this endpoint as its container's gateway." }),
    ports: Type.Array(PublishedPort),
  }),
  state: Literals(ENDPOINT_STATES),
  why: Type.String({ description: 'What is missing, refused or gone; "" when ready.' }),
  traffic: Type.Object({
    rx: Tally,
    tx: Tally,
    share: Share,
    drops: Type.Array(Drop),
  }),
});
export type EndpointBody = Static<typeof EndpointBody>;

export const EndpointList = Type.Object({ endpoints: Type.Array(EndpointBody) });
export type EndpointList = Static<typeof EndpointList>;

export const EndpointQuery = Type.Object(
  { network: Type.Optional(Type.String({ description: 'Id or unique head of one.' })) },
  { additionalProperties: false },
);
export type EndpointQuery = Static<typeof EndpointQuery>;
