/** Docker's side of the daemon. */
import type { Identity } from '../model/intent.ts';
import type { Reconciler } from '../reconcile/port.ts';
import type { Store } from '../store/port.ts';
import type { Config } from './config.ts';
import type { Logger } from './logger.ts';

export interface PluginPart {
  close(): Promise<void>;
}

export interface PluginPartDeps {
  readonly config: Config;
  readonly identity: Identity;
  readonly log: Logger;
  readonly store: Store;
  readonly reconciler: Reconciler;
}

export async function openPlugin(_deps: PluginPartDeps): Promise<PluginPart> {
  return { close: async () => {} };
}
