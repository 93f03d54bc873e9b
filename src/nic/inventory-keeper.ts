/**
 * The last inventory of NICs, kept fresh: looked at again after events (once they settle), from time to
 * time, and on request. Reading takes milliseconds to seconds, so nobody else asks the port.
 */
import type { NicPort } from '../kernel/nic-port.ts';
import { asEswError, EswError } from '../lib/errors.ts';
import type { DevlinkHandle, Inventory, Nic } from '../model/nic.ts';

/** VFs come one by one and udev renames each: a look per change would be hundreds. */
const SETTLE_MS = 150;
/** A NIC whose links never settle is looked at nevertheless. */
const LONGEST_SETTLE_MS = 2000;
/** Events can be lost, and what a driver keeps to itself has none. */
const EVERY_MS = 60_000;

export interface InventoryChange {
  readonly now: Inventory;
  readonly before: Inventory;
}

export interface KeeperOptions {
  readonly settleMs?: number;
  readonly everyMs?: number;
  /** The NICs could not be looked at; the last inventory stays. */
  onTrouble?(error: EswError): void;
}

const NOTHING: Inventory = { nics: [] };

/** How full a table is changes all the time, and concerns nobody who waits for NICs to change. */
const comparable = (inventory: Inventory): string =>
  JSON.stringify(inventory, (key, value: unknown) => (key === 'occupancy' ? null : value));

export class InventoryKeeper {
  readonly #options: KeeperOptions;
  readonly #listeners = new Set<(change: InventoryChange) => void>();
  #port: NicPort | null = null;
  #inventory: Inventory = NOTHING;
  /** As text, to tell whether anything is different. */
  #text = comparable(NOTHING);
  #problem: EswError | null = new EswError('ESW_ERR_RECONCILE_TIMEOUT', 'the daemon is starting');
  #running: Promise<Inventory> | null = null;
  #next: Promise<Inventory> | null = null;
  #settle: NodeJS.Timeout | null = null;
  #dirtySinceMs: number | null = null;
  #regular: NodeJS.Timeout | null = null;
  #stopWatching: (() => void) | null = null;

  constructor(options: KeeperOptions = {}) {
    this.#options = options;
  }

  /** As last seen; empty before the first look. */
  get inventory(): Inventory {
    return this.#inventory;
  }

  /** Why `inventory` may be untrue, null while it is fresh. */
  get problem(): EswError | null {
    return this.#problem;
  }

  nic(handle: DevlinkHandle): Nic | undefined {
    return this.#inventory.nics.find(nic => nic.handle === handle);
  }

  /** Looks once, then watches. Never rejects: a failed look is `problem` and is tried again. */
  async start(port: NicPort): Promise<void> {
    this.stop();
    this.#port = port;
    // Before the look, so that nothing happens between them unheard.
    this.#stopWatching = port.watch(() => this.#touched());
    this.#regular = setInterval(
      () => void this.refresh().catch(() => undefined),
      this.#options.everyMs ?? EVERY_MS,
    );
    this.#regular.unref();
    await this.refresh().catch(() => undefined);
  }

  stop(): void {
    this.#stopWatching?.();
    this.#stopWatching = null;
    if (this.#settle !== null) clearTimeout(this.#settle);
    if (this.#regular !== null) clearInterval(this.#regular);
    this.#settle = null;
    this.#regular = null;
    this.#dirtySinceMs = null;
    this.#port = null;
  }

  /**
   * A look that begins after the call; callers that come while one runs share the next. Rejects with what
   * kept the NICs from being read.
   */
  refresh(): Promise<Inventory> {
    if (this.#running === null) return this.#look();
    const again = (): Promise<Inventory> => {
      this.#next = null;
      return this.#look();
    };
    this.#next ??= this.#running.then(again, again);
    return this.#next;
  }

  /** Called after every look that found something different. Returns how to unsubscribe. */
  subscribe(listener: (change: InventoryChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #look(): Promise<Inventory> {
    const look = this.#read();
    this.#running = look;
    const done = (): void => {
      if (this.#running === look) this.#running = null;
    };
    look.then(done, done);
    return look;
  }

  async #read(): Promise<Inventory> {
    const port = this.#port;
    if (port === null) throw this.#problem ?? new EswError('ESW_ERR_INTERNAL', 'nobody watches the NICs');
    try {
      const now = await port.inventory();
      this.#problem = null;
      this.#arrived(now);
      return now;
    } catch (error) {
      this.#problem = asEswError(error);
      this.#options.onTrouble?.(this.#problem);
      throw this.#problem;
    }
  }

  #arrived(now: Inventory): void {
    const before = this.#inventory;
    this.#inventory = now;
    const text = comparable(now);
    if (text === this.#text) return;
    this.#text = text;
    for (const listener of [...this.#listeners]) listener({ now, before });
  }

  /** Something happened: look when it has been quiet for a moment, or has not been for long. */
  #touched(): void {
    const nowMs = performance.now();
    this.#dirtySinceMs ??= nowMs;
    if (this.#settle !== null) clearTimeout(this.#settle);
    const leftMs = Math.max(0, this.#dirtySinceMs + LONGEST_SETTLE_MS - nowMs);
    this.#settle = setTimeout(
      () => {
        this.#settle = null;
        this.#dirtySinceMs = null;
        void this.refresh().catch(() => undefined);
      },
      Math.min(this.#options.settleMs ?? SETTLE_MS, leftMs),
    );
    this.#settle.unref();
  }
}
