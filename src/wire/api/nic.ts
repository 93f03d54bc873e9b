/** GET /v1/nics, GET /v1/nics/{nic}, POST /v1/nics/{nic}/eswitch, GET /v1/ports. */
import Type, { type Static } from 'typebox';
import { Literals, Nullable } from './common.ts';

export const USE_STATES = ['free', 'used', 'cooling', 'broken', 'foreign'] as const;

export const LinkBody = Type.Object({
  name: Type.String(),
  ifindex: Type.Integer(),
  altnames: Type.Array(Type.String()),
  mac: Type.String(),
  mtu: Type.Integer(),
  up: Type.Boolean(),
});
export type LinkBody = Static<typeof LinkBody>;

const use = {
  state: Literals(
    USE_STATES,
    'cooling: given back, not yet restored. foreign: another program, host or virtual machine has it.',
  ),
  endpoint: Nullable(Type.String({ description: 'Whose port it is, when used.' })),
  why: Type.String({ description: 'In words; "" when there is nothing to say.' }),
};

export const FunctionBody = Type.Object({
  key: Type.String({ description: '<nic>/c<controller>pf<pf>vf<n>: unique on a host.' }),
  kind: Literals(['pf', 'vf', 'sf']),
  index: Type.Integer(),
  device: Nullable(Type.String()),
  driver: Nullable(Type.String()),
  netdev: Nullable(LinkBody),
  representor: Nullable(LinkBody),
  hwAddr: Nullable(Type.String()),
  attributes: Nullable(
    Type.Object(
      {
        mac: Type.String(),
        vlan: Type.Integer(),
        vlanQos: Type.Integer(),
        vlanProto: Literals(['802.1Q', '802.1ad']),
        minTxRate: Type.Integer(),
        maxTxRate: Type.Integer(),
        spoofchk: Type.Boolean(),
        trust: Type.Boolean(),
        linkState: Literals(['auto', 'enable', 'disable']),
      },
      { description: 'What the PF keeps for it (`ip link set … vf`).' },
    ),
  ),
  use: Type.Object(use),
});
export type FunctionBody = Static<typeof FunctionBody>;

export const NicBody = Type.Object({
  handle: Type.String({ description: "devlink's name of it, <bus>/<device>." }),
  devlink: Type.Boolean(),
  driver: Type.String(),
  profile: Type.String({ description: 'What is believed of such NICs; see firmware-profiles/.' }),
  pci: Nullable(Type.String({ description: 'vendor:device, hex.' })),
  serial: Nullable(Type.String()),
  firmware: Type.Array(
    Type.Object({
      name: Type.String(),
      kind: Literals(['fixed', 'running', 'stored']),
      value: Type.String(),
    }),
  ),
  mode: Literals(['legacy', 'switchdev']),
  encap: Nullable(Type.Boolean()),
  inlineMode: Nullable(Type.String()),
  offloads: Type.Boolean({ description: 'It takes rules of containers.' }),
  offloadProblem: Type.String({ description: 'Why it does not; "" when it does.' }),
  tcOffload: Nullable(Type.Boolean({ description: "ethtool's hw-tc-offload of the uplink." })),
  uplinks: Type.Array(LinkBody),
  switchId: Nullable(Type.String()),
  vfs: Type.Object({
    total: Type.Integer(),
    enabled: Type.Integer(),
    free: Type.Integer(),
    used: Type.Integer({ description: 'By containers.' }),
  }),
  functions: Type.Array(FunctionBody),
  resources: Type.Array(
    Type.Object({
      name: Type.String(),
      size: Type.Integer(),
      occupancy: Nullable(Type.Integer()),
    }),
  ),
  rateNodes: Type.Integer(),
  problems: Type.Array(Type.String()),
});
export type NicBody = Static<typeof NicBody>;

export const NicList = Type.Object({ nics: Type.Array(NicBody) });
export type NicList = Static<typeof NicList>;

export const EswitchChangeRequest = Type.Object(
  {
    mode: Literals(['legacy', 'switchdev']),
    vfs: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 65535, description: 'VFs afterwards; absent: as many as now.' }),
    ),
    encap: Type.Optional(Type.Boolean({ description: 'Encapsulation in the NIC; absent: as it is.' })),
    dryRun: Type.Optional(Type.Boolean({ description: 'Answer with what would be done.' })),
    force: Type.Optional(Type.Boolean({ description: 'Also under running containers.' })),
  },
  { additionalProperties: false },
);
export type EswitchChangeRequest = Static<typeof EswitchChangeRequest>;

export const EswitchChangeBody = Type.Object({
  nic: Type.String(),
  result: Literals(['nothing', 'planned', 'done']),
  now: Type.String({ description: 'As it is now, in words.' }),
  steps: Type.Array(
    Type.Object({
      text: Type.String(),
      why: Type.String(),
      state: Literals(['planned', 'done', 'failed'], 'failed: refused, and another way was found.'),
      error: Type.String({ description: "The kernel's words." }),
    }),
  ),
  disturbed: Type.Array(Type.String({ description: 'Whose functions go away or change.' })),
  notes: Type.Array(Type.String({ description: 'What may come in the way.' })),
});
export type EswitchChangeBody = Static<typeof EswitchChangeBody>;

export const PortBody = Type.Object({
  port: Type.String({ description: 'Key of the function, or the representor of a port in software.' }),
  kind: Literals(['vf', 'sf', 'veth', 'direct'], 'direct: a sub-interface, without a representor.'),
  nic: Nullable(Type.String()),
  netdev: Nullable(Type.String({ description: 'While it is in the host namespace.' })),
  representor: Nullable(Type.String()),
  network: Nullable(Type.String()),
  ...use,
});
export type PortBody = Static<typeof PortBody>;

export const PortList = Type.Object({ ports: Type.Array(PortBody) });
export type PortList = Static<typeof PortList>;
