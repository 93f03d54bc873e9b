/** A host with two networks and three endpoints, for the tests of what operators see. */
import { compile } from '../../src/compile/compile.ts';
import type { Resource } from '../../src/ir/resource.ts';
import type { Counters, Op, Probe } from '../../src/kernel/port.ts';
import type {
  Cidr,
  EndpointId,
  Ip,
  Mac,
  NetSlot,
  NetworkId,
  PortSlot,
  Revision,
} from '../../src/lib/brand.ts';
import type { EswError } from '../../src/lib/errors.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import type { Identity, Intent } from '../../src/model/intent.ts';
import type { Network } from '../../src/model/network.ts';
import type { Placement, Sources } from '../../src/observe/sources.ts';
import { NO_OFFLOAD } from '../../src/offload/none.ts';
import type { Offload } from '../../src/offload/port.ts';
import type { ReconcileStatus, RoundReport, View } from '../../src/reconcile/port.ts';

export const IDENTITY: Identity = { instance: 'eswitchd', linkPrefix: 'ew' };
/** 2026-01-02T03:04:05Z */
export const NOW_MS = 1_767_323_045_000;

export const WEB = `3f2a9c01d4e5${'0'.repeat(52)}` as NetworkId;
export const INNER = `3f2b77aa0011${'0'.repeat(52)}` as NetworkId;
export const ALPHA = `a1b2c3d4e5f6${'0'.repeat(52)}` as EndpointId;
export const BETA = `b1b2c3d4e5f6${'0'.repeat(52)}` as EndpointId;
export const GAMMA = `a1c2c3d4e5f6${'0'.repeat(52)}` as EndpointId;

function network(id: NetworkId, slot: number, extra: Partial<Network>): Network {
  return {
    id,
    type: 'bridge',
    slot: slot as NetSlot,
    gatewaySlot: (slot * 10) as PortSlot,
    switchMac: `02:00:00:00:00:0${slot}` as Mac,
    gatewayMac: `02:00:00:00:01:0${slot}` as Mac,
    datapath: 'auto',
    require: 'any',
    internal: false,
    nat: true,
    mtu: 1500,
    hostBinding: null,
    subnets: [],
    options: {},
    ...extra,
  };
}

function endpoint(id: EndpointId, networkId: NetworkId, slot: number, extra: Partial<Endpoint>): Endpoint {
  return {
    id,
    networkId,
    slot: slot as PortSlot,
    mac: `02:42:0a:32:00:0${slot}` as Mac,
    ip4: null,
    ip6: null,
    bindings: [],
    published: false,
    vf: null,
    fallback: null,
    sandbox: null,
    ifnamePrefix: 'eth',
    options: {},
    ...extra,
  };
}

const NETWORKS: readonly Network[] = [
  network(WEB, 1, {
    subnets: [
      { pool: '10.50.0.0/24' as Cidr, gateway: '10.50.0.1' as Ip },
      { pool: 'fd50::/64' as Cidr, gateway: 'fd50::1' as Ip },
    ],
    options: { type: 'bridge', 'com.example.team': 'shop' },
  }),
  network(INNER, 2, {
    internal: true,
    subnets: [{ pool: '10.51.0.0/16' as Cidr, gateway: null }],
  }),
];

const ENDPOINTS: readonly Endpoint[] = [
  endpoint(ALPHA, WEB, 2, {
    ip4: '10.50.0.2/24' as Cidr,
    ip6: 'fd50::2/64' as Cidr,
    sandbox: { key: '/run/docker/netns/aaaaaaaaaaaa', ifname: 'eth0' },
    published: true,
    bindings: [{ proto: 'tcp', containerPort: 80, hostIp: null, hostPort: 8080 }],
  }),
  endpoint(BETA, WEB, 3, {
    ip4: '10.50.0.3/24' as Cidr,
    sandbox: { key: '/run/docker/netns/gone', ifname: 'eth0' },
  }),
  endpoint(GAMMA, INNER, 4, { ip4: '10.51.0.2/16' as Cidr }),
];

export const INTENT: Intent = {
  networks: new Map(NETWORKS.map(each => [each.id, each])),
  endpoints: new Map(ENDPOINTS.map(each => [each.id, each])),
};

const compileIntent = (intent: Intent): ReadonlyMap<string, Resource> =>
  compile({ identity: IDENTITY, programsDigest: 'ab'.repeat(32), nftDigest: 'cd'.repeat(32) }, intent);

export const DESIRED: ReadonlyMap<string, Resource> = compileIntent(INTENT);

