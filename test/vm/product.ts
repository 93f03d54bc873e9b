/**
 * The product as it is shipped, for guests: dist/, written once for each state of the sources. Emulated, node
 * needs three times as long to start from TypeScript.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exec } from '../lab/exec.ts';
import { vmCache } from './cache.ts';

const repo = join(import.meta.dirname, '../..');
const STAMP = join(repo, 'dist/.sources');

export interface Product {
  readonly daemon: string;
  readonly cli: string;
}

/** Runs a command and notes what it was done for, unless that was done while we waited for the lock. */
const UNLESS_DONE =
  '[ "$(cat "$1" 2>/dev/null)" = "$2" ] && exit; note=$1 what=$2; shift 2; "$@" && printf %s "$what" >"$note"';

/** Builds dist/ unless it is that of the sources as they are. Safe to call twice at once. */
export async function ensureProduct(): Promise<Product> {
  const sources = digest();
  if (!isCurrent(sources)) {
    const compile = [join(repo, 'node_modules/.bin/tsc'), '-p', join(repo, 'tsconfig.build.json')];
    // The types are the lint lane's business.
    const flags = ['--noCheck', '--declaration', 'false', '--sourceMap', 'false'];
    const build = ['sh', '-c', UNLESS_DONE, 'sh', STAMP, sources, process.execPath, ...compile, ...flags];
    await exec(['flock', join(vmCache(), 'dist.lock'), ...build], { timeoutMs: 300_000 });
  }
  return { daemon: join(repo, 'dist/daemon/main.js'), cli: join(repo, 'dist/cli/main.js') };
}

const isCurrent = (sources: string): boolean => existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sources;

function digest(): string {
  const hash = createHash('sha256');
  const folder = join(repo, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const name of files.filter(each => each.endsWith('.ts')).sort()) {
    hash
      .update(name)
      .update('\0')
      .update(readFileSync(join(folder, name)))
      .update('\0');
  }
  return hash.digest('hex');
}
