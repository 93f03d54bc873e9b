/** A plugin over a memory store and a reconciler that agrees at once, unless told otherwise. */
import type { FastifyInstance } from 'fastify';
import type { PluginDeps } from '../../src/docker/deps.ts';
import { createPluginServer } from '../../src/docker/server.ts';
import { parseDefaultPools } from '../../src/ipam/default-pools.ts';
import { createIpam } from '../../src/ipam/ipam.ts';
import type { EndpointId, NetworkId, Revision } from '../../src/lib/brand.ts';
import { EswError } from '../../src/lib/errors.ts';
import type { Capabilities } from '../../src/place/capabilities.ts';
import type { FunctionView } from '../../src/place/function-choice.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Store } from '../../src/store/port.ts';

export const NID = '4'.repeat(64);
export const EID = 'e'.repeat(64);

export interface Wait {
  readonly revision: Revision;
  readonly scope: string;
}

export interface Plugin {
  readonly app: FastifyInstance;
  readonly store: Store;
  /** What the handlers waited for, in order. */
  readonly waits: Wait[];
  readonly notified: unknown[];
  readonly logged: string[];
  /** Host ports (`tcp/8080`) that a process has. */
  readonly busy: Set<string>;
  capabilities: Capabilities;
  functions: FunctionView;
  /** How often the keeper was told. */
  freed: number;
  uplinkMtu: number;
  /** Paths of sandboxes that have ended. */
  readonly goneSandboxes: Set<string>;
  /** The next waits for this scope fail with the kernel's words. */
  refuse: Map<string, string>;
  /** Called while a handler waits. */
  onWait: (scope: string) => void | Promise<void>;
  /** Status and parsed body; `body` undefined = empty. */
  call(method: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }>;
  /** As `call`; the answer must be a success. */
  ok(method: string, body?: unknown): Promise<Record<string, unknown>>;
  /** As `call`; the error text. */
  err(method: string, body?: unknown): Promise<string>;
}

/** A host without a NIC that could help. */
const NO_NIC: Capabilities = {
  software: { available: true, why: 'forwards in eBPF (tcx)' },
  switchdev: { available: false, why: 'no NIC in switchdev mode' },
  sriov: { available: false, why: 'no NIC with VFs' },
  hardwareEntries: 0,
};

const NO_FUNCTIONS: FunctionView = { inventory: { nics: [] }, addresses: new Map(), lastUsed: new Map() };

/** The one link that leads out is eth1. */
async function parentLink(parent: string): ReturnType<PluginDeps['parentLink']> {
  if (parent === 'eth1') return { name: 'eth1', mtu: 1500 };
  throw new EswError('ESW_ERR_OPTION_VALUE', `option parent="${parent}": no such link`);
}

function callerOf(app: FastifyInstance): Plugin['call'] {
  return async (method, body) => {
    const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const reply = await app.inject({
      method: 'POST',
      url: `/${method}`,
      ...(payload === undefined ? {} : { payload }),
    });
    return { status: reply.statusCode, body: JSON.parse(reply.body) as Record<string, unknown> };
  };
}