const port = (rxPackets: bigint, rxBytes: bigint, txPackets: bigint, txBytes: bigint) => ({
  rxPackets,
  rxBytes,
  txPackets,
  txBytes,
});

export const COUNTERS: Counters = {
  ports: new Map([
    [2 as PortSlot, port(12_345_678n, 15_200_000_000n, 11_000_000n, 980n)],
    [3 as PortSlot, port(5n, 500n, 12_000_000n, 15_199_999_999n)],
    [10 as PortSlot, port(7n, 700n, 9n, 900n)],
  ]),
  drops: [
    { slot: 2, reason: 'src_ip', packets: 1200n, bytes: 120_000n },
    { slot: 2, reason: 'multicast', packets: 4n, bytes: 400n },
    { slot: -1, reason: 'no_port', packets: 1n, bytes: 60n },
  ],
};

export const PROBES: readonly Probe[] = [
  { name: 'tcx', answer: 'yes', reason: '' },
  { name: 'redirect_peer', answer: 'yes', reason: '' },
  { name: 'flower', answer: 'no', reason: 'Operation not supported' },
  { name: 'devlink', answer: 'no', reason: 'No such file or directory' },
  { name: 'netkit', answer: 'unknown', reason: 'Operation not permitted' },
];

const ROUND: RoundReport = {
  cause: 'resync',
  revision: 12 as Revision,
  finishedAtMs: NOW_MS - 12_000,
  durationMs: 8.125,
  created: 0,
  updated: 0,
  deleted: 0,
  failed: 0,
  repaired: 0,
};

export const CALM: ReconcileStatus = {
  lastRound: ROUND,
  rounds: 14,
  failures: [],
  repairs: [{ atMs: NOW_MS - 300_000, key: 'hook/ewr0123456789/ingress', what: 'missing' }],
  foreign: [],
  generation: 31,
  hookMode: 'tcx',
};

const PLACEMENT: Placement = {
  eswitch: () => ({ kind: 'software', mechanism: 'tcx', why: 'no NIC in switchdev mode' }),
  datapath: () => ({ used: 'software', why: 'no NIC in switchdev mode' }),
  rules:
    () =>
    ({ kind }) =>
      kind === 'fib-entry' ? { where: 'software', reason: 'no NIC in switchdev mode' } : null,
};

/** What a test changes of the calm host. */
export interface Twist {
  readonly observed?: ReadonlyMap<string, Resource>;
  readonly plan?: readonly Op[];
  readonly reconcile?: Partial<ReconcileStatus>;
  readonly viewProblem?: EswError;
  readonly countersProblem?: EswError;
  readonly storeProblem?: EswError;
  readonly offload?: Offload;
  readonly intent?: Intent;
  readonly state?: ReturnType<Sources['daemon']['state']>;
}

export function fakeSources(twist: Twist = {}): Sources {
  const intent = twist.intent ?? INTENT;
  const desired = twist.intent === undefined ? DESIRED : compileIntent(intent);
  const view: View = { desired, observed: twist.observed ?? desired, plan: twist.plan ?? [] };
  const status: ReconcileStatus = { ...CALM, ...twist.reconcile };
  return {
    store: {
      revision: 12 as Revision,
      origin: 'opened',
      intent: () => {
        if (twist.storeProblem !== undefined) throw twist.storeProblem;
        return intent;
      },
    },
    reconciler: {
      view: async () => {
        if (twist.viewProblem !== undefined) throw twist.viewProblem;
        return view;
      },
      counters: async () => {
        if (twist.countersProblem !== undefined) throw twist.countersProblem;
        return COUNTERS;
      },
      status: () => status,
      probes: () => PROBES,
      resync: async cause => ({ ...ROUND, cause }),
    },
    placement: PLACEMENT,
    offload: twist.offload ?? NO_OFFLOAD,
    identity: IDENTITY,
    daemon: {
      version: '0.1.0',
      pid: 4711,
      startedAtMs: NOW_MS - 11_520_000,
      hostName: 'lab-1',
      kernelRelease: '6.18.0',
      stateDir: '/var/lib/eswitchd',
      apiSocket: '/run/eswitchd/api.sock',
      pluginSocket: '/run/docker/plugins/eswitch.sock',
      state: () => twist.state ?? { state: 'ready', problem: null },
    },
    sandboxExists: path => !path.endsWith('gone'),
    clock: () => NOW_MS,
  };
}

/** DESIRED without the resources that `drop` names. */
export const without = (drop: (resource: Resource) => boolean): ReadonlyMap<string, Resource> =>
  new Map([...DESIRED].filter(([, resource]) => !drop(resource)));
