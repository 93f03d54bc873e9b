/** The engine over modelled NICs, with time that tests move. */

import type { FlowRule } from '../../src/ir/flow.ts';
import { portNames } from '../../src/ir/names.ts';
import type { PairCounter } from '../../src/kernel/port.ts';
import { SimFlows } from '../../src/kernel/sim/flows.ts';
import type { Ifindex, PortSlot, Revision } from '../../src/lib/brand.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import type { Network } from '../../src/model/network.ts';
import type { DevlinkHandle, FunctionRef, Inventory, Nic, NicFunction } from '../../src/model/nic.ts';
import { type EngineDeps, OffloadEngine, type PollReport } from '../../src/offload/engine.ts';
import { endpoint, intentOf, network } from './arbitrary.ts';
import { CONTEXT } from './sim-harness.ts';

export const NIC = 'pci/0000:3b:00.0' as DevlinkHandle;

export const vf = (index: number): FunctionRef => ({ nic: NIC, controller: 0, pf: 0, kind: 'vf', index });

export class ManualClock {
  nowMs = 1_000_000;
  readonly #timers = new Set<{ readonly atMs: number; readonly action: () => void }>();

  now(): number {
    return this.nowMs;
  }

  random(): number {
    return 0.5;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, action };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Milliseconds until the next timer, null without one. */
  get nextInMs(): number | null {
    const next = [...this.#timers].sort((a, b) => a.atMs - b.atMs)[0];
    return next === undefined ? null : next.atMs - this.nowMs;
  }

  /** Runs the next timer at its time; false when there is none. */
  step(): boolean {
    const next = [...this.#timers].sort((a, b) => a.atMs - b.atMs)[0];
    if (next === undefined) return false;
    this.#timers.delete(next);
    this.nowMs = Math.max(this.nowMs, next.atMs);
    next.action();
    return true;
  }
}

export interface RigOptions {
  readonly networks?: readonly Network[];
  readonly endpoints?: readonly Endpoint[];
  readonly tableSize?: number | null;
  readonly flows?: SimFlows;
  readonly tuning?: Pick<EngineDeps, 'cacheTuning' | 'loopTuning'>;
  readonly refusal?: EngineDeps['facts']['refusal'];
}

export const NET = network(1);

/** Endpoint `n` of NET on VF `n`. */
export const onVf = (n: number, change: Partial<Endpoint> = {}): Endpoint =>
  endpoint(NET, n, { vf: vf(n), ...change });

export class OffloadRig {
  readonly clock = new ManualClock();
  readonly flows: SimFlows;
  readonly reports: PollReport[] = [];
  readonly errors: unknown[] = [];
  pairs: PairCounter[] = [];
  firmware = '1.0';
  tcOffload = true;
  mode: 'switchdev' | 'legacy' = 'switchdev';
  engine: OffloadEngine;
  readonly #options: RigOptions;
  #endpoints: readonly Endpoint[];
  /** Every VF that ever had an endpoint: it stays when that goes. */
  readonly #functions = new Map<string, Endpoint>();
  #revision = 1;
  #inventory: Inventory;

  constructor(options: RigOptions = {}) {
    this.#options = options;
    this.flows = options.flows ?? new SimFlows({ capacity: options.tableSize ?? 4096 });
    this.#endpoints = options.endpoints ?? [onVf(0), onVf(1), onVf(2)];
    for (const each of this.#endpoints) {
      this.addLink(each);
      this.#functions.set(this.rep(each), each);
    }
    this.#inventory = this.#look();
    this.engine = this.#makeEngine();
  }

  addLink(of: Endpoint): void {
    this.flows.addLink(this.rep(of), 'representor');
  }

  rep = (of: Endpoint): string => portNames(CONTEXT.identity, of.id).rep;

  /** The store changes; the links of new endpoints are there already. */
  setEndpoints(endpoints: readonly Endpoint[]): void {
    this.#endpoints = endpoints;
    for (const each of endpoints) this.#functions.set(this.rep(each), each);
    this.#revision += 1;
    this.#inventory = this.#look();
  }

  get inventory(): Inventory {
    return this.#inventory;
  }

  /** Somebody looked at the NICs again. */
  refresh(): void {
    this.#inventory = this.#look();
  }

  /** A daemon killed at any point and started again. */
  async restart(): Promise<void> {
    await this.engine.stop();
    this.engine = this.#makeEngine();
    await this.engine.start();
  }

  /** Runs `count` polls. */
  async polls(count: number, each: (poll: number) => void = () => {}): Promise<void> {
    for (let i = 0; i < count; i++) {
      each(i);
      if (!this.clock.step()) throw new RangeError('the engine sleeps');
      await this.idle();
    }
  }

  /** Until what was started has ended: nothing here waits for real time. */
  async idle(): Promise<void> {
    for (let i = 0; i < 400; i++) await Promise.resolve();
  }

  /** Traffic in software between two endpoints, added up. */
  send(src: Endpoint, dst: Endpoint, packets: number, family: 4 | 6 = 4): void {
    const at = this.pairs.findIndex(p => p.src === src.slot && p.dst === dst.slot && p.family === family);
    const old = this.pairs[at] ?? { packets: 0n, bytes: 0n };
    const now: PairCounter = {
      src: src.slot as PortSlot,
      dst: dst.slot as PortSlot,
      family,
      packets: old.packets + BigInt(packets),
      bytes: old.bytes + BigInt(packets * 1000),
    };
    if (at < 0) this.pairs.push(now);
    else this.pairs[at] = now;
  }

  async rules(): Promise<readonly (FlowRule & { readonly inHw: boolean; readonly ours: boolean })[]> {
    return this.flows.read(this.#endpoints.map(this.rep));
  }

  get cache() {
    const cache = this.engine.caches.get(NIC);
    if (cache === undefined) throw new RangeError('no cache');
    return cache;
  }

  #makeEngine(): OffloadEngine {
    const store = () => intentOf(this.#options.networks ?? [NET], this.#endpoints);
    const revision = () => this.#revision as Revision;
    return new OffloadEngine({
      identity: CONTEXT.identity,
      store: {
        get revision() {
          return revision();
        },
        intent: store,
      },
      flows: this.flows,
      facts: {
        tableSize: () => (this.#options.tableSize === undefined ? 4096 : this.#options.tableSize),
        refusal: this.#options.refusal ?? (() => null),
      },
      clock: this.clock,
      inventory: () => this.#inventory,
      pairs: async () => this.pairs,
      onPoll: report => this.reports.push(report),
      onError: error => this.errors.push(error),
      ...this.#options.tuning,
    });
  }

  #look(): Inventory {
    const functions = [...this.#functions.values()].flatMap((each): NicFunction[] => {
      if (each.vf === null) return [];
      const ifindex = this.flows.ifindexOf(this.rep(each));
      const name = this.rep(each);
      const representor =
        ifindex === null
          ? null
          : { name, ifindex: ifindex as Ifindex, altnames: [], mac: each.mac, mtu: 1500, up: true };
      const nothing = { device: null, driver: null, netdev: null, hwAddr: null, state: null, vf: null };
      return [{ ref: each.vf, representor, ...nothing }];
    });
    const nic: Nic = {
      handle: NIC,
      devlink: true,
      driver: 'sim',
      pci: null,
      serial: null,
      firmware: [{ name: 'fw', kind: 'running', value: this.firmware }],
      eswitch: { mode: this.mode, inlineMode: null, encap: null },
      uplinks: [],
      switchId: '01',
      vfsTotal: 64,
      vfsEnabled: functions.length,
      functions,
      resources: [],
      rateNodes: 0,
      tcOffload: this.tcOffload,
      problems: [],
    };
    return { nics: [nic] };
  }
}
