/**
 * Gives functions back whose endpoints are gone: away from Docker's calls, one after the other, until
 * the ledger has no row for them. What a crash left is found by the ledger and by our marks on links. A
 * function without a row may become another endpoint's at any moment, so each step asks the ledger first.
 */
import { isMarked } from '../ir/names.ts';
import type { NicPort } from '../kernel/nic-port.ts';
import type { KernelPort } from '../kernel/port.ts';
import { asEswError } from '../lib/errors.ts';
import type { Identity } from '../model/intent.ts';
import { type FunctionKey, functionKey, type Inventory, type NicFunction } from '../model/nic.ts';
import type { FunctionSnapshot, VfLease } from '../model/vf-lease.ts';
import type { Store } from '../store/port.ts';
import { functionsOf, isPortNow } from './functions.ts';
import { giveFunctionBack } from './give-back.ts';

/** The reconciler takes a port away in its next pause; until then its function is not touched. */
const PORT_WAIT_MS = 200;
/** A port that is still there then will not go by itself. */
const PORT_PATIENCE_MS = 30_000;
/** Waits after failed attempts. After the last, the function is broken. */
const RETRY_MS = [500, 1_000, 2_000, 5_000, 10_000, 30_000];
/** Between two searches for what nobody told us about. */
const COLLECT_MS = 60_000;
/** After a marked function without a row was seen, until it is taken for a leak. */
const LEAK_MS = 10_000;

/** Time as the keeper uses it; tests bring their own. */
export interface KeeperClock {
  /** Unix time, milliseconds. */
  now(): number;
  after(delayMs: number, action: () => void): () => void;
}

export interface VfKeeperDeps {
  readonly store: Store;
  readonly nics: Pick<NicPort, 'apply'>;
  /** A fresh look at the NICs. */
  refresh(): Promise<Inventory>;
  readonly kernel: Pick<KernelPort, 'giveBack'>;
  readonly identity: Identity;
  readonly clock: KeeperClock;
  readonly log: {
    info(facts: object, message: string): void;
    warn(facts: object, message: string): void;
  };
}

interface Trouble {
  readonly attempts: number;
  readonly dueMs: number;
}

export class VfKeeper {
  readonly #deps: VfKeeperDeps;
  readonly #lastUsed = new Map<FunctionKey, number>();
  readonly #trouble = new Map<FunctionKey, Trouble>();
  /** Since when a row's function still looks like a port. */
  readonly #portSinceMs = new Map<FunctionKey, number>();
  /** Marked functions without a row, and since when. */
  #suspects: ReadonlyMap<FunctionKey, number> = new Map();
  #running: Promise<void> | null = null;
  #isStopped = true;
  #cancel: () => void = () => {};
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(deps: VfKeeperDeps) {
    this.#deps = deps;
  }

  /** When each function was given back since the start, on the clock of `deps`. */
  get lastUsed(): ReadonlyMap<FunctionKey, number> {
    return this.#lastUsed;
  }

  /** What broke before may work after a restart, so it gets another chance. */
  start(): void {
    const { store, clock } = this.#deps;
    this.#isStopped = false;
    store.commit(tx => {
      for (const row of tx.vfs())
        if (row.state === 'broken') tx.putVf({ ...row, state: 'cooling', sinceMs: clock.now() });
    });
    this.wake();
  }

  /** Something is to be given back. */
  wake(): void {
    this.#schedule(0);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    await this.#running;
  }

