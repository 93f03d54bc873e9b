/** Functions of the host's NICs: what there is for new endpoints, and their way back. */
import type { FunctionSource } from '../docker/deps.ts';
import type { NicPort } from '../kernel/nic-port.ts';
import type { KernelPort } from '../kernel/port.ts';
import { EswError } from '../lib/errors.ts';
import type { Identity } from '../model/intent.ts';
import type { InventoryKeeper } from '../nic/inventory-keeper.ts';
import { PortWatch } from '../nic/port-watch.ts';
import { VfKeeper } from '../nic/vf-keeper.ts';
import type { OffloadEngine } from '../offload/engine.ts';
import type { FunctionView } from '../place/function-choice.ts';
import { systemClock } from '../reconcile/clock.ts';
import type { Reconciler } from '../reconcile/port.ts';
import type { Store } from '../store/port.ts';
import type { Logger } from './logger.ts';
import { retiringFirst } from './offload-part.ts';

interface FunctionPartDeps {
  readonly inventory: InventoryKeeper;
  readonly store: Store;
  readonly identity: Identity;
  readonly log: Logger;
}

interface Parts {
  readonly kernel: KernelPort;
  readonly nics: NicPort;
  readonly engine: Pick<OffloadEngine, 'retire'>;
  readonly reconciler: Pick<Reconciler, 'resync'>;
}

export class FunctionPart implements FunctionSource {
  readonly #deps: FunctionPartDeps;
  #kernel: KernelPort | null = null;
  #keeper: VfKeeper | null = null;
  #unsubscribe: () => void = () => {};

  constructor(deps: FunctionPartDeps) {
    this.#deps = deps;
  }

  /** The kernel part is up: the ledger is put in order from now on. */
  start({ kernel, nics, engine, reconciler }: Parts): void {
    const { inventory, store, identity, log } = this.#deps;
    this.#kernel = kernel;
    const refresh = () => inventory.refresh();
    const giver = retiringFirst(kernel, engine, () => inventory.inventory);
    this.#keeper = new VfKeeper({ store, nics, kernel: giver, identity, refresh, clock: systemClock, log });
    const watch = new PortWatch(store, identity, () => {
      reconciler.resync('nic').catch(error => log.debug({ err: error }, 'ports of NICs were not looked at'));
    });
    watch.changed(inventory.inventory);
    this.#unsubscribe = inventory.subscribe(({ now }) => watch.changed(now));
    this.#keeper.start();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.#keeper?.stop();
  }

  async view(): Promise<FunctionView> {
    const kernel = this.#kernel;
    if (kernel === null) throw new EswError('ESW_ERR_RECONCILE_TIMEOUT', 'the daemon is starting');
    const [inventory, addresses] = await Promise.all([
      this.#deps.inventory.refresh(),
      kernel.hostAddresses(),
    ]);
    return { inventory, addresses, lastUsed: this.#keeper?.lastUsed ?? new Map() };
  }

  freed(): void {
    this.#keeper?.wake();
  }
}
