/** A host with a NIC, and a daemon on it that can be killed between any two operations. */
import type { PluginDeps } from '../../src/docker/deps.ts';
import { createEndpoint, deleteEndpoint, join, leave } from '../../src/docker/endpoints.ts';
import { parseDefaultPools } from '../../src/ipam/default-pools.ts';
import { createIpam } from '../../src/ipam/ipam.ts';
import { portNames } from '../../src/ir/names.ts';
import type { NicPort } from '../../src/kernel/nic-port.ts';
import type { KernelPort } from '../../src/kernel/port.ts';
import { SimCrash, SimKernel } from '../../src/kernel/sim/kernel.ts';
import { type SimNicSpec, SimNics } from '../../src/kernel/sim/nics.ts';
import { Outside } from '../../src/kernel/sim/outside.ts';
import { HOST, SimState } from '../../src/kernel/sim/state.ts';
import type { Cidr, EndpointId } from '../../src/lib/brand.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import type { Network } from '../../src/model/network.ts';
import { functionKey, type NicFunction } from '../../src/model/nic.ts';
import { functionsOf } from '../../src/nic/functions.ts';
import { VfKeeper } from '../../src/nic/vf-keeper.ts';
import { capabilitiesOf } from '../../src/place/capabilities.ts';
import type { Reconciler } from '../../src/reconcile/port.ts';
import { createReconciler } from '../../src/reconcile/reconciler.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Store } from '../../src/store/port.ts';
import { network } from './arbitrary.ts';
import { CONTEXT } from './sim-harness.ts';

export const NIC = 'pci/0000:3b:00.0';
const SPEC: SimNicSpec = { handle: NIC, uplink: 'up0', mode: 'switchdev', vfs: 3 };

interface Daemon {
  readonly reconciler: Reconciler;
  readonly keeper: VfKeeper;
  readonly deps: PluginDeps;
}

export class VfHost {
  readonly state = new SimState();
  readonly nics: SimNics;
  readonly outside: Outside;
  store: Store = createMemoryStore();
  readonly net: Network;
  /** Functions that were reset while the ledger did not say that they may be. */
  readonly wrongResets: string[] = [];
  /** Kernel operations until the daemon dies. */
  fuse = Number.POSITIVE_INFINITY;
  #nowMs = 1_000_000;
  #sandboxes = 0;
  #daemon: Daemon | null = null;

  constructor(spec: Partial<SimNicSpec> = {}, change: Partial<Network> = {}) {
    this.nics = new SimNics([{ ...SPEC, ...spec }], this.state);
    this.outside = new Outside(this.state);
    this.net = network(1, change);
    this.store.commit(tx => tx.putNetwork(this.net));
  }

