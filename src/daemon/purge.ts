/** Removes everything of this instance from the kernel. Networks and leases in the store stay. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { printFlowRef } from '../ir/flow-print.ts';
import { KIND_ORDER } from '../ir/resource.ts';
import type { FlowPort } from '../kernel/flow-port.ts';
import { NativeLibrary } from '../kernel/native/library.ts';
import { isBpffs, Pins } from '../kernel/native/pins.ts';
import type { NicPort } from '../kernel/nic-port.ts';
import type { Op } from '../kernel/port.ts';
import { errnoName } from '../lib/errno.ts';
import { EswError } from '../lib/errors.ts';
import type { Identity } from '../model/intent.ts';
import { lockDirectory } from '../store/directory-lock.ts';
import type { Config } from './config.ts';
import { openKernel } from './kernel-part.ts';
import type { Logger } from './logger.ts';

export interface PurgeReport {
  readonly deleted: number;
  /** What the kernel would not let go, with its words. */
  readonly failed: readonly string[];
}

/** Throws ESW_ERR_STORE_LOCKED while a daemon of this state directory runs. */
export async function purge(config: Config, identity: Identity, log: Logger): Promise<PurgeReport> {
  const lock = lockDirectory(config.stateDir);
  try {
    const { kernel, nics, flows } = openKernel({ config, identity, log });
    // Before the ports: a rule that stayed could deliver to whoever gets the function next.
    const rules = await purgeRules(flows, nics);
    const { resources } = await kernel.dump(engineSandboxes);
    // Sysctls are the host's: nobody knows any more what they were, and others may rely on them now.
    const ops: Op[] = [...resources.values()]
      .filter(({ kind }) => kind !== 'sysctl')
      .sort((a, b) => KIND_ORDER[b.kind] - KIND_ORDER[a.kind])
      .map(resource => ({ verb: 'delete', resource }));
    const results = await kernel.apply(ops);
    await kernel.close();
    await removePins(config, identity);
    const failed = ops.flatMap((op, index) => {
      const result = results[index];
      if (op.verb !== 'delete' || result === undefined || result.errno === 0) return [];
      return [`${op.resource.key}: ${result.extack === '' ? errnoName(result.errno) : result.extack}`];
    });
    return {
      deleted: ops.length - failed.length + rules.deleted,
      failed: [...rules.failed, ...failed],
    };
  } finally {
    lock.release();
  }
}

async function purgeRules(flows: FlowPort, nics: NicPort): Promise<PurgeReport> {
  const inventory = await nics.inventory();
  const links = inventory.nics.flatMap(nic =>
    nic.functions.flatMap(({ representor }) => (representor === null ? [] : [representor.name])),
  );
  if (links.length === 0) return { deleted: 0, failed: [] };
  const rules = (await flows.read(links)).filter(({ ours }) => ours);
  const results = await flows.delete(rules);
  const failed = rules.flatMap((rule, i) => {
    const { errno, extack } = results[i] ?? { errno: 0, extack: '' };
    return errno === 0 ? [] : [`${printFlowRef(rule)}: ${extack === '' ? errnoName(errno) : extack}`];
  });
  return { deleted: rules.length - failed.length, failed };
}

/** Namespaces of an engine's containers: ports without a host side are found nowhere else. */
function engineSandboxes(): readonly string[] {
  const folder = '/run/docker/netns';
  try {
    return readdirSync(folder).map(name => join(folder, name));
  } catch {
    return [];
  }
}

/** The pins wherever the daemon may have put them, and the bpffs if it mounted one of its own. */
async function removePins(config: Config, identity: Identity): Promise<void> {
  const own = join(config.runDir, 'bpf');
  for (const bpffs of new Set([config.bpffs ?? '/sys/fs/bpf', own])) {
    if (isBpffs(bpffs)) await new Pins(bpffs, identity.instance).remove();
  }
  if (config.bpffs === own || !isBpffs(own)) return;
  const status = new NativeLibrary(config.nativeLibrary).callSync('esw_bpffs_unmount', own);
  if (status < 0) {
    throw new EswError('ESW_ERR_KERNEL_REFUSED', `${own} cannot be unmounted: ${errnoName(-status)}`);
  }
  rmSync(own, { recursive: true, force: true });
}
