/**
 * `KernelPort` over a model of the kernel, strict where the kernel is: links die with their peers,
 * entries keep stale ifindexes, names that are taken are refused. For tests and dry runs.
 */
import { altname, linkRole } from '../../ir/names.ts';
import type { Key } from '../../ir/resource.ts';
import type { Cidr, Ifindex, PortSlot } from '../../lib/brand.ts';
import type { Identity } from '../../model/intent.ts';
import type { FunctionRef } from '../../model/nic.ts';
import type { FunctionSnapshot } from '../../model/vf-lease.ts';
import type {
  Announcement,
  Counters,
  KernelEvent,
  KernelPort,
  Op,
  OpResult,
  PairCounter,
  PortCounters,
  Probe,
  Snapshot,
} from '../port.ts';
import { runOp } from './apply.ts';
import { dumpState } from './dump.ts';
import type { Capacity, SimHost } from './host.ts';
import { peerOf } from './links.ts';
import type { SimNics } from './nics.ts';
import { Refusal } from './refusal.ts';
import { HOST, type SimLink, SimState } from './state.ts';
import { functionOf, giveBack } from './vf-ports.ts';

/** The daemon dies here: thrown by `apply` when the planned crash is reached. */
export class SimCrash extends Error {}

export interface SimOptions {
  /** Kernel memory to work on; a new one when absent. Two kernels over one state = a restarted daemon. */
  readonly state?: SimState;
  readonly capacity?: Capacity;
  /** The host's NICs, over the same `state`. */
  readonly nics?: SimNics;
  /** Awaited before every call, to model a slow kernel. */
  readonly delay?: () => Promise<void>;
}

interface PlannedFailure {
  readonly errno: number;
  readonly extack: string;
  times: number;
}

const SUCCESS: OpResult = { errno: 0, extack: '' };
const ZERO: PortCounters = { rxPackets: 0n, rxBytes: 0n, txPackets: 0n, txBytes: 0n };
const PROBES: readonly Probe[] = [
  ...[
    'bpf_syscall',
    'bpffs',
    'sched_cls',
    'tcx',
    'clsact',
    'redirect_peer',
    'map_in_map',
    'veth',
    'nf_tables',
  ].map(name => ({ name, answer: 'yes' as const, reason: '' })),
  ...['flower', 'sriov', 'devlink'].map(name => ({
    name,
    answer: 'no' as const,
    reason: 'simulated kernel',
  })),
];

export class SimKernel implements KernelPort {
  readonly name = 'sim';
  readonly state: SimState;
  /** Every operation that was asked for, in order, refused ones too. */
  readonly log: Op[] = [];
  readonly announced: Announcement[] = [];
  readonly #host: SimHost;
  readonly #delay: (() => Promise<void>) | undefined;
  readonly #failures = new Map<Key, PlannedFailure>();
  #crashAfter = Number.POSITIVE_INFINITY;

  constructor(identity: Identity, options: SimOptions = {}) {
    this.state = options.state ?? new SimState();
    const { capacity = { ports: 16384, fib: 65536 }, nics = null } = options;
    this.#host = { state: this.state, identity, capacity, nics };
    this.#delay = options.delay;
  }

  async probe(): Promise<readonly Probe[]> {
    return PROBES;
  }