  get daemon(): Daemon {
    if (this.#daemon === null) throw new Error('no daemon runs');
    return this.#daemon;
  }

  async start(): Promise<void> {
    const { store, state, nics } = this;
    const kernel = this.#fused(new SimKernel(CONTEXT.identity, { state, nics }));
    const reconciler = createReconciler({
      ...{ store, kernel, context: CONTEXT, resyncMs: 3_600_000 },
      sandboxExists: path => state.namespaces.has(path),
    });
    const probes = await kernel.probe();
    const keeper = new VfKeeper({
      ...{ store, kernel, nics: this.#watched(), identity: CONTEXT.identity },
      refresh: () => nics.inventory(),
      clock: { now: () => this.#nowMs, after: () => () => {} },
      log: { info: () => {}, warn: () => {} },
    });
    const inventory = await nics.inventory();
    const deps: PluginDeps = {
      ...{ store, reconciler, identity: CONTEXT.identity, maxPorts: 100, joinTimeoutMs: 2000 },
      ipam: createIpam({ store, defaultPools: parseDefaultPools([], 'host'), hostRoutes: () => [] }),
      uplinkMtu: () => 1500,
      parentLink: async name => ({ name, mtu: 1500 }),
      capabilities: () => capabilitiesOf(probes, inventory),
      functions: {
        view: async () => ({
          inventory: await nics.inventory(),
          addresses: await kernel.hostAddresses(),
          lastUsed: keeper.lastUsed,
        }),
        freed: () => {},
      },
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      clock: () => 0,
      sandboxExists: path => state.namespaces.has(path),
      checkHostPort: async () => null,
    };
    this.#daemon = { reconciler, keeper, deps };
    await reconciler.start();
    keeper.start();
  }

  /** `kill -9`, and the next daemon. */
  async restart(): Promise<void> {
    this.fuse = 0;
    await this.#daemon?.reconciler.stop();
    this.fuse = Number.POSITIVE_INFINITY;
    await this.start();
  }

  /** The next daemon finds an empty store; containers go on. */
  async loseStore(): Promise<void> {
    await this.stop();
    this.store = createMemoryStore();
    this.store.commit(tx => tx.putNetwork(this.net));
    await this.start();
  }

  async stop(): Promise<void> {
    await this.#daemon?.keeper.stop();
    await this.#daemon?.reconciler.stop();
  }

  create(n: number): Promise<Endpoint> {
    return createEndpoint(this.daemon.deps, {
      ...{ id: idOf(n), networkId: this.net.id, ip4: `10.1.0.${n + 10}/16` as Cidr, ip6: null },
      ...{ mac: null, returnsMac: true, ifname: null, portMap: [], options: {} },
    });
  }

  delete(n: number): void {
    deleteEndpoint(this.daemon.deps, { id: idOf(n), networkId: this.net.id });
  }

  /** What an engine does when a container starts; does nothing when it runs. */
  run(n: number): void {
    if (this.endpoint(n)?.sandbox !== null) return;
    const path = `/run/docker/netns/c${++this.#sandboxes}`;
    const { srcName } = join(this.daemon.deps, {
      ...{ id: idOf(n), networkId: this.net.id, sandboxKey: path },
    });
    this.outside.makeSandbox(path);
    if (this.state.find(HOST, srcName) !== undefined) this.outside.moveToSandbox(srcName, path, 'eth0');
  }

  /** The container ends: `clean` as an engine does it, else its namespace goes first. */
  end(n: number, clean: boolean): void {
    const sandbox = this.endpoint(n)?.sandbox;
    if (sandbox == null) return;
    const { fn } = portNames(CONTEXT.identity, idOf(n));
    if (clean) this.outside.returnFromSandbox(sandbox.key, 'eth0', fn);
    this.outside.destroySandbox(sandbox.key);
    leave(this.daemon.deps, { id: idOf(n), networkId: this.net.id });
  }

  endpoint(n: number): Endpoint | null {
    return this.store.endpoint(idOf(n));
  }

  /** Until nothing is left to do. Throws what stops the daemon. */
  async settle(): Promise<void> {
    for (let round = 0; round < 12; round++) {
      await this.daemon.reconciler.resync('settle');
      this.#nowMs += 31_000;
      await this.daemon.keeper.collect();
    }
  }

  async functions(): Promise<readonly NicFunction[]> {
    return [...functionsOf(await this.nics.inventory()).values()];
  }

  #burn(): void {
    if (this.fuse-- <= 0) throw new SimCrash();
  }

  #fused(kernel: SimKernel): KernelPort {
    const inner = { apply: kernel.apply.bind(kernel), giveBack: kernel.giveBack.bind(kernel) };
    kernel.apply = async ops => {
      const results = [];
      for (const op of ops) {
        this.#burn();
        results.push(...(await inner.apply([op])));
      }
      return results;
    };
    kernel.giveBack = async (ref, before) => {
      this.#burn();
      return inner.giveBack(ref, before);
    };
    return kernel;
  }

  #watched(): Pick<NicPort, 'apply'> {
    return {
      apply: async ops => {
        for (const op of ops) {
          this.#burn();
          if (op.verb !== 'function-reset') continue;
          const row = this.store.vf(functionKey(op.ref));
          if (row?.state !== 'cooling') this.wrongResets.push(`${functionKey(op.ref)} ${row?.state}`);
        }
        return this.nics.apply(ops);
      },
    };
  }
}

export const idOf = (n: number): EndpointId => `${n}`.padStart(64, 'c') as EndpointId;