  /** One pass over everything that is due; later ones come by themselves while it is started. */
  async collect(): Promise<void> {
    const functions = functionsOf(await this.#deps.refresh());
    this.#forgetSettled();
    this.#adoptLeaks(functions);
    for (const row of this.#deps.store.vfs()) {
      if (row.state === 'cooling') await this.#cool(row, functions.get(functionKey(row.ref)));
    }
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped) return;
    const dueMs = this.#deps.clock.now() + delayMs;
    if (dueMs >= this.#dueMs) return;
    this.#cancel();
    this.#dueMs = dueMs;
    this.#cancel = this.#deps.clock.after(delayMs, () => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      this.#kick();
    });
  }

  #kick(): void {
    if (this.#running !== null) {
      this.#schedule(PORT_WAIT_MS);
      return;
    }
    this.#running = this.collect()
      .catch(error => {
        this.#deps.log.warn({ err: error }, 'functions of NICs cannot be given back now');
        this.#schedule(RETRY_MS[1] ?? 0);
      })
      .finally(() => {
        this.#running = null;
        this.#schedule(COLLECT_MS);
      });
  }

  #forgetSettled(): void {
    for (const key of [...this.#trouble.keys(), ...this.#portSinceMs.keys()]) {
      if (this.#deps.store.vf(key)?.state === 'cooling') continue;
      this.#trouble.delete(key);
      this.#portSinceMs.delete(key);
    }
  }

  /** Marked for a while and in nobody's row: nobody else will ever take the marks off. */
  #adoptLeaks(functions: ReadonlyMap<FunctionKey, NicFunction>): void {
    const { store, identity, log, clock } = this.#deps;
    const now = clock.now();
    const before = this.#suspects;
    const suspects = new Map<FunctionKey, number>();
    for (const [key, { ref, netdev, representor }] of functions) {
      const altnames = [...(netdev?.altnames ?? []), ...(representor?.altnames ?? [])];
      if (store.vf(key) !== null || !isMarked(identity, altnames)) continue;
      const since = before.get(key) ?? now;
      suspects.set(key, since);
      if (now - since < LEAK_MS) continue;
      log.warn({ function: key }, 'found a function of a NIC that nobody gave back');
      const row = { ref, endpoint: null, state: 'cooling', sinceMs: now } as const;
      store.commit(tx => {
        if (tx.vf(key) === null) tx.putVf({ ...row, snapshot: UNKNOWN, fault: null });
      });
    }
    this.#suspects = suspects;
    if (suspects.size > 0) this.#schedule(LEAK_MS);
  }

  async #cool(row: VfLease, found: NicFunction | undefined): Promise<void> {
    const { store, clock } = this.#deps;
    const key = functionKey(row.ref);
    const now = clock.now();
    const dueMs = this.#trouble.get(key)?.dueMs ?? now;
    if (dueMs > now) {
      this.#schedule(dueMs - now);
      return;
    }
    if (found !== undefined && this.#isStillPort(key, found, now)) {
      this.#schedule(PORT_WAIT_MS);
      return;
    }
    const isOurs = (): boolean => store.vf(key) === row;
    // What is not there any more comes back fresh.
    const fault =
      found === undefined
        ? null
        : await giveFunctionBack(this.#deps, row, found, isOurs).catch(error => asEswError(error).message);
    if (!isOurs()) return;
    if (fault === null) this.#free(key, row);
    else this.#failed(key, row, fault);
  }

  #isStillPort(key: FunctionKey, found: NicFunction, now: number): boolean {
    if (!isPortNow(this.#deps.identity, found)) return false;
    const since = this.#portSinceMs.get(key) ?? now;
    this.#portSinceMs.set(key, since);
    return now - since < PORT_PATIENCE_MS;
  }

  #free(key: FunctionKey, row: VfLease): void {
    const { store, clock, log } = this.#deps;
    store.commit(tx => {
      if (tx.vf(key) === row) tx.deleteVf(key);
    });
    this.#trouble.delete(key);
    this.#portSinceMs.delete(key);
    this.#lastUsed.set(key, clock.now());
    log.info({ function: key }, 'function of a NIC given back');
  }

  #failed(key: FunctionKey, row: VfLease, fault: string): void {
    const { store, clock, log } = this.#deps;
    const attempts = (this.#trouble.get(key)?.attempts ?? 0) + 1;
    const delayMs = RETRY_MS[attempts - 1];
    if (delayMs !== undefined) {
      this.#trouble.set(key, { attempts, dueMs: clock.now() + delayMs });
      this.#schedule(delayMs);
      return;
    }
    log.warn({ function: key, fault }, 'function of a NIC is broken: it cannot be given back');
    store.commit(tx => {
      if (tx.vf(key) === row) tx.putVf({ ...row, state: 'broken', sinceMs: clock.now(), fault });
    });
    this.#trouble.delete(key);
  }
}

/** Of a function whose row was lost: names come back by our marks, the rest by the reset. */
const UNKNOWN: FunctionSnapshot = { netdev: null, representor: null, hwAddr: null, vf: null };
