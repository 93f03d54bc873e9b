/** The daemon put together: sockets first, then the store, then the kernel part; down in reverse. */
import { hostname, release } from 'node:os';
import type { ApiApp } from '../api/app.ts';
import { createApiServer } from '../api/server.ts';
import { listenOnSocket } from '../docker/listen.ts';
import type { FlowPort } from '../kernel/flow-port.ts';
import type { NicPort } from '../kernel/nic-port.ts';
import { asEswError, type EswError } from '../lib/errors.ts';
import type { Identity } from '../model/intent.ts';
import type { Inventory } from '../model/nic.ts';
import { InventoryKeeper } from '../nic/inventory-keeper.ts';
import type { Sources } from '../observe/sources.ts';
import type { NicKnowledge } from '../profile/knowledge.ts';
import { refusedOf } from '../profile/probe-run.ts';
import { NicProber } from '../profile/prober.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import type { Config } from './config.ts';
import { createFirmwarePart } from './firmware-part.ts';
import { FunctionPart } from './function-part.ts';
import { isNamespace } from './host.ts';
import { type KernelPart, startKernelPart } from './kernel-part.ts';
import { LateOffload } from './late-offload.ts';
import { LateReconciler } from './late-reconciler.ts';
import { createLateStore } from './late-store.ts';
import type { Logger } from './logger.ts';
import { createNicControl, type NicKernel } from './nic-part.ts';
import { createOffloadPart, type OffloadPart, type OffloadPartDeps } from './offload-part.ts';
import { createPlacement } from './placement.ts';
import { openPlugin, type PluginPart } from './plugin-part.ts';
import { retry } from './retry.ts';
import { daemonState } from './state.ts';

/** Waits between attempts to open the store or bring the kernel part up. */
const RETRY_DELAYS_MS = [250, 1000, 2000, 5000, 10_000, 30_000] as const;

export interface DaemonOptions {
  readonly config: Config;
  readonly identity: Identity;
  readonly version: string;
  readonly startedAtMs: number;
  readonly log: Logger;
}

