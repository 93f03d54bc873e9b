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
  switchMac: Nullable(
    Type.String({
      description: 'The one MAC that every peer shows inside the network; null: each shows its own.',
    }),
  ),
  gateway: Nullable(
    Type.Object(
      { device: Type.String(), representor: Type.String(), mac: Type.String() },
      { description: "null: the gateway is the physical network's." },
    ),
  ),
  vlan: Nullable(
    Type.Object(
      {
        parent: Type.String({ description: 'The link that leads to the physical network.' }),
        vlan: Type.Integer({ description: '0 = untagged.' }),
        trust: Type.Boolean(),
        spoofchk: Type.Boolean(),
        linkState: Literals(['auto', 'enable', 'disable']),
        maxTxRate: Type.Integer({ description: 'Mbit/s, 0 = no limit.' }),
      },
      { description: 'Type vlan only. The last four hold for containers with a VF.' },
    ),
  ),
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
