/** `npm run build`: typecheck, then dist/ as JavaScript (the native part is built by the set-up). */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, TYPECHECK } from './checks.ts';
import { type RunResult, run } from './process.ts';

function must(what: string, result: RunResult): void {
  if (result.code === 0) return;
  process.stdout.write(result.output);
  console.error(`${what} failed`);
  process.exit(1);
}

/** The commands named under "bin" in package.json start by themselves: first line and mode. */
function makeExecutable(file: string): void {
  const shebang = '#!/usr/bin/env node\n';
  const text = readFileSync(file, 'utf8');
  if (!text.startsWith('#!')) writeFileSync(file, shebang + text);
  chmodSync(file, 0o755);
}

must('typecheck', await run(TYPECHECK.command));
rmSync(join(root, 'dist'), { recursive: true, force: true });
must('emit', await run([join(root, 'node_modules/.bin/tsc'), '-p', join(root, 'tsconfig.build.json')]));
const manifest: { bin: Record<string, string> } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
);
for (const path of Object.values(manifest.bin)) makeExecutable(join(root, path));
console.log(`dist/ written: ${Object.keys(manifest.bin).join(', ')}`);
