#!/usr/bin/env node
/**
 * Brings a bare clone to the point where a target can run, then runs it:
 * `node scripts/setup.mjs <target> [arguments…]`. Plain JavaScript for any Node from 18 on, because
 * it is what fetches the Node that everything else needs. Each step does nothing when it has nothing
 * to do, so the second run is quick.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { ensureDebianPackages } from './setup/debian.mjs';
import { buildNative } from './setup/native.mjs';
import { ensureNode } from './setup/node.mjs';
import { ensureNodeModules } from './setup/node-modules.mjs';
import { fail, root, step } from './setup/report.mjs';

/** What each target needs and runs; `native: false` leaves out Debian's packages and the C build. */
const TARGETS = {
  none: { native: true, script: null },
  test: { native: true, script: 'scripts/test.ts' },
  demo: { native: true, script: 'scripts/demo/main.ts' },
  bench: { native: true, script: 'bench/main.ts' },
  build: { native: true, script: 'scripts/build.ts' },
  lint: { native: false, script: 'scripts/lint.ts' },
  typecheck: { native: false, script: 'scripts/typecheck.ts' },
};

async function main() {
  const [name = 'none', ...args] = process.argv.slice(2);
  const target = Object.hasOwn(TARGETS, name) ? TARGETS[name] : undefined;
  if (!target) fail(`unknown target "${name}"`, `Give one of: ${Object.keys(TARGETS).join(', ')}.`);
  const { native, script } = target;
  if (script && !existsSync(join(root, script))) fail(`${script} is absent`, 'The clone is incomplete.');
  if (native && process.getuid?.() !== 0) {
    fail('root is needed', 'Network namespaces and eBPF programs are made for real: run this as root.');
  }

  if (native) await step('Debian packages', ensureDebianPackages);
  const nodeDir = await step('Node 26', ensureNode);
  const env = { ...process.env, PATH: nodeDir ? nodeDir + delimiter + process.env.PATH : process.env.PATH };
  await step('npm packages', report => ensureNodeModules(report, env));
  if (native) await step('native build', report => buildNative(report, env));
  if (script) process.exitCode = await runTarget(script, args, env);
}

/** Runs the target with our terminal; it gets our signals and its exit code becomes ours. */
function runTarget(script, args, env) {
  return new Promise(resolve => {
    const child = spawn('node', [join(root, script), ...args], { cwd: root, env, stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('error', error =>
      fail(`cannot start ${script}: ${error.message}`, 'Check the Node installation.'),
    );
    child.on('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

await main();
