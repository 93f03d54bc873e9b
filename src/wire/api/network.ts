/** GET /v1/networks and /v1/networks/{id}. */
import Type, { type Static } from 'typebox';
import { Drop, Literals, Nullable, Share, Tally } from './common.ts';

export const NetworkBody = Type.Object({
  id: Type.String(),
  type: Type.String(),
  subnets: Type.Array(Type.Object({ pool: Type.String(), gateway: Nullable(Type.String()) })),
  mtu: Type.Integer(),
  internal: Type.Boolean(),
  nat: Type.Boolean(),
  hostBinding: Nullable(Type.String()),
  options: Type.Record(Type.String(), Type.String()),
  datapath: Type.Object({
    wanted: Literals(['auto', 'switchdev', 'sriov', 'software']),
    require: Literals(['any', 'hw']),
    used: Literals(['software', 'switchdev', 'legacy', 'none']),
    why: Type.String(),
  }),
  slot: Type.Integer(),
  switchMac: Type.String({ description: 'The one MAC that every peer shows inside the network.' }),
  gateway: Type.Object({ device: Type.String(), representor: Type.String(), mac: Type.String() }),
  state: Literals(['ready', 'pending', 'failed']),
  why: Type.String({ description: 'What is missing or refused; "" when ready.' }),
  endpoints: Type.Integer(),
  traffic: Type.Object({
    forwarded: Tally,
    fromContainers: Tally,
    toContainers: Tally,
    toHost: Tally,
    fromHost: Tally,
    share: Share,
    drops: Type.Array(Drop),
  }),
});
export type NetworkBody = Static<typeof NetworkBody>;

export const NetworkList = Type.Object({ networks: Type.Array(NetworkBody) });
export type NetworkList = Static<typeof NetworkList>;
