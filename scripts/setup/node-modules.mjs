/** Installs exactly what package-lock.json names, when that differs from what is installed. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { problem, root, run, tail } from './report.mjs';

const stamp = join(root, 'node_modules/.eswitchd-lock-hash');

export async function ensureNodeModules(report, env) {
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  report('npm ci');
  const { code, output } = await run('npm', ['ci', '--no-fund', '--no-audit'], { env });
  if (code !== 0)
    throw problem(`npm ci failed:\n${tail(output)}`, 'Check the network and the npm registry in use.');
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(stamp, hash);
}
