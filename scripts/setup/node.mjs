/** Finds a Node that runs TypeScript sources directly, or fetches one from the npm registry. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { cacheDir } from './cache.mjs';
import { problem, run, tail } from './report.mjs';

const WANTED_MAJOR = 26;
const LEAST_MAJOR = 24;

/** Folder to put first in PATH, or null when the running Node will do. */
export async function ensureNode(report) {
  if (major(process.versions.node) >= LEAST_MAJOR) return null;
  const prefix = join(cacheDir(), 'node');
  const found = await workingNode(prefix);
  if (found) return found;
  mkdirSync(prefix, { recursive: true });
  // Without a package.json of its own npm would look for one in the folders above.
  const manifest = join(prefix, 'package.json');
  if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true }\n');
  // The package `node` picks its platform's binary in an install script; npm may be set to run none, and
  // then the binary's own package does.
  for (const name of ['node', `node-${process.platform}-${process.arch}`]) {
    report(`fetching ${name}@${WANTED_MAJOR} with npm into ${prefix}`);
    const args = [
      'install',
      `${name}@${WANTED_MAJOR}.x`,
      '--prefix',
      prefix,
      '--no-fund',
      '--no-audit',
      '--no-save',
    ];
    const { code, output } = await run('npm', args, { cwd: prefix });
    const dir = code === 0 ? await workingNode(prefix) : null;
    if (dir) return dir;
    report(`that gave no usable Node:\n${tail(output, 8)}`);
  }
  throw problem(
    `cannot get Node ${WANTED_MAJOR}`,
    `Install Node ${LEAST_MAJOR} or newer and run this again.`,
  );
}

async function workingNode(prefix) {
  const folders = [`node_modules/node/bin`, `node_modules/node-${process.platform}-${process.arch}/bin`];
  for (const folder of folders) {
    const dir = join(prefix, folder);
    if (!existsSync(join(dir, 'node'))) continue;
    const { code, output } = await run(join(dir, 'node'), ['--version']);
    if (code === 0 && major(output.trim().replace(/^v/, '')) >= LEAST_MAJOR) return dir;
  }
  return null;
}

const major = version => Number(version.split('.')[0]);
