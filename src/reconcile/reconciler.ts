/**
 * The single writer: one loop that compiles what the store changed, looks at the kernel when it must,
 * and applies the difference in bounded rounds. Everything else only marks things dirty.
 */
import type { CompileContext } from '../compile/context.ts';
import { portKey, vlanLinkKey } from '../ir/make.ts';
import type { Counters, KernelPort, Op, Probe, Snapshot } from '../kernel/port.ts';
import type { EndpointId, NetworkId, Revision } from '../lib/brand.ts';
import { asEswError, EswError } from '../lib/errors.ts';
import { plan } from '../plan/plan.ts';
import { Tracker } from '../plan/tracker.ts';
import type { Store } from '../store/port.ts';
import { Announcer } from './announcer.ts';
import { type Clock, systemClock } from './clock.ts';
import { IncrementalCompiler } from './compiler.ts';
import { Executor, type Retire } from './executor.ts';
import { Failures } from './failures.ts';
import { Journal } from './journal.ts';
import type { Reconciler, ReconcileStatus, RoundReport, View } from './port.ts';
import { directSandboxes, isEndpointPort, Sandboxes } from './sandboxes.ts';
import { Scopes } from './scopes.ts';
import { GATEWAY_MS, Triggers } from './triggers.ts';
import { Waiters } from './waiters.ts';

export interface ReconcilerOptions {
  readonly store: Store;
  readonly kernel: KernelPort;
  readonly context: CompileContext;
  /** Whether a network namespace is still at this path. */
  readonly sandboxExists: (path: string) => boolean;
  /** Milliseconds between full looks at the kernel (± 10 %). */
  readonly resyncMs: number;
  readonly clock?: Clock;
  /** Asked before a function of a NIC loses its port. */
  readonly retire?: Retire;
  /** Hears of every report, for the log. */
  readonly onReport?: (report: RoundReport) => void;
  /** Hears when the kernel port itself failed (not a refusal); the loop tries again. */
  readonly onError?: (error: EswError) => void;
}

/** Operations in one call of the kernel port, so that nobody waits behind a long batch. */
const BATCH = 512;
/**
 * Link deletions wait for a pause of SLOW_AFTER_MS, unless SLOW_BACKLOG have gathered. The kernel takes
 * about 18 ms for one and little more for many at once (they go as one group), so few big calls hold up
 * fewer callers than many small ones.
 */
const SLOW_AFTER_MS = 1_000;
const SLOW_BATCH = 128;
const SLOW_BACKLOG = 1024;
/** Delay before the loop tries again after the kernel port itself failed. */
const BROKEN_DELAY_MS = 1_000;

interface Task {
  readonly run: () => Promise<void>;
}

interface Resyncing {
  /** Whether the links to be deleted are part of what is waited for. */
  readonly untilLinks: boolean;
  readonly resolve: (report: RoundReport) => void;
  readonly reject: (error: EswError) => void;
}

export function createReconciler(options: ReconcilerOptions): Reconciler {
  return new ReconcileLoop(options);
}

class ReconcileLoop implements Reconciler {
  readonly #store: Store;
  readonly #kernel: KernelPort;
  readonly #clock: Clock;
  readonly #options: ReconcilerOptions;
  readonly #tracker = new Tracker();
  readonly #compiler: IncrementalCompiler;
  readonly #failures: Failures;
  readonly #scopes: Scopes;
  readonly #waiters: Waiters;
  readonly #journal: Journal;
  readonly #executor: Executor;
  readonly #sandboxes: Sandboxes;
  readonly #announcer: Announcer;
  readonly #triggers: Triggers;
  readonly #tasks: Task[] = [];
  readonly #resyncing: Resyncing[] = [];
  #probes: readonly Probe[] = [];
  #generation = 0;
  #hookMode: Snapshot['hookMode'] = 'none';
  #lookCause: string | null = null;
  #hasLooked = false;
  #hasNewWaiter = false;
  #lastFastAtMs = 0;
  #cancelSlowTimer: () => void = () => {};
  #running: Promise<void> | null = null;
  #isStopping = false;
  #unwatch: () => void = () => {};

