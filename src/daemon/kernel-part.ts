/** The part of the daemon that needs the kernel: library, programs, reconciler. It may fail and be tried again. */

import type { FlowPort } from '../kernel/flow-port.ts';
import { RULESET_DIGEST } from '../kernel/native/nft-ruleset.ts';
import { type NativePorts, openNative } from '../kernel/native/open.ts';
import { objectDigest } from '../kernel/native/pins.ts';
import type { NicPort } from '../kernel/nic-port.ts';
import type { KernelPort } from '../kernel/port.ts';
import type { EswError } from '../lib/errors.ts';
import type { Identity } from '../model/intent.ts';
import type { Reconciler, RoundReport } from '../reconcile/port.ts';
import { createReconciler } from '../reconcile/reconciler.ts';
import type { Store } from '../store/port.ts';
import type { Config } from './config.ts';
import { isNamespace } from './host.ts';
import type { Logger } from './logger.ts';
import type { OffloadPart, OffloadPartDeps } from './offload-part.ts';

export interface KernelPart {
  readonly reconciler: Reconciler;
  readonly kernel: KernelPort;
  readonly nics: NicPort;
  readonly flows: FlowPort;
  readonly offload: OffloadPart;
}

export interface KernelPartDeps {
  readonly config: Config;
  readonly identity: Identity;
  readonly store: Store;
  readonly log: Logger;
  /** Before the first round, which may need to know the NICs. */
  onNics(nics: NicPort): Promise<void>;
  createOffload(ports: Pick<OffloadPartDeps, 'kernel' | 'flows'>): OffloadPart;
  /** The kernel could not be read or written; null: a round has ended since. */
  onTrouble(error: EswError | null): void;
}

export function openKernel({
  config,
  identity,
  log,
}: Pick<KernelPartDeps, 'config' | 'identity' | 'log'>): NativePorts {
  return openNative({
    identity,
    library: config.nativeLibrary,
    bpfObject: config.bpfObject,
    bpffs: config.bpffs,
    runDir: config.runDir,
    maxPorts: config.maxPorts,
    log: log.child({ part: 'kernel' }),
  });
}

function logReport(log: Logger, report: RoundReport): void {
  const { failed, repaired, created, updated, deleted } = report;
  if (failed > 0) log.warn({ report }, 'reconciled, with operations that the kernel refused');
  else if (repaired > 0) log.warn({ report }, "reconciled: undid somebody else's changes");
  else if (created + updated + deleted > 0) log.debug({ report }, 'reconciled');
  else log.trace({ report }, 'nothing to reconcile');
}

/** Resolves after the first full round. On failure nothing is left open. */
export async function startKernelPart(deps: KernelPartDeps): Promise<KernelPart> {
  const { config, identity, store, log, onTrouble } = deps;
  const programsDigest = objectDigest(config.bpfObject);
  const { kernel, nics, flows } = openKernel(deps);
  const offload = deps.createOffload({ kernel, flows });
  const reconciler = createReconciler({
    store,
    kernel,
    context: { identity, programsDigest, nftDigest: RULESET_DIGEST },
    sandboxExists: isNamespace,
    resyncMs: config.resyncMs,
    retire: reps => offload.engine.retire(reps),
    onReport: report => {
      offload.engine.roundDone();
      if (report.cause === 'request') offload.engine.retryRefused();
      onTrouble(null);
      logReport(log, report);
    },
    onError: error => {
      onTrouble(error);
      log.error({ err: error }, 'the kernel cannot be read or written');
    },
  });
  try {
    await deps.onNics(nics);
    // Rules for endpoints that went while no daemon ran must be gone before their functions get others.
    await offload.engine.start();
    await reconciler.start();
    return { reconciler, kernel, nics, flows, offload };
  } catch (error) {
    await reconciler.stop();
    await offload.engine.stop();
    await kernel.close();
    throw error;
  }
}
