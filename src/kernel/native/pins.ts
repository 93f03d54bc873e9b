/** Where programs and maps are pinned, and which object file they came from. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { lstat, readdir, readlink, rename, rm, rmdir, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoName } from '../../lib/errno.ts';
import { EswError } from '../../lib/errors.ts';
import type { NativeLibrary } from './library.ts';
import { MAPS_VERSION } from './tables.ts';

/** BPF_FS_MAGIC of include/uapi/linux/magic.h. */
const BPF_FS_MAGIC = 0xcafe4a11;
export const SYSTEM_BPFFS = '/sys/fs/bpf';
const MAPS = ['ports', 'nets', 'subnets', 'fib', 'stats', 'drops', 'pairs'] as const;
/** The one program of the set whose id vouches for the note. */
export const PORT_PROGRAM = 'esw_port';

export function isBpffs(path: string): boolean {
  try {
    return statfsSync(path).type === BPF_FS_MAGIC;
  } catch {
    return false;
  }
}

/**
 * The bpffs to pin in: the one configured, else the system's if there is one, else one of our own
 * below `runDir`. Throws ESW_ERR_KERNEL_FEATURE when none can be had.
 */
export function chooseBpffs(library: NativeLibrary, configured: string | null, runDir: string): string {
  if (configured === null && isBpffs(SYSTEM_BPFFS)) return SYSTEM_BPFFS;
  const path = configured ?? join(runDir, 'bpf');
  if (isBpffs(path)) return path;
  const status = library.callSync('esw_bpffs_mount', path);
  if (status < 0)
    throw new EswError('ESW_ERR_KERNEL_FEATURE', `no bpffs can be mounted at ${path}: ${errnoName(-status)}`);
  return path;
}

/** SHA-256 (hex) of an object file: what `Programs.digest` of the desired state must be. */
export function objectDigest(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch (cause) {
    throw new EswError('ESW_ERR_NATIVE_LIBRARY', `${path} cannot be read`, { cause });
  }
}

/** The pin directory of one instance: `<bpffs>/<instance>/v1`. */
export class Pins {
  readonly dir: string;
  readonly #instanceDir: string;

  constructor(bpffs: string, instance: string) {
    this.#instanceDir = join(bpffs, instance);
    this.dir = join(this.#instanceDir, `v${MAPS_VERSION}`);
  }

  /** Whether every map has its pin; programs whose maps lost theirs cannot be managed any more. */
  async isWhole(): Promise<boolean> {
    const found = await Promise.all(
      MAPS.map(name =>
        lstat(this.map(name)).then(
          () => true,
          () => false,
        ),
      ),
    );
    return found.every(Boolean);
  }

  map(name: string): string {
    return join(this.dir, 'maps', name);
  }

  /**
   * Notes which object the pinned programs came from, as a symbolic link on the bpffs itself: it
   * lives and dies with the pins (a file elsewhere would outlive them), and names the program's id,
   * so that a pin replaced by somebody else does not pass for ours. A rename makes it atomic.
   */
  async note(digest: string, programId: number): Promise<void> {
    const path = join(this.dir, 'loaded');
    const next = join(this.dir, 'loading');
    await unlink(next).catch(() => undefined);
    await symlink(`${digest}-${programId}`, next);
    await rename(next, path);
  }

  /** Digest of the object that the program with this id was loaded from, null when not known. */
  async noted(programId: number): Promise<string | null> {
    const text = await readlink(join(this.dir, 'loaded')).catch(() => '');
    const [digest = '', id] = text.split(/-(?=\d+$)/);
    return digest !== '' && Number(id) === programId ? digest : null;
  }

  /** Whether a tcx link is pinned for this network link. */
  hasTcxLink(link: string): boolean {
    return existsSync(join(this.dir, 'links', `${link}_ingress`));
  }

  /** Removes what the library keeps for hooks of links that are gone. */
  async dropHooks(links: readonly string[]): Promise<void> {
    for (const link of links) {
      await unlink(join(this.dir, 'links', `${link}_ingress`)).catch(() => undefined);
      await rmdir(join(this.dir, 'links', `${link}_qdisc`)).catch(() => undefined);
    }
  }

  /** As dropHooks, for every link that is not among `own`. */
  async sweep(own: ReadonlyMap<string, unknown>): Promise<void> {
    const names = await readdir(join(this.dir, 'links')).catch(() => []);
    const links = new Set(names.map(name => name.replace(/_[a-z]+$/, '')));
    await this.dropHooks([...links].filter(link => !own.has(link)));
  }

  /** Removes every pin of this instance. Attached programs stay attached where tc holds them. */
  async remove(): Promise<void> {
    await rm(this.#instanceDir, { recursive: true, force: true });
  }
}