  constructor(options: ReconcilerOptions) {
    const { store, kernel, context, clock = systemClock } = options;
    this.#options = options;
    this.#store = store;
    this.#kernel = kernel;
    this.#clock = clock;
    this.#announcer = new Announcer(kernel, store, clock);
    this.#sandboxes = new Sandboxes({ kernel, store, identity: context.identity, clock }, id => {
      this.notify({ endpoints: [id] });
      this.#announcer.announce(id);
    });
    this.#compiler = new IncrementalCompiler(context, store, this.#tracker, this.#sandboxes);
    this.#failures = new Failures(clock, key => {
      this.#tracker.wake(key);
      this.#kick();
    });
    this.#scopes = new Scopes(this.#tracker, this.#failures);
    this.#waiters = new Waiters(clock);
    this.#journal = new Journal(clock);
    this.#executor = new Executor(
      kernel,
      this.#tracker,
      this.#failures,
      this.#journal,
      options.retire ?? null,
    );
    this.#triggers = new Triggers(context.identity, clock, options.resyncMs, {
      look: cause => this.#look(cause),
      functionLeft: fn => this.#sandboxes.left(fn),
      isWanted: link => [portKey(link), vlanLinkKey(link)].some(key => this.#tracker.desired.has(key)),
    });
  }

  async start(): Promise<void> {
    this.#unwatch = this.#kernel.watch(event => this.#triggers.on(event));
    this.#probes = await this.#kernel.probe().catch(() => []);
    await this.resync('start');
  }

  notify(changed?: {
    readonly networks?: readonly NetworkId[];
    readonly endpoints?: readonly EndpointId[];
  }): void {
    if (changed === undefined) this.#compiler.markAll();
    else this.#compiler.mark(changed.networks ?? [], changed.endpoints ?? []);
    this.#kick();
  }

  waitFor(revision: Revision, scope: NetworkId | EndpointId, timeoutMs: number): Promise<void> {
    const done = this.#waiters.add(revision, scope, timeoutMs, () => this.#scopes.lastWords(scope));
    this.#hasNewWaiter = true;
    this.#kick();
    return done;
  }

  resync(cause: string): Promise<RoundReport> {
    if (this.#isStopping) return Promise.reject(stopped());
    return new Promise((resolve, reject) => {
      this.#resyncing.push({ untilLinks: cause !== 'start', resolve, reject });
      this.#look(cause);
    });
  }

  view(): Promise<View> {
    if (this.#isStopping) return Promise.reject(stopped());
    return new Promise((resolve, reject) => {
      this.#tasks.push({ run: () => this.#view().then(resolve, reject) });
      this.#kick();
    });
  }

  status(): ReconcileStatus {
    return {
      lastRound: this.#journal.last,
      rounds: this.#journal.rounds,
      failures: this.#failures.list(),
      repairs: [...this.#journal.repairs],
      foreign: this.#scopes.foreign,
      generation: this.#generation,
      hookMode: this.#hookMode,
      detached: this.#compiler.detached,
    };
  }

  counters(): Promise<Counters> {
    return this.#kernel.counters();
  }

  probes(): readonly Probe[] {
    return this.#probes;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#unwatch();
    this.#triggers.stop();
    this.#sandboxes.stop();
    this.#announcer.stop();
    this.#failures.stop();
    this.#cancelSlowTimer();
    await this.#running;
    this.#waiters.rejectAll(stopped());
    for (const each of this.#resyncing.splice(0)) each.reject(stopped());
  }

  #look(cause: string): void {
    this.#lookCause = cause;
    this.#kick();
  }

  /** Runs the loop unless it runs; after the caller's own synchronous work. */
  #kick(): void {
    if (this.#running !== null || this.#isStopping) return;
    this.#running = Promise.resolve()
      .then(() => this.#run())
      .finally(() => {
        this.#running = null;
        // What came in between the loop's last check and here.
        if (this.#hasWork()) this.#kick();
      });
  }

  #hasWork(): boolean {
    return !this.#isStopping && (this.#hasFastWork() || this.#isSlowDue());
  }

  #hasFastWork(): boolean {
    const isDirty = this.#compiler.isStale || this.#hasNewWaiter || this.#tracker.fastSize > 0;
    const canApply = this.#hasLooked && isDirty;
    return this.#lookCause !== null || this.#tasks.length > 0 || canApply;
  }

  #isSlowDue(): boolean {
    const { slowSize } = this.#tracker;
    if (!this.#hasLooked || slowSize === 0) return false;
    const isPause = this.#clock.now() - this.#lastFastAtMs >= SLOW_AFTER_MS;
    return isPause || slowSize > SLOW_BACKLOG || this.#resyncing.some(each => each.untilLinks);
  }

  async #run(): Promise<void> {
    try {
      for (let isFirst = true; this.#hasWork() || isFirst; isFirst = false) {
        if (!isFirst) await this.#clock.yield();
        await this.#round();
      }
    } catch (error) {
      this.#broke(asEswError(error));
    }
    this.#scheduleSlow();
  }

  async #round(): Promise<void> {
    const look = this.#lookCause;
    if (look !== null) await this.#adopt(look);
    if (this.#hasLooked && this.#compiler.isStale) {
      this.#journal.begin('commit');
      this.#compiler.run();
    }
    for (const task of this.#tasks.splice(0)) await task.run();
    if (!this.#hasLooked) return;
    const ops = this.#takeFast();
    if (ops.length > 0) {
      this.#lastFastAtMs = this.#clock.now();
      await this.#apply(ops);
      this.#settle();
    }
    // A caller that never pauses must not keep the backlog for ever, so that goes beside its work.
    const isOverdue = this.#tracker.slowSize > SLOW_BACKLOG;
    if (isOverdue || (ops.length === 0 && this.#isSlowDue())) {
      await this.#apply(this.#tracker.takeSlow(isOverdue ? BATCH : SLOW_BATCH));
    }
    this.#settle();
  }

  async #apply(ops: readonly Op[]): Promise<void> {
    const needsLook = await this.#executor.apply(ops);
    if (needsLook) this.#triggers.lookWithin(0);
    else if (ops.some(op => this.#changesStatus(op))) this.#triggers.lookWithin(GATEWAY_MS);
  }

  async #adopt(cause: string): Promise<void> {
    this.#lookCause = null;
    this.#journal.begin(cause);
    const snapshot = await this.#dump();
    this.#scopes.foreign = snapshot.foreign;
    this.#generation = snapshot.generation;
    this.#hookMode = snapshot.hookMode;
    this.#tracker.adopt(snapshot.resources, this.#hasLooked ? 'drift' : 'intent');
    this.#hasLooked = true;
    this.#tracker.wakeAll();
    this.#failures.prune(key => this.#tracker.isPending(key));
    this.#triggers.looked();
    this.#sandboxes.lookForAll(snapshot.homeFunctions);
  }

  #dump(): Promise<Snapshot> {
    const { observed } = this.#tracker;
    return this.#kernel.dump(() => directSandboxes(this.#store.intent(), observed.values()));
  }

  /** The next batch, after taking out endpoints whose sandbox is gone: their ports have no place to be. */
  #takeFast(): Op[] {
    for (;;) {
      const ops = this.#tracker.takeFast(BATCH);
      const gone = ops.flatMap(op => this.#lostEndpoint(op) ?? []);
      if (gone.length === 0) return ops;
      for (const id of gone) this.#compiler.detach(id);
    }
  }

  #lostEndpoint(op: Op): EndpointId | null {
    if (op.verb !== 'create' || !isEndpointPort(op.resource)) return null;
    const id = this.#tracker.ownerOf(op.resource.key) as EndpointId;
    const sandbox = this.#store.endpoint(id)?.sandbox ?? null;
    return sandbox !== null && !this.#options.sandboxExists(sandbox.key) ? id : null;
  }

  /** Whether `op` changes what the last full look told about the program and the table's generation. */
  #changesStatus(op: Op): boolean {
    if (op.verb === 'swap-fib') return true;
    return op.resource.kind === 'programs' || (op.resource.kind === 'hook' && this.#hookMode === 'none');
  }

  #settle(): void {
    this.#hasNewWaiter = false;
    this.#waiters.settle(this.#compiler.compiled, scope => this.#scopes.stateOf(scope));
    if (this.#hasFastWork() || !this.#journal.isOpen) return;
    this.#failures.prune(key => this.#tracker.isPending(key));
    const isAllDone = !this.#isSlowDue();
    const report = isAllDone
      ? this.#journal.end(this.#compiler.compiled)
      : this.#journal.soFar(this.#compiler.compiled);
    const waiting = this.#resyncing.splice(0);
    this.#resyncing.push(...waiting.filter(each => each.untilLinks && !isAllDone));
    for (const each of waiting) if (isAllDone || !each.untilLinks) each.resolve(report);
    if (isAllDone) this.#options.onReport?.(report);
  }

  /** The kernel port itself failed: nothing is known about the kernel any more. */
  #broke(error: EswError): void {
    if (this.#journal.isOpen) this.#journal.end(this.#compiler.compiled);
    this.#waiters.rejectAll(error);
    for (const each of this.#resyncing.splice(0)) each.reject(error);
    this.#options.onError?.(error);
    this.#lookCause = null;
    this.#hasLooked = false;
    if (!this.#isStopping) this.#triggers.lookWithin(BROKEN_DELAY_MS);
  }

  #scheduleSlow(): void {
    this.#cancelSlowTimer();
    if (this.#isStopping || this.#tracker.slowSize === 0) return;
    this.#cancelSlowTimer = this.#clock.after(SLOW_AFTER_MS, () => this.#kick());
  }

  async #view(): Promise<View> {
    if (this.#compiler.isStale) this.#compiler.run();
    const { resources: observed } = await this.#dump();
    const desired = new Map(this.#tracker.desired);
    return { desired, observed, plan: plan(desired, observed) };
  }
}

function stopped(): EswError {
  return new EswError('ESW_ERR_DAEMON_UNREACHABLE', 'the daemon is stopping');
}