  async dump(sandboxes?: () => Iterable<string>): Promise<Snapshot> {
    await this.#delay?.();
    return dumpState(this.#host, sandboxes?.());
  }

  async apply(ops: readonly Op[]): Promise<readonly OpResult[]> {
    await this.#delay?.();
    return ops.map(op => {
      if (this.#crashAfter-- <= 0) throw new SimCrash();
      this.log.push(op);
      return this.#run(op);
    });
  }

  async counters(): Promise<Counters> {
    return { ports: new Map(this.state.maps?.counters), drops: [] };
  }

  async pairCounters(): Promise<readonly PairCounter[]> {
    return this.state.maps?.pairs ?? [];
  }

  async resetCounters(slots: readonly PortSlot[]): Promise<void> {
    const { maps } = this.state;
    if (maps === null) return;
    for (const slot of slots) maps.counters.delete(slot);
    maps.pairs = maps.pairs.filter(({ src, dst }) => !slots.includes(src) && !slots.includes(dst));
  }

  async sandboxIfname(netns: string, rep: string): Promise<string | null> {
    const link = this.state.find(HOST, rep);
    const pair = link && (functionOf(this.#host, link)?.netdev ?? peerOf(this.state, link));
    const fn = pair ?? this.#directIn(netns, rep);
    return fn !== undefined && fn.netns === netns && netns !== HOST ? fn.name : null;
  }

  async announce(what: Announcement): Promise<boolean> {
    const link = this.state.find(what.netns, what.ifname);
    if (link?.up !== true) return false;
    this.announced.push(what);
    return true;
  }

  async giveBack(ref: FunctionRef, before: FunctionSnapshot | null): Promise<OpResult> {
    await this.#delay?.();
    return answer(() => giveBack(this.#host, ref, before));
  }

  async hostAddresses(): Promise<ReadonlyMap<Ifindex, readonly Cidr[]>> {
    const links = [...this.state.links.values()].filter(link => link.netns === HOST);
    return new Map(links.map(({ ifindex, addresses }) => [ifindex as Ifindex, [...addresses]]));
  }

  watch(onEvent: (event: KernelEvent) => void): () => void {
    const listener = (event: KernelEvent): void => onEvent(event);
    this.state.listeners.add(listener);
    return () => void this.state.listeners.delete(listener);
  }

  async close(): Promise<void> {}

  /** The next `times` operations on `key` are refused with `errno` and `extack`. */
  failNext(key: Key, errno: number, extack: string, times = 1): void {
    this.#failures.set(key, { errno, extack, times });
  }

  /** `apply` throws SimCrash instead of running operation number `count` + 1 from now. */
  crashAfter(count: number): void {
    this.#crashAfter = count;
  }

  /** Adds to the counters of a port, as its traffic would. */
  count(slot: PortSlot, packets: bigint): void {
    const before = this.state.maps?.counters.get(slot) ?? ZERO;
    this.state.maps?.counters.set(slot, { ...before, rxPackets: before.rxPackets + packets });
  }

  /** Adds to a pair's counters, as the traffic of a NIC's function would. */
  countPair(pair: Omit<PairCounter, 'bytes'>): void {
    const { maps } = this.state;
    if (maps === null) return;
    const isSame = (one: PairCounter): boolean =>
      one.src === pair.src && one.dst === pair.dst && one.family === pair.family;
    const before = maps.pairs.find(isSame)?.packets ?? 0n;
    const packets = before + pair.packets;
    maps.pairs = [...maps.pairs.filter(one => !isSame(one)), { ...pair, packets, bytes: packets * 64n }];
  }

  /** A port without a representor is known by its mark alone. */
  #directIn(netns: string, rep: string): SimLink | undefined {
    const { identity, state } = this.#host;
    const twin = linkRole(identity, rep)?.twin;
    if (twin === undefined) return undefined;
    return [...state.links.values()].find(
      link => link.netns === netns && link.altnames.has(altname(identity, twin)),
    );
  }

  #run(op: Op): OpResult {
    const key = op.verb === 'swap-fib' ? op.key : op.resource.key;
    const planned = this.#failures.get(key);
    if (planned !== undefined && planned.times > 0) {
      planned.times -= 1;
      return { errno: planned.errno, extack: planned.extack };
    }
    return answer(() => runOp(this.#host, op));
  }
}

function answer(run: () => void): OpResult {
  try {
    run();
    return SUCCESS;
  } catch (error) {
    if (error instanceof Refusal) return { errno: error.errno, extack: error.extack };
    throw error;
  }
}