export function createPlugin(overrides: Partial<PluginDeps> = {}): Plugin {
  const store = overrides.store ?? createMemoryStore();
  const ipam = createIpam({ store, defaultPools: parseDefaultPools([], 'host'), hostRoutes: () => [] });
  const state = {
    store,
    waits: [] as Wait[],
    notified: [] as unknown[],
    logged: [] as string[],
    busy: new Set<string>(),
    refuse: new Map<string, string>(),
    onWait: (_scope: string): void | Promise<void> => undefined,
    uplinkMtu: 1500,
    goneSandboxes: new Set<string>(),
    capabilities: NO_NIC,
    functions: NO_FUNCTIONS,
    freed: 0,
  };
  const log = (_facts: object, message: string) => {
    state.logged.push(message);
  };
  const deps: PluginDeps = {
    store,
    ipam,
    identity: { instance: 'eswitchd', linkPrefix: 'ew' },
    maxPorts: 1000,
    uplinkMtu: () => state.uplinkMtu,
    parentLink,
    capabilities: () => state.capabilities,
    functions: {
      view: async () => state.functions,
      freed: () => void state.freed++,
    },
    log: { debug: () => undefined, info: log, warn: log, error: log },
    clock: () => 0,
    sandboxExists: path => !state.goneSandboxes.has(path),
    checkHostPort: async ({ proto, hostPort }) =>
      state.busy.has(`${proto}/${hostPort}`) ? 'a process on this host listens there' : null,
    joinTimeoutMs: 5000,
    reconciler: {
      notify: changed => void state.notified.push(changed),
      async waitFor(revision, scope: NetworkId | EndpointId) {
        state.waits.push({ revision, scope });
        await state.onWait(scope);
        const words = state.refuse.get(scope);
        if (words !== undefined) throw new EswError('ESW_ERR_KERNEL_REFUSED', words);
      },
    },
    ...overrides,
  };
  const app = createPluginServer(deps);
  const call = callerOf(app);
  return Object.assign(state, {
    app,
    call,
    async ok(method: string, body?: unknown) {
      const answer = await call(method, body);
      if (answer.status !== 200 || 'Err' in answer.body) throw new Error(JSON.stringify(answer));
      return answer.body;
    },
    async err(method: string, body?: unknown) {
      const answer = await call(method, body);
      if (typeof answer.body['Err'] !== 'string' || answer.body['Err'] !== answer.body['Error']) {
        throw new Error(`no error: ${JSON.stringify(answer)}`);
      }
      return answer.body['Err'];
    },
  });
}

export interface NetworkArguments {
  readonly id?: string;
  readonly pool?: string;
  readonly gateway?: string | null;
  readonly pool6?: string | null;
  readonly options?: object;
  readonly internal?: boolean;
}

/** A CreateNetwork body as Docker 20.10 sends it. */
export function networkBody({
  id = NID,
  pool = '10.1.0.0/16',
  gateway = '10.1.0.1/16',
  pool6 = null,
  options = {},
  internal = false,
}: NetworkArguments = {}): object {
  const v4 = { AddressSpace: 'local', Pool: pool, ...(gateway === null ? {} : { Gateway: gateway }) };
  const v6 = { AddressSpace: 'local', Pool: pool6, Gateway: `${pool6?.replace('::/', '::1/')}` };
  return {
    NetworkID: id,
    Options: {
      'com.docker.network.enable_ipv6': pool6 !== null,
      'com.docker.network.generic': options,
      ...(internal ? { 'com.docker.network.internal': true } : {}),
    },
    IPv4Data: [v4],
    IPv6Data: pool6 === null ? null : [v6],
  };
}

export interface EndpointArguments {
  readonly network?: string;
  readonly id?: string;
  readonly address?: string;
  readonly address6?: string;
  readonly mac?: string;
  readonly options?: object;
}

/** A CreateEndpoint body as Docker 20.10 sends it. */
export function endpointBody({
  network = NID,
  id = EID,
  address = '10.1.0.2/16',
  address6 = '',
  mac = '02:42:0a:01:00:02',
  options = {},
}: EndpointArguments = {}): object {
  return {
    NetworkID: network,
    EndpointID: id,
    Interface: { Address: address, AddressIPv6: address6, MacAddress: mac },
    Options: { 'com.docker.network.endpoint.exposedports': [], 'com.docker.network.portmap': [], ...options },
  };
}

export const ref = (network = NID, id = EID): object => ({ NetworkID: network, EndpointID: id });

export interface PortArguments {
  readonly proto?: number;
  readonly port?: number;
  readonly hostIp?: string;
  readonly hostPort?: number;
  readonly end?: number;
}

/** One types.PortBinding. */
export function portBinding({
  proto = 6,
  port = 80,
  hostIp = '',
  hostPort = 8080,
  end,
}: PortArguments = {}): object {
  return {
    Proto: proto,
    IP: '',
    Port: port,
    HostIP: hostIp,
    HostPort: hostPort,
    HostPortEnd: end ?? hostPort,
  };
}

/** A ProgramExternalConnectivity body: the sandbox's labels carry the port map again. */
export function programBody(bindings: readonly object[] | null, network = NID, id = EID): object {
  const labels = bindings === null ? {} : { 'com.docker.network.portmap': bindings };
  return { ...ref(network, id), Options: labels };
}
