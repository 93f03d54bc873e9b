/** Out-of-tree kernel modules for the guests, built once per state of their sources. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { exec } from '../lab/exec.ts';
import { vmCache } from './cache.ts';
import { ensureHeaders } from './headers.ts';

/** What a module is made of; everything else beside it (tests, what a build left) changes nothing. */
const SOURCE = /\.(c|h|S)$|^(Kbuild|Makefile)$/;
const BUILD_TIMEOUT_MS = 300_000;
/** Builds kept; the longest unused go first. */
const KEPT = 12;

/** Builds in `$1` and moves the result to `$2`, unless a run that held the lock before has done so. */
const BUILD = `
[ -e "$2" ] && exit
make -s -j2 -C "$3" M="$1" CONFIG_DEBUG_INFO_BTF_MODULES= modules || exit
strip --strip-debug "$1"/*.ko && mkdir "$1/done" && mv "$1"/*.ko "$1/done" && mv -T "$1/done" "$2"
`;

/**
 * Builds the module in `dir` (its Kbuild says how) for the 6.12 guest and returns the path of `<name>.ko`,
 * which guests see under the same path. The cache is keyed by the sources and the kernel's release.
 * Rejects with the compiler's output.
 */
export async function buildModule(dir: string, name: string): Promise<string> {
  const headers = await ensureHeaders();
  const cache = join(vmCache(), 'modules');
  const files = sourcesOf(dir);
  const target = join(cache, `${name}-${headers.release}-${digest(dir, files)}`);
  const result = join(target, `${name}.ko`);
  if (!existsSync(result)) {
    const work = join(cache, `build-${process.pid}-${Date.now()}`);
    for (const file of files) cpSync(join(dir, file), join(work, file), { recursive: true });
    try {
      const lock = ['flock', join(vmCache(), 'modules.lock')] as const;
      await exec([...lock, 'sh', '-c', BUILD, 'sh', work, target, headers.dir], {
        timeoutMs: BUILD_TIMEOUT_MS,
      });
    } catch (error) {
      // The compiler names the copies; whoever reads it edits the sources.
      throw new Error(error instanceof Error ? error.message.replaceAll(work, dir) : String(error));
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
    if (!existsSync(result)) throw new Error(`${dir}: Kbuild makes no ${name}.ko`);
    prune(cache, name);
  }
  utimesSync(target, new Date(), new Date());
  return result;
}

/** Paths below `dir`, sorted. */
function sourcesOf(dir: string): readonly string[] {
  const found = readdirSync(dir, { recursive: true, withFileTypes: true });
  return found
    .filter(entry => entry.isFile() && SOURCE.test(entry.name) && !entry.name.endsWith('.mod.c'))
    .map(entry => join(entry.parentPath, entry.name).slice(dir.replace(/\/$/, '').length + 1))
    .sort();
}

function digest(dir: string, files: readonly string[]): string {
  const hash = createHash('sha256').update(BUILD);
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(dir, file)))
      .update('\0');
  return hash.digest('hex').slice(0, 16);
}

function prune(cache: string, name: string): void {
  const builds = readdirSync(cache)
    .filter(entry => entry.startsWith(`${name}-`))
    .map(entry => ({ path: join(cache, entry), usedAt: statSync(join(cache, entry)).mtimeMs }))
    .sort((a, b) => b.usedAt - a.usedAt);
  for (const { path } of builds.slice(KEPT)) rmSync(path, { recursive: true, force: true });
}
