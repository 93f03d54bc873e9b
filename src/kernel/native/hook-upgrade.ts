/** Moves ports from clsact to tcx in quiet times; why, see hooks.ts. */
import type { NativeContext } from './context.ts';
import { attachIn, readPortHooks } from './hooks.ts';
import { hostLinks } from './links.ts';
import { HOOK_MODE } from './records.ts';

/** No change for this long makes a quiet time. */
const QUIET_MS = 3000;
/** Between two ports, so that others get the rtnl lock. */
const PAUSE_MS = 50;

export class HookUpgrade {
  readonly #context: NativeContext;
  readonly #quietMs: number;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> = Promise.resolve();
  /** Counts changes: an upgrade that sees it move gives way. */
  #changes = 0;
  /** False once the kernel refused tcx, and after `stop`. */
  #wanted: boolean;

  constructor(context: NativeContext, quietMs = QUIET_MS) {
    this.#context = context;
    this.#quietMs = quietMs;
    this.#wanted = context.hookMode === 'auto';
  }

  /** Something changes: quiet time starts anew. */
  touch(): void {
    this.#changes++;
    this.#schedule(this.#quietMs);
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#wanted = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(delayMs: number): void {
    if (!this.#wanted) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#running = this.#run().catch(error => {
        this.#context.log.warn({ err: error }, 'hooks cannot be moved to tcx');
      });
    }, delayMs);
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    const started = this.#changes;
    const links = await hostLinks(this.#context.library, this.#context.identity);
    const hooks = await readPortHooks(this.#context, links);
    const onClsact = hooks.filter(record => record.mode === HOOK_MODE.clsact);
    for (const { ifindex } of onClsact) {
      if (!this.#wanted || this.#changes !== started) return;
      const link = links.byIfindex.get(ifindex);
      if (link === undefined || link.currentName !== link.name) continue;
      const [result] = await attachIn(this.#context, [{ name: link.name, mode: HOOK_MODE.tcx }]);
      if (result !== undefined && result.errno !== 0 && (await this.#isPresent(link.ifindex))) {
        this.#wanted = false;
        this.#context.log.info({ errno: result.errno, extack: result.extack }, 'hooks stay on clsact');
        return;
      }
      await new Promise<void>(resolve => setTimeout(resolve, PAUSE_MS).unref());
    }
  }

  /** A refusal says nothing about tcx when the link went away meanwhile. */
  async #isPresent(ifindex: number): Promise<boolean> {
    const links = await hostLinks(this.#context.library, this.#context.identity);
    return links.byIfindex.has(ifindex);
  }
}