export class Daemon {
  readonly #options: DaemonOptions;
  readonly #late = new LateReconciler();
  readonly #offload = new LateOffload();
  readonly #store = createLateStore();
  readonly #abort = new AbortController();
  readonly #keeper: InventoryKeeper;
  readonly #functions: FunctionPart;
  #kernelPart: KernelPart | null = null;
  #nics: NicPort | null = null;
  #nicKernel: NicKernel | null = null;
  #knowledge: NicKnowledge | null = null;
  #unsubscribe: () => void = () => {};
  #plugin: PluginPart | null = null;
  #api: ApiApp | null = null;
  #isStarting = true;
  #hasReclaimed = false;
  #problem: EswError | null = null;
  #bringUp: Promise<void> = Promise.resolve();

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#keeper = new InventoryKeeper({
      onTrouble: error => options.log.warn({ err: error }, 'the NICs cannot be looked at'),
    });
    const { identity, log } = options;
    const store = this.#store.store;
    this.#functions = new FunctionPart({ inventory: this.#keeper, store, identity, log });
  }

  /**
   * Resolves when both sockets answer. Throws ESW_ERR_STORE_LOCKED when another daemon has the state
   * directory, and what keeps a socket from being opened.
   */
  async start(): Promise<void> {
    const { config, identity, log } = this.#options;
    const firmware = createFirmwarePart({
      config,
      keeper: this.#keeper,
      log: log.child({ part: 'firmware' }),
      nics: () => this.#nics,
      intent: () => this.#store.store.intent(),
    });
    this.#knowledge = firmware.knowledge;
    // Another daemon's sockets must not be touched, so its lock is asked for first.
    this.#tryStore();
    this.#plugin = await openPlugin({
      config,
      identity,
      log: log.child({ part: 'plugin' }),
      store: this.#store.store,
      reconciler: this.#late,
      inventory: () => this.#keeper.inventory,
      functions: this.#functions,
    });
    this.#api = await createApiServer({
      sources: this.#sources(),
      firmware: firmware.control,
      nics: createNicControl({
        keeper: this.#keeper,
        knowledge: firmware.knowledge,
        intent: () => this.#store.store.intent(),
        ledger: () => this.#store.store.vfs(),
        kernel: () => this.#nicKernel,
      }),
      logger: log.child({ part: 'api' }),
    });
    await listenOnSocket(this.#api, config.apiSocket);
    log.info({ pluginSocket: config.pluginSocket, apiSocket: config.apiSocket }, 'listening');
    this.#bringUp = this.#bringUpAll();
  }

  /** Stops taking calls, finishes what runs, closes the store. The kernel's state stays. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all([this.#plugin?.close(), this.#api?.close()]);
    await this.#bringUp;
    await this.#functions.stop();
    await this.#late.stop();
    this.#keeper.stop();
    await this.#kernelPart?.offload.engine.stop();
    await this.#kernelPart?.kernel.close();
    this.#store.close();
  }

  /** A lock held by another daemon is final; any other failure is tried again. */
  #tryStore(): void {
    try {
      this.#openStore();
    } catch (error) {
      const problem = asEswError(error);
      if (problem.code === 'ESW_ERR_STORE_LOCKED') throw problem;
      this.#store.fail(problem);
    }
  }

  #openStore(): void {
    const { config, log } = this.#options;
    const store = openSqliteStore(config.stateDir);
    this.#store.arrive(store);
    const { origin, revision } = store;
    if (origin === 'recovered')
      log.error({ stateDir: config.stateDir }, 'the database was damaged and kept aside');
    log.info({ origin, revision }, 'store open');
  }

  async #bringUpAll(): Promise<void> {
    const part = await retry(() => this.#bringUpOnce(), {
      delaysMs: RETRY_DELAYS_MS,
      signal: this.#abort.signal,
      onFailure: (error, nextInMs) => {
        const problem = asEswError(error);
        this.#isStarting = false;
        this.#problem = problem;
        this.#late.fail(problem);
        this.#options.log.error({ err: problem, nextInMs }, 'degraded: the kernel part cannot be started');
        return true;
      },
    });
    if (part === null) return;
    this.#kernelPart = part;
    this.#late.arrive(part.reconciler);
    this.#offload.arrive(part.offload.view);
    this.#functions.start({ ...part, engine: part.offload.engine });
    this.#nicKernel = { nics: part.nics, flows: part.flows, engine: part.offload.engine };
    this.#problem = null;
    this.#isStarting = false;
    const { lastRound, generation, hookMode } = part.reconciler.status();
    this.#options.log.info({ lastRound, generation, hookMode }, 'ready');
  }

  async #bringUpOnce(): Promise<KernelPart> {
    const { config, identity, log } = this.#options;
    if (!this.#store.isOpen) this.#openStore();
    this.#reclaim();
    return startKernelPart({
      config,
      identity,
      store: this.#store.store,
      log,
      createOffload: ports => this.#createOffload(ports),
      onNics: nics => {
        this.#nics = nics;
        return this.#keeper.start(nics);
      },
      onTrouble: error => {
        this.#problem = error;
      },
    });
  }

  #createOffload({ kernel, flows }: Pick<OffloadPartDeps, 'kernel' | 'flows'>): OffloadPart {
    const { identity, log } = this.#options;
    const part = createOffloadPart({
      ...{ identity, kernel, flows },
      store: this.#store.store,
      log: log.child({ part: 'offload' }),
      inventory: () => this.#keeper.inventory,
      knowledge: {
        refusal: (nic, rule) => this.#knowledge?.refusal(nic, rule) ?? null,
        tableSize: nic => this.#knowledge?.tableSize(nic) ?? null,
      },
    });
    const probe = this.#prober(flows, part);
    this.#unsubscribe();
    this.#unsubscribe = this.#keeper.subscribe(({ now }) => {
      part.engine.kick();
      probe(now);
    });
    return part;
  }

  /** NICs that no profile knows are asked as soon as they have a representor. */
  #prober(flows: FlowPort, { engine }: OffloadPart): (inventory: Inventory) => void {
    const log = this.#options.log.child({ part: 'probe' });
    if (this.#knowledge === null) return () => {};
    const prober = new NicProber({
      flows,
      knowledge: this.#knowledge,
      onProbed: ({ handle }, answers) => {
        log.info({ nic: handle, refused: refusedOf(answers) }, 'asked a NIC what it takes');
        engine.retryRefused();
      },
      onError: ({ handle }, err) => log.warn({ nic: handle, err }, 'a NIC could not be asked'),
    });
    return inventory => void prober.probe(inventory);
  }

  /** Leases of a daemon that was killed between an address and its endpoint. */
  #reclaim(): void {
    if (this.#hasReclaimed) return;
    const freed = this.#plugin?.reclaim() ?? 0;
    this.#hasReclaimed = true;
    if (freed > 0) this.#options.log.info({ freed }, 'freed leases without an endpoint');
  }

  #sources(): Sources {
    const { config, identity, version, startedAtMs } = this.#options;
    const { store } = this.#store;
    const reconciler = this.#late;
    return {
      store,
      reconciler,
      identity,
      placement: createPlacement({
        probes: () => reconciler.probes(),
        networks: () => store.intent().networks.values(),
        inventory: () => this.#keeper.inventory,
      }),
      daemon: {
        version,
        pid: process.pid,
        startedAtMs,
        hostName: hostname(),
        kernelRelease: release(),
        stateDir: config.stateDir,
        apiSocket: config.apiSocket,
        pluginSocket: config.pluginSocket,
        state: () =>
          daemonState({
            problem: this.#problem,
            isStarting: this.#isStarting,
            failures: reconciler.status().failures,
          }),
      },
      offload: this.#offload,
      sandboxExists: isNamespace,
      clock: () => Date.now(),
    };
  }
}
